from __future__ import annotations

import pytest
from rouge_score.rouge_scorer import RougeScorer

from pipelines.evaluation.metrics.answers import (
    LONGEST,
    answers,
    cmrc_exact,
    cmrc_f1,
    contains,
    rouge_l,
    squad_exact,
    squad_f1,
)
from pipelines.evaluation.outcomes import Passage, Said
from tests.evaluation.metrics.parts import outcome, question

# What the official evaluate-v1.1.py of SQuAD prints for these pairs of prediction and gold answer.
SQUAD = [
    ("Denver Broncos", "Denver Broncos", True, 1.0),
    ("the Denver Broncos!", "Denver Broncos", True, 1.0),
    (
        "The AFC champion Denver Broncos defeated the Carolina Panthers",
        "Denver Broncos",
        False,
        0.4444444444444445,
    ),
    (
        "Santa Clara, California",
        "Levi's Stadium in the San Francisco Bay Area at Santa Clara, California.",
        False,
        0.42857142857142855,
    ),
    ("gold, gold and gold", "gold", False, 0.4),
    ("an", "the", True, 0.0),
    ("February 7, 2016", "7 February", False, 0.8),
    ("Carolina", "Denver", False, 0.0),
    ("$5,000 a year", "5000", False, 0.6666666666666666),
    ("well-known", "well known", False, 0.0),
]
# The same of the official cmrc2018_evaluate.py of CMRC 2018.
CMRC = [
    ("光荣和ω-force", "光荣和ω-force", True, 1.0),
    (
        "《战国无双3》是由光荣和ω-force开发的战国无双系列的正统第三续作。",
        "光荣和ω-force",
        False,
        0.25806451612903225,
    ),
    ("2010年6月11日", "2010年", False, 0.5),
    ("村雨城", "任天堂游戏谜之村雨城", False, 0.4615384615384615),
    ("任天堂游戏。谜之村雨城", "任天堂游戏谜之村雨城", True, 1.0),
    ("他于 1983 年毕业于 University of California", "University of California", False, 0.4615384615384615),
    ("重庆", "北京", False, 0.0),
    ("18 岁", "18岁", False, 1.0),
    ("“Wii U”（任天堂）", "wii u任天堂", True, 1.0),
    ("一…二", "一二", False, 0.4),
    ("是的，大约15.5%", "约15.5%", False, 0.6666666666666666),
]


@pytest.mark.parametrize(("said", "gold", "exact", "f1"), SQUAD)
def test_english_figures_are_those_of_the_script_of_squad(
    said: str, gold: str, exact: bool, f1: float
) -> None:
    assert squad_exact(said, gold) is exact
    assert squad_f1(said, gold) == pytest.approx(f1, abs=1e-15)


@pytest.mark.parametrize(("said", "gold", "exact", "f1"), CMRC)
def test_chinese_figures_are_those_of_the_script_of_cmrc(
    said: str, gold: str, exact: bool, f1: float
) -> None:
    assert cmrc_exact(said, gold) is exact
    assert cmrc_f1(said, gold) == pytest.approx(f1, abs=1e-15)


@pytest.mark.parametrize(("said", "gold"), [pair[:2] for pair in SQUAD])
def test_rouge_of_english_is_that_of_rouge_score(said: str, gold: str) -> None:
    assert rouge_l(said, gold) == RougeScorer(["rougeL"]).score(gold, said)["rougeL"].fmeasure


def test_rouge_of_chinese_counts_characters() -> None:
    # Common subsequence 我北京 of 4 and 5 characters: P 3/4, R 3/5.
    assert rouge_l("我在北京", "我很爱北京") == pytest.approx(2 * 0.75 * 0.6 / 1.35)
    assert rouge_l("ＡＢＣ公司成立于2019年", "abc公司，2019 年") == pytest.approx(2 * 5 / (8 + 5))
    assert rouge_l("", "北京") == 0


def test_the_best_gold_answer_counts() -> None:
    asked = question(answers=("no", "fifteen days"))
    found = answers(asked, outcome(text="Fifteen days. [1]", sentences=(Said(text="Fifteen days."),)))
    assert found == {"found@5": 0, "exact_match": 1, "f1": 1, "contains": 1, "rouge_l": 1}


@pytest.mark.parametrize("what", ["refused", "failed"])
def test_no_answer_scores_nothing(what: str) -> None:
    found = answers(question(answers=("15",)), outcome(outcome=what, text="15"))
    assert found == {"found@5": 0, "exact_match": 0, "f1": 0, "contains": 0, "rouge_l": 0}


@pytest.mark.parametrize(("rank", "found"), [(1, 1), (5, 1), (6, 0)])
@pytest.mark.parametrize("what", ["answered", "refused"])
def test_a_gold_answer_is_found_in_the_first_five_passages_whatever_is_answered(
    rank: int, found: float, what: str
) -> None:
    texts = ["It takes **Fifteen** days." if place == rank else "nothing" for place in range(1, 8)]
    passages = tuple(
        Passage(rank=place, node=str(place), document="a.md", score=1.0, fate="in context", text=text)
        for place, text in enumerate(texts, 1)
    )
    asked = question(answers=("fifteen days",))
    assert answers(asked, outcome(outcome=what, text="x", passages=passages))["found@5"] == found


def test_only_answerable_questions_with_gold_answers_are_measured() -> None:
    assert answers(question(answers=("15",), answerable=False), outcome(text="15")) == {}
    assert answers(question("a.md"), outcome(text="15")) == {}


def test_a_number_is_compared_in_the_language_of_the_question() -> None:
    said = outcome(text="共15天")
    assert answers(question(answers=("15",), language="zh"), said)["f1"] == pytest.approx(0.5)
    assert answers(question(answers=("15",), language="en"), said)["f1"] == 0


@pytest.mark.parametrize(
    ("text", "gold", "held"),
    [
        ("It is ＡＢＣ 123.", "abc-123", True),
        ("年假有 15 天。", "15天", True),
        ("fifty", "15", False),
        ("x", "…", False),
    ],
)
def test_containing_ignores_case_width_space_and_punctuation(text: str, gold: str, held: bool) -> None:
    assert contains(text, [gold]) is held


def test_an_answer_without_end_is_cut() -> None:
    found = answers(question(answers=("needle",)), outcome(text="hay " * LONGEST + "needle"))
    assert found["contains"] == found["f1"] == 0

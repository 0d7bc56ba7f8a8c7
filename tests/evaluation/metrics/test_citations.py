from __future__ import annotations

from typing import Any

import pytest

from pipelines.evaluation.metrics.citations import citations
from pipelines.evaluation.outcomes import Cited, Outcome, Said, Span
from pipelines.evaluation.questions import Evidence
from tests.evaluation.metrics.parts import outcome, question


def cited(quote: str, number: int = 1, **values: Any) -> Cited:
    return Cited(**{"number": number, "document": "a.md", "quote": quote, **values})


def answer(sentence: str, *quotes: str, supported: bool = True) -> Outcome:
    numbers = tuple(range(1, len(quotes) + 1))
    return outcome(
        sentences=(Said(text=sentence, citations=numbers, supported=supported),),
        citations=tuple(cited(quote, number) for number, quote in enumerate(quotes, 1)),
    )


@pytest.mark.parametrize(
    ("sentence", "quotes", "held"),
    [
        ("Staff get 15 days of leave.", ["Full-time staff get 15 days of annual leave."], 1),
        ("Staff get 16 days of leave.", ["Full-time staff get 15 days of annual leave."], 0),
        ("Staff get 15 days.", ["Staff get fifteen days."], 0),
        ("Staff get 10 days.", ["Staff get ten days."], 1),
        ("Contractors never travel by train.", ["Staff travel by plane."], 0),
        ("1. Staff get 15 days.", ["Staff get 15 days."], 1),
        ("年假为十五天，须提前三天申请。", ["年假为十五天。", "申请须提前三天提交。"], 1),
        ("年假为十五天。", ["加班须由经理批准。"], 0),
        ("全职员工每年有15天年假。", ["Full-time staff get 15 days of annual leave."], 1),
        ("全职员工每年有16天年假。", ["Full-time staff get 15 days of annual leave."], 0),
        ("Staff get 15 days.", [], 0),
    ],
)
def test_the_quotes_must_hold_the_words_and_every_number(sentence: str, quotes: list[str], held: int) -> None:
    assert citations(question("a.md"), answer(sentence, *quotes))["supported"] == held


def test_what_the_answer_itself_calls_unsupported_is() -> None:
    said = answer("Staff get 15 days.", "Staff get 15 days.", supported=False)
    assert citations(question("a.md"), said)["supported"] == 0


def test_sentences_that_claim_nothing_do_not_count() -> None:
    sentences = (
        Said(text="Yes."),
        Said(text="The rules are as follows:"),
        Said(text="Staff get 15 days.", citations=(1,)),
    )
    said = outcome(sentences=sentences, citations=(cited("Staff get 15 days."),))
    assert citations(question("a.md"), said)["supported"] == 1
    assert "supported" not in citations(question("a.md"), outcome(sentences=sentences[:2]))


def test_citations_are_in_gold_documents_and_touch_the_evidence() -> None:
    spans = (Span(document="a.md", start=100, end=120),)
    touching, beside = cited("x", start=115, end=130), cited("x", start=120, end=130)
    elsewhere = cited("x", document="b.md", start=100, end=120)
    asked = question("a.md")
    found = citations(asked, outcome(citations=(touching, elsewhere), evidence=spans))
    assert (found["cites_gold"], found["cites_evidence"]) == (0.5, 1)
    found = citations(asked, outcome(citations=(beside, elsewhere), evidence=spans))
    assert (found["cites_gold"], found["cites_evidence"]) == (0.5, 0)


def test_what_can_not_be_measured_is_missing() -> None:
    spans = (Span(document="a.md", start=0, end=9),)
    adrift = outcome(citations=(cited("x"),), evidence=spans)
    assert citations(question("a.md"), adrift) == {"cites_gold": 1}
    assert citations(question(evidence=(Evidence("b.md", "x"),)), adrift) == {"cites_gold": 0}
    assert citations(question(answers=("x",)), outcome(citations=(cited("x"),))) == {}
    assert citations(question("a.md", answerable=False), adrift) == {}
    assert citations(question("a.md"), adrift.model_copy(update={"outcome": "from_model"})) == {}

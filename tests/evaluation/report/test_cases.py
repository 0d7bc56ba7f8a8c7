"""Why questions fail, and what of a passage is lit."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.evaluation.metrics import scores
from pipelines.evaluation.outcomes import Judgement, Outcome, Passage, Span
from pipelines.evaluation.questions import Evidence, Question
from pipelines.evaluation.report import cases
from tests.evaluation.samples import outcome, question

SPAN = Span(document="gold.md", start=100, end=110)


def why(asked: dict[str, Any], got: dict[str, Any]) -> list[str]:
    one = question("a", **asked)
    found = outcome(one, **got)
    return cases.reasons(one, found, scores(one, found))


def found_in(pairs: list[tuple[Question, Outcome]]) -> list[cases.Case]:
    return cases.cases(pairs, [scores(*pair) for pair in pairs])


@pytest.mark.parametrize(
    ("asked", "got", "reasons"),
    [
        ({}, {}, []),
        ({}, {"outcome": "failed"}, ["error"]),
        ({}, {"outcome": "refused"}, ["refused_wrongly"]),
        ({}, {"outcome": "refused", "rank": 0}, ["refused_wrongly", "not_found"]),
        ({"answerable": False}, {"outcome": "refused"}, []),
        ({"answerable": False}, {"outcome": "from_model"}, ["answered_wrongly"]),
        ({}, {"rank": 0}, ["not_found"]),
        ({"any_document": False, "documents": ("gold.md", "other2.md")}, {}, []),
        ({"any_document": False, "documents": ("gold.md", "away.md")}, {}, ["not_found"]),
        ({"documents": ("gold.md", "away.md")}, {}, []),
        ({}, {"says": "no"}, ["not_said"]),
        ({"answers": ("yes of course it is",)}, {"text": "it is so, yes of course", "sentences": ()}, []),
        ({"answers": ()}, {"says": "no"}, []),
        ({}, {"judged": {"relevant": Judgement(verdict=False)}}, ["judged_no"]),
        ({}, {"judged": {"relevant": Judgement(verdict=None)}}, []),
    ],
)
def test_reasons(asked: dict[str, Any], got: dict[str, Any], reasons: list[str]) -> None:
    assert why(asked, got) == reasons


def test_evidence_goes_before_documents() -> None:
    near = Passage(rank=1, node="n", document="gold.md", start=0, end=99, score=1, fate="in context")
    there = Passage(rank=2, node="m", document="gold.md", start=99, end=200, score=1, fate="below top_k")
    assert why({}, {"evidence": (SPAN,), "passages": (near,)}) == ["not_found"]
    assert why({}, {"evidence": (SPAN,), "passages": (near, there)}) == []
    assert why({}, {"evidence": (SPAN,), "passages": (near, there), "says": "no"}) == ["not_read"]


def test_order_and_documents() -> None:
    asked = [question(name) for name in "abc"]
    got = [outcome(asked[0], says="no"), outcome(asked[1]), outcome(asked[2], outcome="failed")]
    pairs = list(zip(asked, got, strict=True))
    found = found_in(pairs)
    assert [(case.question.id, case.reasons) for case in found] == [("c", ["error"]), ("a", ["not_said"])]
    assert cases.by_document(pairs, found) == [("gold.md", 2, 3)]


def test_gold_is_shown_whatever_its_rank() -> None:
    asked = question("a")
    names = ["x.md"] * 30 + ["gold.md"]
    passages = tuple(
        Passage(rank=rank, node=str(rank), document=name, score=1, fate="below top_k")
        for rank, name in enumerate(names, 1)
    )
    (case,) = found_in([(asked, outcome(asked, passages=passages, says="no"))])
    assert [each.passage.rank for each in case.passages] == [*range(1, 11), 31]
    assert case.passages[-1].gold
    assert case.left_out == 20


def lit(text: str, *, start: int | None = None, width: int = 700, **asked: Any) -> list[cases.Piece]:
    one = question("a", **asked)
    end = None if start is None else start + len(text)
    passage = Passage(rank=1, node="n", document="gold.md", start=start, end=end, score=1, fate="", text=text)
    return cases.lit(one, outcome(one, evidence=(SPAN,)), passage, width)


def test_evidence_by_its_offsets() -> None:
    proof = (Evidence("gold.md", "evidence10"),)
    text = "b" * 20 + "evidence10" + "a" * 20
    assert lit(text, start=80, evidence=proof) == [("b" * 20, False), ("evidence10", True), ("a" * 20, False)]
    assert lit(text[25:], start=105, evidence=proof) == [("nce10", True), ("a" * 20, False)]


def test_evidence_by_its_words_without_offsets() -> None:
    assert lit("An [odd. quote", evidence=(Evidence("gold.md", "[ODD."),)) == [
        ("An ", False),
        ("[odd.", True),
        (" quote", False),
    ]


def test_answers_where_there_is_no_evidence() -> None:
    pieces = lit("Yes, and\n\n\n yes essay", answers=("yes", "s e"))
    assert pieces == [("Yes", True), (", and\n ", False), ("yes e", True), ("ssay", False)]


def test_a_long_passage_is_cut_around_what_is_lit() -> None:
    pieces = lit("x" * 5_000 + "yes" + "y" * 5_000, width=300)
    assert pieces == [("…", False), ("x" * 120, False), ("yes", True), ("y" * 177 + "…", False)]
    assert lit("x" * 500, width=300) == [("x" * 300 + "…", False)]
    assert lit("") == []

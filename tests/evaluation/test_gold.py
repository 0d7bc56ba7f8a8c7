"""Where evidence stands in the documents as they are now, and what is told of a set that does not fit them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.evaluation.gold import Gold
from pipelines.evaluation.outcomes import Span
from pipelines.evaluation.questions import Evidence, Question
from tests.support.house import House

TEXT = "Badges are red.\n\nThe door is open.\nBadges are red.\n\nThe lift holds\neight people.\n"


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = House(tmp_path)
    house.write("a.txt", TEXT)
    house.ingest()
    return house


def asked(*evidence: Evidence) -> Question:
    return Question("q", "?", evidence=evidence)


def test_evidence_is_found_where_it_stood_or_nearest_to_it(house: House) -> None:
    gold = Gold(house.catalog())
    second = TEXT.rindex("Badges are red.")
    for start, expected in (
        (0, 0),
        (second, second),
        (second - 2, second),
        (3, 0),
        (9_999, second),
        (None, 0),
    ):
        spans, gone = gold.spans(asked(Evidence("a.txt", "Badges are red.", start)))
        assert (spans, gone) == ((Span(document="a.txt", start=expected, end=expected + 15),), 0)


def test_other_line_breaks_do_no_harm(house: House) -> None:
    ((span,), gone) = Gold(house.catalog()).spans(asked(Evidence("a.txt", "The lift holds  eight people.")))
    assert gone == 0 and TEXT[span.start : span.end] == "The lift holds\neight people."


def test_what_is_gone_is_counted(house: House) -> None:
    question = asked(
        Evidence("a.txt", "The door is shut."), Evidence("b.txt", "x"), Evidence("a.txt", "The door")
    )
    spans, gone = Gold(house.catalog()).spans(question)
    assert (len(spans), gone) == (1, 2)


def test_drift_is_told_with_names_and_numbers(house: House) -> None:
    questions = [
        Question("q1", "?", documents=("a.txt",), evidence=(Evidence("a.txt", "The door is open."),)),
        Question("q2", "?", documents=("gone.md",), evidence=(Evidence("a.txt", "It rained."),)),
        Question("q3", "?", documents=("gone.md", "a.txt")),
        Question("q4", "?"),
        Question("q5", "?", answerable=False),
    ]
    told = Gold(house.catalog()).drift(questions).told()
    assert told == [
        "1 questions have no gold (answers, documents or evidence), so only their time and cost are measured: q4",
        "1 gold documents of 2 questions are not in the index: gone.md",
        "1 of 2 pieces of evidence are no longer in the documents: the set was made for another version of them",
    ]
    assert Gold(house.catalog()).drift(questions[:1]).told() == []


def test_a_quote_with_signs_of_an_expression_is_only_text(house: House) -> None:
    spans, gone = Gold(house.catalog()).spans(asked(Evidence("a.txt", "(a+)+$ [")))
    assert (spans, gone) == ((), 1)

"""Questions that people flagged in use become questions of a set, none twice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.catalog import answers
from pipelines.catalog.answers import Flagged, flagged
from pipelines.evaluation.flagged import questions_of
from pipelines.evaluation.questions import read_questions
from pipelines.querying.knowledge_base import KnowledgeBase
from tests.support.cli import searchask
from tests.support.house import House

CITED = {"number": 1, "document": "a.md", "quote": "It opens at\neight.", "start": 7}


def given(question: str, good: bool, outcome: str = "answered", **answer: object) -> Flagged:
    return Flagged(1, question, outcome, good, "", {"citations": [CITED], **answer})


def test_a_thumb_up_is_gold() -> None:
    (question,) = questions_of([given(" When does it open? ", True)])
    assert (question.text, question.answers, question.documents) == (
        "When does it open?",
        ("It opens at eight.",),
        ("a.md",),
    )
    assert [each.to_dict() for each in question.evidence] == [
        {"document": "a.md", "quote": "It opens at\neight.", "start": 7}
    ]


def test_a_thumb_down_is_to_be_reviewed() -> None:
    (question,) = questions_of([given("When does it open?", False)])
    assert not question.gold
    assert question.more["suggested"] == {"documents": ["a.md"], "outcome": "answered"}


def test_a_refusal_that_was_right_has_no_answer() -> None:
    (question,) = questions_of([given("Who is it?", True, "refused", citations=[])])
    assert not question.answerable
    assert question.gold


def test_the_latest_judgement_of_a_question_counts() -> None:
    (question,) = questions_of([given("When?", False), given("When?", True)])
    assert question.more["thumb"] == "down"


@pytest.mark.parametrize("answer", [{"citations": None}, {"citations": [3, {}]}, {"citations": "x"}])
def test_an_answer_of_an_odd_shape(answer: dict[str, object]) -> None:
    (question,) = questions_of([given("When?", True, **answer)])
    assert not question.documents


def test_through_the_command(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.fill(3)
    house.ingest()
    to = tmp_path / "q.jsonl"
    assert "0 questions added" in searchask("questions", "add", house.file, "--flagged", "--to", to).out
    assert not to.exists()
    with KnowledgeBase(house.config) as base:
        right, wrong = base.ask("When does the cafeteria open?"), base.ask("北京地铁有几条线路？")
        assert right.id and wrong.id
        assert right.outcome == "answered"
        engine = base.index.catalog.engine
        answers.rate(engine, right.id, good=True)
        answers.rate(engine, wrong.id, good=False, comment="错了")
        assert [each.id for each in flagged(engine)] == [wrong.id, right.id]
    said = searchask("questions", "add", house.file, "--flagged", "--to", to)
    assert (said.code, said.err) == (0, "")
    assert "2 questions added" in said.out
    assert "1 with gold, 1 to review" in said.out
    found = {each.text: each for each in read_questions(to)}
    good = found["When does the cafeteria open?"]
    assert good.documents[0].startswith("doc00")
    assert "cafeteria opens at eight" in good.evidence[0].quote
    assert found["北京地铁有几条线路？"].more["comment"] == "错了"
    before = to.read_bytes()
    again = searchask("questions", "add", house.file, "--flagged", "--to", to)
    assert "0 questions added" in again.out
    assert "2 were there already" in again.out
    assert to.read_bytes() == before
    check = searchask("questions", "check", house.file, "--questions", to)
    assert check.code == 0
    assert "no gold" in check.err


def test_what_it_needs(tmp_path: Path) -> None:
    house = House(tmp_path)
    assert searchask("questions", "add", house.file, "--to", tmp_path / "q.jsonl").code == 2
    assert searchask("questions", "add", house.file, "--flagged", "--to", tmp_path / "q.jsonl").code == 2


def test_check_tells_what_is_gone(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.fill(2)
    house.ingest()
    rows = [
        {
            "question": "a?",
            "documents": ["doc000.md"],
            "evidence": [{"document": "doc000.md", "quote": "eight"}],
        },
        {
            "question": "b?",
            "documents": ["doc001.md"],
            "evidence": [{"document": "doc001.md", "quote": "gone it is"}],
        },
        {"question": "c?", "documents": ["never\x1b[31m.md"], "answers": ["x"]},
    ]
    file = tmp_path / "q.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    said = searchask("questions", "check", house.file, "--questions", file)
    assert said.code == 1
    assert "evidence: 1 of 2 pieces are in the documents" in said.out
    assert "1 of 2 pieces of evidence are no longer in the documents" in said.err
    assert "never" in said.err
    assert "\x1b" not in said.text

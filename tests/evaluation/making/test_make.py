"""A whole set: stratified, split by document, the same for a seed, with questions that the index does not answer."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from pipelines.evaluation.gold import Gold
from pipelines.evaluation.making.chunks import read, rows
from pipelines.evaluation.making.make import Order, make
from pipelines.evaluation.making.unanswerable import ANSWERED
from pipelines.evaluation.questions import question_id
from tests.evaluation.making.samples import CASTLE, library
from tests.support.cli import searchask
from tests.support.house import House


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> House:
    return library(tmp_path_factory.mktemp("library"))


def test_one_question_of_each_document_before_a_second(full: House) -> None:
    made = make(full.config, Order(8, unanswerable=0))
    documents = Counter(each.documents[0] for each in made.questions)
    assert documents == dict.fromkeys(("handbook.md", "手册.md", "Neuhaus Castle.txt", "沈砚.txt"), 2)
    assert (made.covered, made.documents) == (4, 4)
    assert {each.language for each in made.questions} == {"en", "zh"}


def test_evidence_stands_where_it_is_said_to(full: House) -> None:
    made = make(full.config, Order(30, unanswerable=0))
    catalog = full.catalog()
    drift = Gold(catalog).drift(made.questions)
    documents = filter(None, (read(catalog, row) for row in rows(catalog, 0)))
    texts = {document.path: document.text for document in documents}
    catalog.close()
    assert (drift.gone, drift.unknown, drift.without_gold) == (0, {}, ())
    assert drift.evidence == len(made.questions)
    for question in made.questions:
        assert question.id == question_id(question.text)
        evidence = question.evidence[0]
        assert texts[question.documents[0]].startswith(evidence.quote, evidence.start or 0)


def test_no_document_is_on_both_sides_of_the_split(full: House) -> None:
    made = make(full.config, Order(20, unanswerable=0, test_share=0.5))
    splits: dict[str, set[str]] = {}
    for question in made.questions:
        splits.setdefault(question.split, set()).update(question.documents)
    assert {name: len(found) for name, found in splits.items()} == {"train": 2, "test": 2}
    assert not splits["train"] & splits["test"]
    assert {each.split for each in make(full.config, Order(9, test_share=1)).questions} == {"test"}


def test_a_seed_gives_the_same_set(full: House) -> None:
    one, again, other = (make(full.config, Order(10, seed=seed)).questions for seed in (3, 3, 4))
    assert one == again
    assert one != other


def test_a_language_alone(full: House) -> None:
    made = make(full.config, Order(10, language="zh", unanswerable=0.3))
    assert {each.language for each in made.questions} == {"zh"}
    assert sum(not each.answerable for each in made.questions) == 3


def test_stock_questions_are_searched_for_first(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.write(
        "pool.md",
        "# Pool\n\nThe swimming pool opens at noon on public holidays. The pool costs 4 euros a visit.\n",
    )
    house.ingest()
    made = make(house.config, Order(60, language="en", unanswerable=1))
    asked = [each.text for each in made.questions]
    assert "When does the swimming pool open on public holidays?" not in asked
    assert made.dropped[ANSWERED] >= 1
    assert len(asked) > 20
    assert not any(each.answerable for each in made.questions)
    assert "--removed" in made.why[0]


def test_questions_of_removed_documents(full: House, tmp_path: Path) -> None:
    removed = tmp_path / "removed"
    removed.mkdir()
    (removed / "Wolkenburg Abbey.txt").write_text(
        "Wolkenburg Abbey (built 1201) is a ruined monastery in the hills. Wolkenburg Abbey was destroyed in 1632.",
        encoding="utf-8",
    )
    (removed / "Neuhaus Castle.txt").write_text(CASTLE, encoding="utf-8")  # the index holds it all the same
    made = make(full.config, Order(12, unanswerable=0.5, removed=(removed,)))
    refused = [each for each in made.questions if not each.answerable]
    assert refused
    assert {each.more["of"] for each in refused} == {"Wolkenburg Abbey.txt"}
    assert all(each.documents == () and each.answers == () for each in refused)
    assert any("removed documents gave no more" in line for line in made.why)


def test_removed_documents_of_another_config(full: House, tmp_path: Path) -> None:
    other = House(tmp_path)
    other.write("Wolkenburg Abbey.txt", "Wolkenburg Abbey (built 1201) is a ruined monastery in the hills.")
    other.ingest()
    made = make(full.config, Order(4, unanswerable=0.25, removed=(other.file,)))
    assert [each.text for each in made.questions if not each.answerable] == ["What is Wolkenburg Abbey?"]


def test_stopped_in_the_middle_it_keeps_what_was_made(full: House) -> None:
    done = [0]

    def report(made: int, wanted: int) -> None:
        done[0] = made

    made = make(full.config, Order(20), report=report, stopped=lambda: done[0] >= 3)
    assert len(made.questions) == 3
    assert made.why[-1] == "interrupted"


def test_the_command(full: House, tmp_path: Path) -> None:
    out = tmp_path / "sets" / "q.jsonl"
    said = searchask("questions", "make", full.file, "--count", 10, "--out", out)
    assert said.code == 0
    assert "stock (unanswerable)" in said.out
    assert "asked of 4 of 4 documents" in said.out
    assert searchask("questions", "check", full.file, "--questions", out).code == 0
    again = searchask("questions", "make", full.file, "--count", 10, "--out", out)
    assert (again.code, again.out) == (2, "")
    assert "exists already" in again.err


def test_fewer_than_asked_says_why(full: House, tmp_path: Path) -> None:
    said = searchask("questions", "make", full.file, "--count", 500, "--out", tmp_path / "q.jsonl", "--json")
    assert said.code == 1
    told = said.json
    assert told["questions"] < 500
    assert any("no more questions of use in 4 documents" in line for line in told["why"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--count", 0), "--count"),
        (("--unanswerable", 2), "--unanswerable"),
        (("--test-share", -1), "--test-share"),
        (("--removed", "nowhere", "--count", 2), "nowhere"),
    ],
)
def test_orders_that_make_no_sense(full: House, tmp_path: Path, words: tuple[object, ...], said: str) -> None:
    out = tmp_path / "q.jsonl"
    told = searchask("questions", "make", full.file, "--out", out, *words)
    assert told.code == 2
    assert said in told.err
    assert not out.exists()


def test_before_anything_is_ingested(tmp_path: Path) -> None:
    told = searchask("questions", "make", House(tmp_path).file, "--out", tmp_path / "q.jsonl")
    assert told.code == 2
    assert "nothing is ingested yet" in told.err

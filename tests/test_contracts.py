"""The JSON that other programs read: exact keys and types, exit codes, and spans that hold what they say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support import files
from tests.support.cli import Said, searchask
from tests.support.house import House

Shape = Any
"""A type, a tuple of types, a list of one shape, a dict of shapes by key, or a dict of one shape by `str`."""

number = (int, float)
text_or_none = (str, type(None))
number_or_none = (int, type(None))

PLAN: Shape = {
    "counts": dict.fromkeys(("new", "changed", "stale", "moved", "vanished", "failed", "unchanged"), int),
    "documents": [{"document": str, "action": str, "reason": str, "loader": str}],  # loader is extra
    "estimate": {"tokens": int, "cost": (int, float, type(None))},  # extra
}
INGEST: Shape = {
    "job": int,
    "outcome": str,
    "documents": {"done": int, "failed": int, "read": int},  # read is extra
    "chunks": {"written": int, "removed": int, "cut": int},  # cut is extra
    "embedded": {"texts": int, "tokens": int, "from_cache": int},
    "seconds": number,
}
STOPPED: Shape = {**INGEST, "error": str}  # extra, only where an endpoint stopped the run
CANDIDATE: Shape = {
    "rank": int,
    "document": str,
    "page": number_or_none,
    "score": float,
    "text": str,
    "start": number_or_none,
    "end": number_or_none,
    "by": {str: {"rank": int, "score": float}},
}
RETRIEVE: Shape = {"question": str, "candidates": [CANDIDATE]}
CITATION: Shape = {
    "number": int,
    "document": str,
    "page": number_or_none,
    "heading": str,
    "quote": str,
    "start": number_or_none,
    "end": number_or_none,
}
ASK: Shape = {"question": str, "outcome": str, "text": str, "citations": [CITATION], "trace": dict}
USE: Shape = {
    "day": str,
    "kind": str,
    "engine": str,
    "model": str,
    "calls": int,
    "tokens_in": int,
    "tokens_out": int,
    "money": (int, float, type(None)),
}
USAGE: Shape = {
    "days": int,
    "rows": [USE],
    "total": {"calls": int, "tokens_in": int, "tokens_out": int, "money": (int, float, type(None))},
}
DOCUMENTS: Shape = [
    {"document": str, "loader": str, "state": str, "chunks": int, "encoding": str, "error": str}
]


def check(value: Any, shape: Shape, place: str = "it") -> None:
    """See that a JSON value has a shape: every key that is asked for, and no other."""
    if isinstance(shape, dict) and set(shape) == {str}:
        assert isinstance(value, dict), place
        for key, each in value.items():
            check(each, shape[str], f"{place}.{key}")
    elif isinstance(shape, dict):
        assert isinstance(value, dict), place
        assert set(value) == set(shape), place
        for key, wanted in shape.items():
            check(value[key], wanted, f"{place}.{key}")
    elif isinstance(shape, list):
        assert isinstance(value, list), place
        for index, each in enumerate(value):
            check(each, shape[0], f"{place}[{index}]")
    else:
        assert isinstance(value, shape), f"{place} is {value!r}"
        assert not isinstance(value, bool), place


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """Documents of several kinds, ingested; only looked at."""
    house = House(tmp_path_factory.mktemp("house"))
    house.fill(4)
    pages = [["# Opening", "The library opens at nine."], ["The pool opens at seven on weekdays."]]
    (house.docs / "hours.pdf").write_bytes(files.pdf(pages))
    (house.docs / "alt.txt").write_bytes("游泳池早上七点开门，晚上十点关门。".encode("gb18030") * 3)
    (house.docs / "table.docx").write_bytes(files.docx(rows=[["part", "price"], ["R123-78", "12.50"]]))
    house.write("bad.json", '{"a": }')
    assert searchask("ingest", house.file).code == 1
    return house


QUESTIONS = [
    "When does the pool open on weekdays?",
    "工作满一年的员工有几天年假？",
    "R123-78",
    "cafeteria 八点",
    "年",
]


def test_plan(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.fill(2)
    said = searchask("plan", house.file, "--json")
    check(said.json, PLAN)
    assert said.code == 0
    assert said.json["documents"][0] == {
        "document": "doc000.md",
        "action": "new",
        "reason": "not in the index",
        "loader": "files",
    }
    assert said.json["estimate"]["tokens"] > 0


def test_plan_lists_what_is_not_unchanged(house: House) -> None:
    plan = searchask("plan", house.file, "--json").json
    check(plan, PLAN)
    assert sum(plan["counts"].values()) == 8
    assert len(plan["documents"]) == 8 - plan["counts"]["unchanged"] == 1


def test_the_price_is_part_of_a_plan_where_the_config_gives_one(tmp_path: Path) -> None:
    model = {"type": "openai_like", "model": "m", "base_url": "http://127.0.0.1:9/v1", "price": 2.0}
    house = House(tmp_path, {"embed_model": model})
    house.fill(2)
    estimate = searchask("plan", house.file, "--json").json["estimate"]
    assert estimate["cost"] == pytest.approx(estimate["tokens"] * 2e-6)
    assert "at 2.0 per million" in searchask("plan", house.file).out


def test_ingest(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.fill(2)
    house.write("bad.json", "{")
    said = searchask("ingest", house.file, "--json")
    check(said.json, INGEST)
    assert said.code == 1
    assert said.json["outcome"] == "failed"
    assert said.json["documents"] == {"done": 2, "failed": 1, "read": 2}
    assert said.json["chunks"] == {"written": 4, "removed": 0, "cut": 4}
    assert said.json["embedded"]["texts"] == 4
    again = searchask("ingest", house.file, "--json")
    check(again.json, INGEST)
    assert (again.code, again.json["outcome"], again.json["job"]) == (0, "done", said.json["job"] + 1)


def test_ingest_that_an_endpoint_stopped(tmp_path: Path) -> None:
    model = {"type": "openai_like", "model": "m", "base_url": "http://127.0.0.1:9/v1", "retries": 0}
    house = House(tmp_path, {"embed_model": model})
    house.fill(2)
    said = searchask("ingest", house.file, "--json")
    check(said.json, STOPPED)
    assert (said.code, said.json["outcome"]) == (1, "failed")


def test_an_ingestion_that_is_refused_prints_no_json(tmp_path: Path) -> None:
    said = searchask("ingest", House(tmp_path).file, "--json")
    assert (said.code, said.out) == (2, "")
    assert said.err


def test_usage(house: House) -> None:
    said = searchask("usage", house.file, "--json").json
    check(said, USAGE)
    assert [row["kind"] for row in said["rows"]] == ["ingestion"]
    assert said["total"]["tokens_in"] == said["rows"][0]["tokens_in"] > 0


def test_documents(house: House) -> None:
    rows = searchask("documents", house.file, "--json").json
    check(rows, DOCUMENTS)
    by_name = {row["document"]: row for row in rows}
    assert len(by_name) == 8
    assert {row["state"] for row in rows} == {"done", "quarantined"}
    assert by_name["alt.txt"]["encoding"] == "gb18030"
    assert by_name["doc001.md"]["encoding"] == "utf-8"
    assert by_name["bad.json"]["error"].startswith("not valid JSON")
    assert all(row["chunks"] > 0 for row in rows if row["state"] == "done")


def test_documents_before_the_first_is_stored(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.write("empty.md", "")
    searchask("ingest", house.file)
    check(searchask("documents", house.file, "--json").json, DOCUMENTS)


@pytest.mark.parametrize("question", QUESTIONS)
def test_retrieve(house: House, question: str) -> None:
    found = searchask("retrieve", house.file, question, "--json").json
    check(found, RETRIEVE)
    assert found["question"] == question
    candidates = found["candidates"]
    assert candidates
    assert [each["rank"] for each in candidates] == list(range(1, len(candidates) + 1))
    scores = [each["score"] for each in candidates]
    assert scores == sorted(scores, reverse=True)
    assert all(each["by"]["both"]["rank"] == each["rank"] for each in candidates)
    assert {name for each in candidates for name in each["by"]} <= {"meaning", "words", "both"}


@pytest.mark.parametrize("question", QUESTIONS)
def test_spans_hold_what_they_say(house: House, question: str) -> None:
    texts = whole_texts(house)
    candidates = searchask("retrieve", house.file, question, "--json").json["candidates"]
    for each in candidates:
        assert texts[each["document"]][each["start"] : each["end"]] == each["text"]
    answer = searchask("ask", house.file, question, "--json").json
    for each in answer["citations"]:
        assert texts[each["document"]][each["start"] : each["end"]] == each["quote"]
        if each["document"] == "hours.pdf":
            assert each["page"] in (1, 2)
        else:
            assert each["page"] is None


def whole_texts(house: House) -> dict[str, str]:
    """The text of each document that has one."""
    catalog = house.catalog()
    active = catalog.generations.active()
    assert active is not None
    found = {row.path: catalog.text(row.load) for row in catalog.documents(active.id) if row.content}
    catalog.close()
    return {path: document.text for path, document in found.items() if document is not None}


def check_answer(answer: Any) -> None:
    """See that an answer is one, and agrees with itself."""
    check(answer, ASK)
    assert answer["outcome"] in ("answered", "refused", "from_model")
    numbers = [each["number"] for each in answer["citations"]]
    assert numbers == list(range(1, len(numbers) + 1))
    assert all(f"[{each}]" in answer["text"] for each in numbers)
    assert (answer["outcome"] == "answered") == bool(numbers)
    trace = answer["trace"]
    assert set(trace) == {
        "engine",
        "retriever",
        "language",
        "stages",
        "rewritten",
        "variants",
        "calls",
        "candidates",
        "prompt",
        "notes",
        "moderation",
        "embedded",
    }
    cited = {each["document"] for each in trace["candidates"] if each["fate"] == "cited"}
    assert cited == {each["document"] for each in answer["citations"]}


@pytest.mark.parametrize("question", QUESTIONS)
def test_ask(house: House, question: str) -> None:
    said = searchask("ask", house.file, question, "--json")
    check_answer(said.json)
    assert (said.code, said.json["question"]) == (0, question)


def test_a_refusal_cites_nothing(tmp_path: Path) -> None:
    house = House(tmp_path, {"retrievers": {"words": {"type": "keyword"}}})
    house.fill(2)
    searchask("ingest", house.file)
    answer = searchask("ask", house.file, "xylophone", "--json")
    check_answer(answer.json)
    assert (answer.code, answer.json["outcome"], answer.json["citations"]) == (0, "refused", [])
    assert searchask("retrieve", house.file, "xylophone", "--json").json["candidates"] == []


def lines(said: Said) -> list[Any]:
    """Standard output as one JSON value a line."""
    assert said.out.endswith("\n")
    return [json.loads(line) for line in said.out.removesuffix("\n").split("\n")]


def test_many_questions_one_line_each_in_order(house: House, tmp_path: Path) -> None:
    file = tmp_path / "questions.jsonl"
    rows = [{"question": question, "id": number} for number, question in enumerate(QUESTIONS)]
    text = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    file.write_text("\ufeff" + text + "\n\n", encoding="utf-8")
    asked = searchask("ask", house.file, "--questions", file, "--json")
    found = searchask("retrieve", house.file, "--questions", file)
    assert (asked.code, found.code, asked.err, found.err) == (0, 0, "", "")
    assert [each["question"] for each in lines(asked)] == QUESTIONS
    assert [each["question"] for each in lines(found)] == QUESTIONS
    for answer, retrieval, question in zip(lines(asked), lines(found), QUESTIONS, strict=True):
        check_answer(answer)
        check(retrieval, RETRIEVE)
        assert retrieval == searchask("retrieve", house.file, question, "--json").json


def test_an_empty_file_of_questions_gets_nothing(house: House, tmp_path: Path) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_text("\n")
    said = searchask("ask", house.file, "--questions", file)
    assert (said.code, said.text) == (0, "")

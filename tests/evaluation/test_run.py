"""Whole evaluations: real index, real answers, killed in the middle, endpoints that fail."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import SearchaskError, StorageError
from pipelines.evaluation import runs
from pipelines.evaluation.metrics import summary
from pipelines.evaluation.questions import Question, read_questions, write_questions
from pipelines.evaluation.run import HOPELESS, evaluate
from tests.evaluation.rooms import answerable, chat_model, rooms
from tests.support.chat_server import chat_server
from tests.support.house import House


@pytest.fixture
def house(tmp_path: Path) -> House:
    return rooms(tmp_path)


def with_llm(house: House, url: str, **more: Any) -> None:
    house.edit(
        llm=chat_model(url, **more), query_engines={"answer": {"retriever": "both", "postprocessors": []}}
    )


def test_every_question_has_an_outcome_with_its_evidence_in_place(house: House) -> None:
    run = evaluate(house.config, answerable(12), source="rooms.jsonl")
    assert run.header.state == "done" and len(run.pairs) == 12
    found = summary(run.pairs)
    assert found.failed == 0 and found.evidence_gone == 0
    assert found.metrics["span_hit@5"].count == 12
    text = (house.docs / "doc3.md").read_text()
    (span,) = run.outcomes["q3"].evidence
    assert text[span.start : span.end] == "Room 3 seats 13 people."
    assert run.header.documents == 6 and run.header.effective["node_parser.chunk_size"] == "64"
    assert set(run.header.fingerprints) >= {"load", "parse", "embed", "index", "graph", "engine", "questions"}


def test_answers_of_an_evaluation_are_not_kept_as_asked_by_a_person(house: House) -> None:
    evaluate(house.config, answerable(3), source="rooms.jsonl")
    with house.catalog().engine.connect() as connection:
        assert connection.exec_driver_sql("select count(*) from answers").scalar() == 0


def test_a_run_is_read_again_as_it_was(house: House) -> None:
    run = evaluate(house.config, answerable(5), source="rooms.jsonl")
    again = runs.load(run.folder)
    assert again.header == run.header and again.outcomes == run.outcomes and again.questions == run.questions
    assert runs.find_run(house.config.storage, "").header.id == run.header.id


def test_a_measured_run_is_given_again_where_that_is_asked_for(house: House) -> None:
    first = evaluate(house.config, answerable(3), source="rooms.jsonl")
    assert evaluate(house.config, answerable(3), source="x", again=False).header.id == first.header.id
    assert evaluate(house.config, answerable(3), source="x").header.id != first.header.id
    assert evaluate(house.config, answerable(4), source="x", again=False).header.id != first.header.id
    house.edit(
        retrievers={"meaning": {"type": "vector", "top_k": 2}},
        query_engines={"answer": {"retriever": "meaning"}},
    )
    other = evaluate(house.config, answerable(3), source="x", again=False)
    assert other.header.id != first.header.id
    assert other.header.fingerprints["engine"] != first.header.fingerprints["engine"]
    assert other.header.fingerprints["index"] == first.header.fingerprints["index"]


def test_another_version_of_the_documents_is_another_run(house: House) -> None:
    first = evaluate(house.config, answerable(3), source="x")
    house.write("doc0.md", "# Room 0\n\nRoom 0 is closed.\n")
    house.ingest()
    second = evaluate(house.config, answerable(3), source="x", again=False)
    assert second.header.id != first.header.id
    assert second.header.notes["en"] == (
        "1 of 3 pieces of evidence are no longer in the documents: the set was made for another version of them",
    )


def killed(house: House, questions: Path, when: Callable[[int], bool]) -> int:
    """Run `searchask eval` and kill it once it has asked so many; how many it had asked."""
    command = [sys.executable, "-m", "pipelines", "eval", str(house.file), "--questions", str(questions)]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        lines = sum(
            len(file.read_bytes().splitlines())
            for file in house.config.storage.glob("evaluations/*/outcomes.jsonl")
        )
        if when(lines):
            os.kill(child.pid, signal.SIGKILL)
            child.wait()
            return lines
        assert child.poll() is None, "it ended before it could be killed"
        time.sleep(0.01)
    raise AssertionError("it did not get that far")


def test_a_run_of_300_questions_killed_in_the_middle_goes_on_where_it_stopped(
    house: House, tmp_path: Path
) -> None:
    write_questions(tmp_path / "q.jsonl", answerable(300))
    before = killed(house, tmp_path / "q.jsonl", lambda lines: lines >= 40)
    (header,) = runs.headers(house.config.storage)
    assert header.state == "running" and before < 300
    held = runs.load(house.config.storage / runs.FOLDER / header.id).outcomes
    told: list[tuple[int, int]] = []
    run = evaluate(
        house.config,
        read_questions(tmp_path / "q.jsonl"),
        source=str(tmp_path / "q.jsonl"),
        report=lambda progress: told.append((progress.resumed, progress.done)),
    )
    assert run.header.id == header.id and run.header.state == "done"
    assert told[0] == (len(held), len(held)) and told[-1] == (len(held), 300)
    assert {key: run.outcomes[key] for key in held} == held  # what was asked was not asked again
    lines = (run.folder / "outcomes.jsonl").read_bytes().splitlines()
    assert len(lines) == 300 == len({json.loads(line)["id"] for line in lines})


def test_half_a_line_of_a_killed_run_is_asked_again(house: House) -> None:
    run = evaluate(house.config, answerable(4), source="x")
    file = run.folder / "outcomes.jsonl"
    file.write_bytes(file.read_bytes()[:-20])
    run.change(state="running")
    again = evaluate(house.config, answerable(4), source="x")
    assert again.header.id == run.header.id and len(again.pairs) == 4
    assert all(json.loads(line) for line in file.read_bytes().splitlines())


def test_two_at_once_do_not_share_a_run(house: House) -> None:
    run = evaluate(house.config, answerable(3), source="x")
    run.change(state="running")
    with runs.alone(run), pytest.raises(StorageError, match="another process is at it"):
        evaluate(house.config, answerable(3), source="x")


def test_a_stop_keeps_what_was_asked_and_the_next_run_goes_on(house: House) -> None:
    seen: list[int] = []
    run = evaluate(
        house.config,
        answerable(10),
        source="x",
        report=lambda progress: seen.append(progress.done),
        stopped=lambda: bool(seen) and seen[-1] >= 4,
    )
    assert (run.header.state, run.header.why) == ("stopped", "interrupted") and 4 <= len(run.pairs) < 10
    again = evaluate(house.config, answerable(10), source="x")
    assert again.header.id == run.header.id and len(again.pairs) == 10


def test_an_endpoint_that_fails_for_some_questions_is_reported_and_not_fatal(house: House) -> None:
    with chat_server("Room seats many people [1].") as server:
        with_llm(house, server.url)
        tally = [0]
        plain = server.next_reply

        def sometimes() -> str:
            tally[0] += 1
            if tally[0] in (3, 7, 11):
                raise ConnectionResetError
            return plain()

        server.next_reply = sometimes  # type: ignore[method-assign]
        run = evaluate(house.config, answerable(20), source="x", judge=False, workers=1)
    found = summary(run.pairs)
    assert run.header.state == "done" and found.outcomes["failed"] == 3
    failed = [outcome for _, outcome in run.pairs if outcome.outcome == "failed"]
    assert all(server.url in each.error and "Traceback" not in each.error for each in failed)


def test_an_endpoint_that_never_answers_ends_the_run_soon(house: House) -> None:
    with chat_server("no", status=500) as server:
        with_llm(house, server.url)
        run = evaluate(house.config, answerable(60), source="x", workers=1)
    assert run.header.state == "stopped" and len(run.pairs) < 20
    assert run.header.why.startswith(f"{HOPELESS} questions failed, and none was answered: ")


def test_a_limit_ends_the_run_and_what_was_asked_is_kept(house: House) -> None:
    with chat_server("Room 0 seats 10 people [1].") as server:
        with_llm(house, server.url, price={"input": 1.0, "output": 1.0})
        house.edit(limits={"per_day": {"tokens": 1200}})
        run = evaluate(house.config, answerable(40), source="x", judge=False, workers=1)
    assert run.header.state == "stopped" and "limits.per_day.tokens" in run.header.why
    assert 0 < len(run.pairs) < 40
    spent = [outcome.money for _, outcome in run.pairs]
    assert all(money is not None and money > 0 for money in spent)


def test_a_judge_that_answers_nonsense_is_counted_and_is_no_pass(house: House) -> None:
    with chat_server("Badges are issued by the front desk [1].", "purple", "yes", "", "no") as server:
        with_llm(house, server.url)
        run = evaluate(house.config, answerable(2), source="x", workers=1)
    found = summary(run.pairs)
    assert run.header.judge == "m"
    assert found.judge_nonsense >= 1
    judged = [outcome.judged for _, outcome in run.pairs if outcome.judged]
    assert judged and all(
        each.verdict is None for row in judged for each in row.values() if each.reply == "purple"
    )
    assert found.judge_tokens > 0


def test_a_question_that_is_empty_after_cleaning_fails_alone(house: House) -> None:
    run = evaluate(house.config, [*answerable(2), Question("bad", "\x00 \x01")], source="x")
    assert run.outcomes["bad"].outcome == "failed" and run.outcomes["bad"].error == "the question is empty"
    assert run.header.state == "done"


def test_ids_of_runs_are_no_paths(house: House) -> None:
    evaluate(house.config, answerable(2), source="x")
    for name in ("../evaluations", "/etc", "a/b", ".."):
        with pytest.raises(SearchaskError):
            runs.find_run(house.config.storage, name)

"""`searchask eval` as a person calls it."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from pipelines.evaluation import runs
from pipelines.evaluation.questions import Question, write_questions
from tests.evaluation.rooms import a_set, asked, chat_model, rooms
from tests.support.chat_server import chat_server
from tests.support.cli import ROOT, Said, command, refused, searchask
from tests.support.house import House

KEYS = {
    *("run", "questions", "outcomes", "metrics", "refusals", "seconds", "stages", "tokens", "judge_tokens"),
    *("money", "judge_nonsense", "evidence_gone", "failed", "report"),
}
HEADER = {
    *("id", "key", "state", "why", "started", "finished", "config", "engine", "effective", "fingerprints"),
    *("alone", "documents", "chunks", "questions", "count", "judge", "versions", "notes"),
}
"""What other programs may rely on."""


@pytest.fixture
def house(tmp_path: Path) -> House:
    return rooms(tmp_path)


def measured(house: House, *words: object, count: int = 12) -> Said:
    return searchask("eval", house.file, "--questions", a_set(house, count), *words)


def test_a_table_with_the_means_and_where_the_report_is(house: House) -> None:
    said = measured(house)
    assert said.code == 0, said.text
    lines = said.out.splitlines()
    assert lines[0].startswith(
        f"{house.file}, engine answer: 12 questions over 6 documents in 6 chunks; run "
    )
    (row,) = [line.split() for line in lines if line.startswith("hit@10 ")]
    assert row[1:3] == ["1", "10"]  # two of the twelve have no gold document
    assert any(line.startswith("refusals: precision ") for line in lines)
    assert any(line.startswith("time to the whole answer: p50 ") for line in lines)
    report = Path(lines[-1].removeprefix("report: "))
    assert report.parent.parent == house.config.storage / runs.FOLDER
    assert "Evaluation of engine answer" in report.read_text("utf-8")


def test_json_has_the_header_the_summary_and_the_report(house: House, tmp_path: Path) -> None:
    said = measured(house, "--json", "--report", tmp_path / "deep" / "r.html")
    assert (said.code, said.err) == (0, "")
    told = said.json
    assert told.keys() == KEYS and told["run"].keys() == HEADER
    assert told["run"]["state"] == "done" and told["run"]["count"] == told["questions"] == 12
    assert told["run"]["alone"] is False and told["run"]["notes"] == {"en": [], "zh": []}
    assert told["metrics"]["hit@10"] == {"mean": 1.0, "count": 10}
    assert sum(told["outcomes"].values()) == 12 and told["failed"] == 0
    assert told["report"] == str(tmp_path / "deep" / "r.html") and Path(told["report"]).exists()


def test_one_split_of_the_set(house: House) -> None:
    assert measured(house, "--split", "test", "--json").json["questions"] == 6
    refused(measured(house, "--split", "dev"), "no question is of the split 'dev'; there are: test, train")


def test_runs_are_listed_and_shown_again(house: House) -> None:
    assert searchask("eval", house.file, "--list").out == "nothing was evaluated yet\n"
    refused(searchask("eval", house.file, "--show"), "nothing was evaluated yet")
    first, second = measured(house, "--json").json["run"]["id"], measured(house, "--json").json["run"]["id"]
    listed = searchask("eval", house.file, "--list").out.splitlines()
    assert [line.split()[0] for line in listed] == ["run", second, first]
    assert all(line.endswith("done") for line in listed[1:])
    assert searchask("eval", house.file, "--show", "--json").json["run"]["id"] == second
    assert searchask("eval", house.file, "--show", first, "--json").json["run"]["id"] == first
    refused(searchask("eval", house.file, "--show", "none-such"), "holds no run of an evaluation")
    refused(searchask("eval", house.file, "--show", "../x"), "is no id of a run")


def test_an_unknown_engine_is_named_with_those_that_there_are(house: House) -> None:
    refused(measured(house, "--engine", "nonsense"), "nonsense", "answer")


def test_questions_that_fail_are_told_and_the_exit_code_says_so(house: House) -> None:
    write_questions(house.root / "bad.jsonl", [*asked(3), Question("bad", "\x01")])
    said = searchask("eval", house.file, "--questions", house.root / "bad.jsonl")
    assert said.code == 1 and "failed: bad: the question is empty" in said.err
    assert "1 failed" in said.out and "report: " in said.out


def test_an_endpoint_that_never_answers(house: House) -> None:
    with chat_server("no", status=500) as server:
        house.edit(llm=chat_model(server.url), query_engines={"answer": {"retriever": "both"}})
        said = measured(house, "--workers", "1", count=40)
    assert said.code == 1
    assert "of 40 questions: 10 questions failed, and none was answered: m at http" in said.err


def test_a_judge_that_fails_midway_keeps_what_it_said_and_what_it_took(house: House) -> None:
    with chat_server("Room 0 seats 10 people [1].", "yes", "") as server:
        house.edit(
            llm=chat_model(server.url), query_engines={"answer": {"retriever": "both", "postprocessors": []}}
        )
        plain = server.next_reply

        def third_fails() -> str:
            if len(server.requests) == 3:
                raise ConnectionResetError
            return plain()

        server.next_reply = third_fails  # type: ignore[method-assign]
        said = measured(house, "--workers", "1", "--json", count=1)
        shown = searchask("eval", house.file, "--show")
    assert said.code == 0 and said.json["judge_tokens"] > 0
    assert said.json["metrics"]["grounded"] == {"mean": 1.0, "count": 1}
    assert "relevant" not in said.json["metrics"]
    assert "not judged: q0: judge: " in shown.err and server.url in shown.err


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("", "holds no question; a line of it would be"),
        ("\n\n", "holds no question"),
        ("nonsense\n", ":1: is no JSON"),
        ('{"question": "a?", "id": "x"}\n{"question": "b?", "id": "x"}\n', ":2: the id 'x' stands in line 1"),
    ],
)
def test_a_set_that_can_not_be_read(house: House, lines: str, told: str) -> None:
    (house.root / "q.jsonl").write_text(lines)
    refused(searchask("eval", house.file, "--questions", house.root / "q.jsonl"), told)


def test_wrong_arguments(house: House, tmp_path: Path) -> None:
    refused(searchask("eval", house.file), "which questions?")
    refused(
        searchask("eval", house.file, "--questions", tmp_path / "none.jsonl"), "none.jsonl: can't be read"
    )
    refused(measured(house, "--workers", "-1"), "--workers -1")
    refused(measured(house, "--report", house.docs), "can't be written")


def test_a_config_that_is_not_ingested(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.write("a.md", "# A\n\nA.\n")
    refused(measured(house), "searchask ingest")


def test_a_set_that_does_not_fit_the_documents(house: House) -> None:
    whole = [Question("bare", "What of it?"), Question("lost", "What?", documents=("gone.md",)), *asked(4)]
    write_questions(house.root / "old.jsonl", whole)
    house.write("doc1.md", "# Room 1\n\nRoom 1 is closed.\n")
    house.ingest()
    said = searchask("eval", house.file, "--questions", house.root / "old.jsonl")
    assert said.code == 0
    assert said.err.splitlines()[-3:] == [
        "note: 1 questions have no gold (answers, documents or evidence), so only their time and cost are measured: "
        "bare",
        "note: 1 gold documents of 1 questions are not in the index: gone.md",
        "note: 1 of 4 pieces of evidence are no longer in the documents: the set was made for another version of them",
    ]
    (header,) = runs.headers(house.config.storage)
    assert header.notes["zh"][2] == "4 处证据中有 1 处已不在文档中：该问题集是为文档的另一个版本制作的"


def test_a_model_alone_is_not_measured_by_documents(house: House) -> None:
    with chat_server("14 people, says the model.") as server:
        house.edit(llm=chat_model(server.url))
        del house.settings["loaders"]
        house.edit()
        said = measured(house, "--no-judge", "--json")
        shown = searchask("eval", house.file, "--show")
    told = said.json
    assert said.code == 0 and told["run"]["alone"] is True and told["run"]["notes"]["en"] == []
    assert told["outcomes"]["from_model"] == 12 and told["evidence_gone"] == 0
    assert set(told["metrics"]) >= {"contains", "f1", "seconds", "tokens"}
    assert not any(
        name.startswith(("hit@", "recall@", "span_", "found@", "cites")) for name in told["metrics"]
    )
    assert "12 questions over no documents" in shown.out
    assert "gold not found" not in Path(told["report"]).read_text("utf-8")


def test_ctrl_c_keeps_what_was_asked_and_the_same_command_goes_on(house: House) -> None:
    questions = a_set(house, 150)
    words = command("eval", house.file, "--questions", questions, "--json")
    child = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_for(house, child, 10)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)
    assert child.returncode == 130, err
    partial = json.loads(out)
    assert partial["run"]["state"] == "stopped" and 10 <= partial["questions"] < 150
    assert b"the same command goes on" in err and b"Traceback" not in err
    again = searchask("eval", house.file, "--questions", questions)
    assert again.code == 0, again.text
    assert f"goes on: {partial['questions']} of 150 questions were asked before" in again.err
    assert searchask("eval", house.file, "--show", "--json").json["run"]["id"] == partial["run"]["id"]


def wait_for(house: House, child: subprocess.Popen[bytes], lines: int) -> None:
    """Wait until a child has asked so many questions."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        files = house.config.storage.glob("evaluations/*/outcomes.jsonl")
        if sum(len(file.read_bytes().splitlines()) for file in files) >= lines:
            return
        assert child.poll() is None, child.communicate()
        time.sleep(0.01)
    raise AssertionError("it did not get that far")

"""`searchask compare` as a person calls it."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest

from pipelines.evaluation import indexes, runs
from pipelines.evaluation.questions import write_questions
from tests.evaluation.rooms import a_set, asked, chat_model, rooms, written
from tests.evaluation.test_eval_command import wait_for
from tests.support.chat_server import chat_server
from tests.support.cli import ROOT, Said, command, refused, searchask
from tests.support.house import House

SMALL = {"type": "sentence", "chunk_size": 24, "chunk_overlap": 0}
ONE = {
    "retrievers": {"meaning": {"type": "vector", "top_k": 1}},
    "query_engines": {"answer": {"retriever": "meaning"}},
}

PAIRED = set("n a b difference low high p wins losses test p_corrected".split())
FLIP = {"id", "question", "run", "better", "metrics", "before", "after"}
SET_UP = {"way", "documents", "tokens", "money", "seconds", "update_seconds"}
"""What other programs may rely on."""


@pytest.fixture
def house(tmp_path: Path) -> House:
    return rooms(tmp_path)


def compared(house: House, *words: object, count: int = 12) -> Said:
    return searchask("compare", *words, "--questions", a_set(house, count))


def test_two_node_parsers_side_by_side(house: House) -> None:
    small = written(house, "small.yaml", node_parser=SMALL)
    said = compared(house, house.file, small)
    assert said.code == 0, said.text
    assert "small.yaml: index built in " in said.err and " 6 documents, " in said.err
    assert "node_parser.chunk_size: 64 | 24" in said.out
    (head,) = [line for line in said.out.splitlines() if line.startswith("metric ")]
    assert head.split() == "metric questions config small difference 95% interval p".split()
    (row,) = [line.split() for line in said.out.splitlines() if line.startswith("hit@10 ")]
    assert row[1] == "10"
    assert "questions better" in said.out and "questions worse" in said.out
    (costs,) = [line for line in said.out.splitlines() if line.split()[:2] == ["small", "documents"]]
    assert "What it takes to set up" in Path(said.out.splitlines()[-1].removeprefix("report: ")).read_text(
        "utf-8"
    )
    assert house.agrees()
    again = compared(house, house.file, small)
    assert again.code == 0 and "index built" not in again.err  # nor is anything asked again
    assert len(runs.headers(house.config.storage)) == 2 and costs


def test_json_has_everything_that_the_tables_have(house: House) -> None:
    said = compared(house, house.file, written(house, "one.yaml", **ONE), "--json")
    assert (said.code, said.err) == (0, "")
    told = said.json
    assert told.keys() == {"runs", "metrics", "flips", "differing", "set_up", "report", "failing"}
    assert [each["name"] for each in told["runs"]] == ["config", "one"]
    assert all(each.keys() == {"name", "id", "engine", "summary"} for each in told["runs"])
    assert len(told["metrics"]["hit@5"]["means"]) == 2
    (against,) = told["metrics"]["hit@5"]["against_first"]
    assert against.keys() == PAIRED
    assert all(each.keys() == FLIP for each in told["flips"])
    assert all(each.keys() == SET_UP for each in told["set_up"])
    assert against["n"] == 10 and against["p_corrected"] is not None
    assert told["set_up"][0]["way"] == "documents embedded" and told["failing"] == []
    assert "query_engines.answer.retriever" in told["differing"] and Path(told["report"]).exists()


def test_conditions_that_fail_a_check(house: House) -> None:
    one = written(house, "one.yaml", **ONE)
    fails = compared(house, house.file, one, "--fail-if", "hit@10 < -0.01", "--fail-if", "hit < 2")
    assert fails.code == 1 and "failed: one: hit@5 differs by " in fails.err
    assert compared(house, house.file, one, "--fail-if", "hit < -2").code == 0
    listed = compared(house, house.file, one, "--fail-if", "hit < 2", "--json")
    assert listed.code == 1 and listed.json["failing"][0].startswith("one: hit@5 differs by ")
    refused(compared(house, house.file, one, "--fail-if", "nonsense"), "write a metric, one of < <= > >=")
    refused(compared(house, house.file, one, "--fail-if", "mmr < 0"), "no metric is called 'mmr'", "mrr")
    refused(
        compared(house, house.file, one, "--fail-if", "grounded < 0"),
        "grounded was not measured: no question of the set has it both in config and in one",
    )


def test_a_model_alone_beside_documents(house: House) -> None:
    with chat_server("It seats 10 people [1].") as server:
        model = chat_model(server.url, price={"input": 1.0, "output": 2.0})
        house.edit(llm=model, query_engines={"answer": {"retriever": "both", "postprocessors": []}})
        alone = written(house, "alone.yaml", storage="alone", llm=model)
        said = compared(house, house.file, alone, "--no-judge")
        told = compared(house, house.file, alone, "--no-judge", "--json").json
        gate = compared(house, house.file, alone, "--no-judge", "--fail-if", "mrr < 0")
        asked_before = len(server.requests)
        turned = compared(house, alone, house.file, "--no-judge", "--json")
    assert said.code == 0, said.text
    assert "note: " not in said.err
    lines = said.out.splitlines()
    (row,) = [line.split() for line in lines if line.startswith("hit@5 ")]
    assert row[1:] == ["–", row[2], "–", "–", "–", "–"]  # nothing to find, so that nothing is missed
    (with_documents,) = [line for line in lines if line.startswith("config  documents embedded")]
    (without,) = [line for line in lines if line.startswith("alone   nothing")]
    assert "contains 0.200 f1 " in with_documents and "contains 0.200 f1 " in without
    assert without.split()[-4:] == ["0.0000", "0.0", "s", "0.0", "s"][-4:]
    assert told["metrics"]["hit@5"]["means"][1] is None
    assert not {"hit@5", "found@5", "cites_gold"} & told["runs"][1]["summary"]["metrics"].keys()
    assert told["runs"][1]["summary"]["metrics"]["money"]["mean"] > 0
    refused(gate, "mrr@10 was not measured", "in alone")
    assert turned.code == 0 and turned.json["metrics"]["hit@5"]["means"][0] is None
    assert (
        len(server.requests) > asked_before
    )  # it keeps its runs in another storage, that of the first config


def test_a_fine_tuned_model_with_what_its_training_cost(house: House) -> None:
    with chat_server("It seats 10 people [1].") as server:
        price = {"input": 1.0, "output": 2.0, "training_price": 8.0}
        house.edit(llm=chat_model(server.url, price=price))
        tuned = written(
            house, "tuned.yaml", storage="tuned", llm=chat_model(server.url, "ft:m:one", price=price)
        )
        remember(house.config.storage, server.url)
        small = written(
            house, "small.yaml", node_parser=SMALL, storage="elsewhere", loaders=house.settings["loaders"]
        )
        told = compared(house, house.file, tuned, "--no-judge", "--json").json
        others = compared(house, tuned, house.file, "--no-judge", "--json").json
        with_parser = compared(house, small, tuned, house.file, "--no-judge")
    assert told["set_up"][1] == {
        "way": "model trained",
        "documents": 0,
        "tokens": 50_000,
        "money": 0.4,
        "seconds": 600.0,
        "update_seconds": 600.0,
    }
    assert others["set_up"][0] == told["set_up"][1]
    (line,) = [line for line in with_parser.out.splitlines() if line.startswith("tuned")]
    assert "model trained" in line and "50,000  0.4000  10 min 0 s" in line


def remember(storage: Path, url: str) -> None:
    """A training that came to its end, as `searchask finetune` remembers it."""
    job = {
        "id": "j",
        "status": "succeeded",
        "url": url,
        "model": "m",
        "train": "t.jsonl",
        "train_digest": "d",
    }
    ended = {
        "train_file": "f",
        "submitted": 1000.0,
        "finished": 1600.0,
        "tuned": "ft:m:one",
        "tokens": 50_000,
    }
    (storage / "finetuning.json").write_text(json.dumps([{**job, **ended}]))


def test_an_engine_that_a_config_lacks(house: House) -> None:
    house.edit(query_engines={"answer": {"retriever": "both"}, "quick": {"retriever": "words"}})
    other = written(house, "other.yaml", storage="other", loaders=house.settings["loaders"])
    refused(
        compared(house, house.file, other, "--engine", "quick"),
        f"{other}: no query engine is called 'quick'; it has answer",
    )
    assert not (house.config.storage / indexes.FOLDER).exists()
    with chat_server("10 people.") as server:
        alone = written(house, "alone.yaml", storage="alone", llm=chat_model(server.url))
        said = compared(house, house.file, alone, "--engine", "quick", "--no-judge", "--json")
    assert [each["engine"] for each in said.json["runs"]] == ["quick", "answer"]


def test_equal_file_names_are_told_apart(house: House) -> None:
    other = written(house, "deep/config.yaml", extends="../config.yaml", retrievers=ONE["retrievers"])
    said = compared(house, house.file, other, "--json")
    assert [each["name"] for each in said.json["runs"]] == ["config (1)", "config (2)"]


def test_wrong_arguments(house: House) -> None:
    refused(compared(house, house.file), "compare what? searchask compare A.yaml B.yaml")
    refused(searchask("compare", house.file, house.file), "which questions?")
    refused(compared(house, house.file, house.root / "none.yaml"), "none.yaml")
    lost = written(house, "lost.yaml", loaders={"files": {"type": "folder", "path": "nowhere"}})
    refused(compared(house, house.file, lost), "nowhere")


def test_questions_that_failed_count_for_neither(house: House) -> None:
    write_questions(
        house.root / "bad.jsonl", [*asked(4), asked(5)[4].__class__("bad", "\x01", answers=("x",))]
    )
    one = written(house, "one.yaml", **ONE)
    said = searchask("compare", house.file, one, "--questions", house.root / "bad.jsonl", "--json")
    assert said.code == 0 and said.json["metrics"]["contains"]["against_first"][0]["n"] == 4
    assert [each["summary"]["failed"] for each in said.json["runs"]] == [1, 1]


def test_ctrl_c_in_the_middle_and_going_on(house: House) -> None:
    questions = a_set(house, 100)
    one = written(house, "one.yaml", **ONE)
    child = subprocess.Popen(
        command("compare", house.file, one, "--questions", questions),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    wait_for(house, child, 110)  # the first is measured, the second begun
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)
    assert (child.returncode, out) == (130, b""), err
    assert b"the same command goes on" in err and b"Traceback" not in err
    again = searchask("compare", house.file, one, "--questions", questions)
    assert again.code == 0, again.text
    assert "one.yaml: goes on: " in again.err and "config.yaml" not in again.err
    assert [header.state for header in runs.headers(house.config.storage)] == ["done", "done"]


def test_prune_drops_the_indexes_and_keeps_the_runs(house: House) -> None:
    compared(house, house.file, written(house, "small.yaml", node_parser=SMALL), count=3)
    assert searchask("doctor", house.file).code == 0
    said = searchask("prune", house.file)
    assert said.code == 0 and "1 indexes of comparisons" in said.out
    assert "0 indexes of comparisons" in searchask("prune", house.file).out
    assert len(runs.headers(house.config.storage)) == 2
    assert searchask("doctor", house.file).code == 0

"""`searchask finetune submit`, `status` and `cancel` against a server that keeps the protocol's states."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.config import load_config
from pipelines.errors import Refused
from pipelines.evaluation.finetuning.examples import read_examples
from pipelines.evaluation.finetuning.jobs import Desk, Order, remembered
from tests.support.cli import Said, refused, searchask
from tests.support.finetune_server import Faults, FineTuneServer
from tests.support.house import House
from tests.support.openai_server import OpenAIServer

KEY = "sk-proj-abcDEF0123456789abcDEF"
MODEL = "gpt-4o-mini-2024-07-18"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FineTuneServer]:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    server = FineTuneServer(Faults(key=KEY))
    yield server
    server.close()


@pytest.fixture
def house(tmp_path: Path, server: FineTuneServer) -> House:
    house = House(tmp_path)
    use(house, server)
    return house


def use(house: House, server: FineTuneServer, **more: Any) -> None:
    llm = {"type": "openai", "model": MODEL, "api_key": KEY, "base_url": server.url, "retries": 1}
    house.edit(llm={**llm, **more})


def examples(folder: Path, name: str = "train.jsonl", count: int = 10, start: int = 0) -> Path:
    file = folder / name
    rows = [
        {
            "messages": [
                {"role": "user", "content": f"第 {number} 个问题？"},
                {"role": "assistant", "content": f"答案 {number}。"},
            ]
        }
        for number in range(start, start + count)
    ]
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return file


def submit(house: House, *words: object) -> Said:
    return searchask("finetune", "submit", house.file, *words)


def status(house: House, *words: object) -> Said:
    return searchask("finetune", "status", house.file, *words)


def test_from_a_file_to_the_line_of_a_config(house: House, server: FineTuneServer, tmp_path: Path) -> None:
    use(house, server, price={"input": 1, "output": 2, "training_price": 3.0})
    train, validation = examples(tmp_path), examples(tmp_path, "validation.jsonl", 2, start=50)
    said = submit(house, "--train", train, "--validation", validation, "--suffix", "handbook", "--epochs", 2)
    assert said.code == 0, said.text
    assert "job ftjob-0001: validating_files" in said.out
    assert re.search(
        r"10 examples for http://127\.0\.0\.1:\d+/v1: \d+ tokens, 0\.\d{4} an epoch × 2 = 0\.\d{4}",
        said.err,
    )
    assert {name: purpose for purpose, name, _ in server.files.values()} == {
        "train.jsonl": "fine-tune",
        "validation.jsonl": "fine-tune",
    }
    assert server.files["file-1"][2] == train.read_bytes()
    assert server.bodies == [
        {
            "model": MODEL,
            "training_file": "file-1",
            "validation_file": "file-2",
            "suffix": "handbook",
            "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2}}},
        }
    ]
    for state in ("validating_files", "queued", "running"):
        (job,) = status(house, "--json").json
        assert (job["id"], job["status"], job["tuned"]) == ("ftjob-0001", state, "")
        server.advance("ftjob-0001")
    said = status(house)
    assert re.search(
        r"ftjob-0001\s+succeeded\s+gpt-4o-mini-2024-07-18\s+train\.jsonl\s+20\d\d-.*\s2,000", said.out
    )
    line = said.out.splitlines()[-1].removeprefix("in a config: ")
    assert yaml.safe_load(line)["llm"] == {
        "type": "openai",
        "model": "ft:gpt-4o-mini-2024-07-18:acme:handbook:0001",
        "base_url": server.url,
    }
    house.edit(**yaml.safe_load(line) | {"query_engines": {"answer": {"retriever": "both"}}})
    load_config(house.file)
    asked = len(server.requests)
    use(house, server)
    assert status(house).out == said.out
    assert len(server.requests) == asked  # nothing more happens to a job that ended


def test_one_job_with_its_events(house: House, server: FineTuneServer, tmp_path: Path) -> None:
    submit(house, "--train", examples(tmp_path))
    assert server.bodies[0].keys() == {"model", "training_file"}
    server.advance("ftjob-0001")
    said = status(house, "ftjob-0001")
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0] == "job ftjob-0001: queued"
    assert [line.split("  ")[1] for line in lines[1:]] == [
        "Created fine-tuning job: ftjob-0001",
        "Job is now queued",
    ]
    assert remembered(house.config.storage)[0].status == "queued"
    told = status(house, "--json", "ftjob-0001").json
    assert (told["status"], told["remembered"], len(told["events"])) == ("queued", True, 2)
    refused(status(house, "ftjob-9999"), "there is no job ftjob-9999")
    refused(status(house, "../../files"), "is no id of a job")


def test_a_job_that_fails_says_why(house: House, server: FineTuneServer, tmp_path: Path) -> None:
    submit(house, "--train", examples(tmp_path))
    purpose, name, content = server.files["file-1"]
    server.files["file-1"] = (purpose, name, content[:-20])
    assert server.advance("ftjob-0001") == "failed"
    said = status(house, "ftjob-0001")
    assert said.code == 1 and "Invalid file format" in said.err and "job ftjob-0001: failed" in said.out
    said = status(house)
    assert said.code == 0 and "ftjob-0001: Invalid file format" in said.err
    assert submit(house, "--train", tmp_path / "train.jsonl").code == 0  # nothing was paid for
    assert list(server.jobs) == ["ftjob-0001", "ftjob-0002"]


def test_cancel(house: House, server: FineTuneServer, tmp_path: Path) -> None:
    submit(house, "--train", examples(tmp_path))
    said = searchask("finetune", "cancel", house.file, "ftjob-0001")
    assert (said.code, said.out) == (0, "job ftjob-0001: cancelled\n")
    assert remembered(house.config.storage)[0].status == "cancelled"
    again = searchask("finetune", "cancel", house.file, "ftjob-0001")
    refused(again, "the endpoint answered 400. Job has already completed: cancelled")
    submit(house, "--train", tmp_path / "train.jsonl")
    for _ in range(3):
        server.advance("ftjob-0002")
    refused(searchask("finetune", "cancel", house.file, "ftjob-0002"), "already completed: succeeded")
    refused(searchask("finetune", "cancel", house.file, "ftjob-0009"), "there is no job ftjob-0009")


def test_the_same_is_not_paid_for_twice(house: House, server: FineTuneServer, tmp_path: Path) -> None:
    train = examples(tmp_path)
    submit(house, "--train", train, "--epochs", 2)
    copy = tmp_path / "copy.jsonl"
    copy.write_bytes(train.read_bytes())
    refused_once = submit(house, "--train", copy, "--epochs", 2)
    assert refused_once.code == 2 and len(server.jobs) == 1 and len(server.files) == 1
    assert "job ftjob-0001, validating_files. Nothing was sent; --again" in refused_once.err
    server.advance("ftjob-0001")
    assert "ftjob-0001, queued" in submit(house, "--train", train, "--epochs", 2).err
    assert submit(house, "--train", train, "--epochs", 3).code == 0  # other options are another job
    assert submit(house, "--train", train, "--epochs", 2, "--again").code == 0
    assert len(server.jobs) == 3
    assert [job["id"] for job in status(house, "--json").json] == ["ftjob-0001", "ftjob-0002", "ftjob-0003"]


def test_two_submits_at_once_start_one_job(house: House, server: FineTuneServer, tmp_path: Path) -> None:
    order = Order(read_examples(str(examples(tmp_path)), "o200k_base"), None, MODEL)
    desks = [Desk(house.config) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        done = [pool.submit(desk.submit, order) for desk in desks]
    errors = [each.exception() for each in done]
    assert sum(error is None for error in errors) == 1
    assert all(isinstance(error, Refused) for error in errors if error)
    assert len(server.jobs) == 1


def test_an_answer_that_was_lost_starts_no_second_job(
    house: House, server: FineTuneServer, tmp_path: Path
) -> None:
    train = examples(tmp_path)
    server.faults = Faults(key=KEY, lose_jobs=True)
    lost = submit(house, "--train", train)
    refused(lost, "the endpoint answered 500", "Whether the job was started is not known")
    assert len(server.jobs) == 1  # it was asked for once, however many retries the config allows
    server.faults = Faults(html=True)
    refused(submit(house, "--train", train), "the answer is not what the fine-tuning API says")
    server.faults = Faults(key=KEY)
    refused(submit(house, "--train", train), "job ftjob-0001, validating_files. Nothing was sent")
    assert [job["id"] for job in status(house, "--json").json] == ["ftjob-0001"]


def test_a_job_that_was_never_started_is_forgotten(
    house: House, server: FineTuneServer, tmp_path: Path
) -> None:
    train = examples(tmp_path)
    server.faults = Faults(key=KEY, lose_jobs=True)
    submit(house, "--train", train)
    server.jobs.clear()
    server.faults = Faults(key=KEY)
    assert status(house, "--json").json == []
    assert submit(house, "--train", train).code == 0


def test_what_the_endpoint_refuses_is_told_and_not_remembered(
    house: House, server: FineTuneServer, tmp_path: Path
) -> None:
    train = examples(tmp_path)
    refused(
        submit(house, "--train", train, "--model", "gpt-99"), "gpt-99 at", "not available for fine-tuning"
    )
    assert remembered(house.config.storage) == []
    server.faults = Faults(without=True)
    refused(submit(house, "--train", train), "this endpoint offers no fine-tuning (404)")
    server.faults = Faults(html=True)
    refused(submit(house, "--train", train), "the answer is not what the fine-tuning API says")
    server.faults = Faults(key="sk-another-key-000")
    said = submit(house, "--train", train)
    refused(said, "the key was refused (401)")
    assert KEY not in said.text and KEY[:10] not in said.text
    server.faults = Faults(key=KEY, busy=len(server.requests) + 1)
    assert submit(house, "--train", train).code == 0  # the upload was tried again


def test_an_endpoint_of_another_kind(house: House, openai_server: OpenAIServer, tmp_path: Path) -> None:
    house.edit(llm={"type": "openai_like", "model": "qwen", "base_url": openai_server.url, "retries": 0})
    refused(status(house, "ftjob-1"), "no fine-tuning at all")
    house.edit(
        llm={"type": "openai_like", "model": "qwen", "base_url": "http://127.0.0.1:9/v1", "retries": 0}
    )
    refused(
        submit(house, "--train", examples(tmp_path)), "fine-tuning at http://127.0.0.1:9/v1: can't connect"
    )
    house.edit(llm=None)
    refused(status(house), "fine-tuning needs an `llm` of type openai or openai_like")


def test_compatible_endpoints_get_the_form_that_they_know(
    house: House, server: FineTuneServer, tmp_path: Path
) -> None:
    use(house, server, type="openai_like")
    assert submit(house, "--train", examples(tmp_path), "--epochs", 1).code == 0
    assert server.bodies[0]["hyperparameters"] == {"n_epochs": 1} and "method" not in server.bodies[0]
    for _ in range(3):
        server.advance("ftjob-0001")
    assert "# with its api_key as before" in status(house).out


def test_jobs_of_another_endpoint_are_left_alone(
    house: House, server: FineTuneServer, tmp_path: Path
) -> None:
    train = examples(tmp_path)
    submit(house, "--train", train)
    other = FineTuneServer(Faults(key=KEY))
    try:
        use(house, other)
        (job,) = status(house, "--json").json
        assert (job["id"], job["status"], other.requests) == ("ftjob-0001", "validating_files", [])
        assert submit(house, "--train", train).code == 0
        assert len(status(house, "--json").json) == 2
    finally:
        other.close()


def test_files_are_checked_before_anything_is_sent(
    house: House, server: FineTuneServer, tmp_path: Path
) -> None:
    few = examples(tmp_path, "few.jsonl", 9)
    refused(submit(house, "--train", few), "9 examples; at least 10 are needed")
    train = examples(tmp_path)
    both = examples(tmp_path, "both.jsonl", 3, start=8)
    refused(submit(house, "--train", train, "--validation", both), "2 examples stand in", "as well")
    refused(submit(house, "--train", train, "--epochs", 0), "--epochs must be at least 1")
    refused(submit(house, "--train", train, "--suffix", "x" * 65), "--suffix has at most 64 characters")
    refused(submit(house, "--train", tmp_path / "none.jsonl"), "can't be read")
    assert server.requests == []
    assert "no job was submitted yet" in status(house).out


def test_a_damaged_memory_is_named(house: House, tmp_path: Path) -> None:
    storage = house.config.storage
    storage.mkdir(parents=True)
    (storage / "finetuning.json").write_text("[{]", encoding="utf-8")
    refused(status(house), "finetuning.json", "move it away")
    refused(submit(house, "--train", examples(tmp_path)), "finetuning.json", "move it away")

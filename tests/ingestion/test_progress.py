"""What any process sees of an ingestion that runs, and how it asks one to stop."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from pipelines.catalog.jobs import JobDocument
from pipelines.ingestion.events import Event, Summary
from pipelines.ingestion.lock import only_ingestion
from pipelines.ingestion.plan import Plan
from pipelines.ingestion.progress import Progress, ProgressFile, alive, read_progress, request_stop
from tests.support.crash import Nursery, the_nursery, wait_for
from tests.support.house import House


@pytest.fixture
def nursery() -> Nursery:
    return the_nursery()


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = House(tmp_path)
    house.fill(6)
    return house


def seen(storage: Path) -> Progress:
    progress = read_progress(storage)
    assert progress is not None
    return progress


def test_a_run_is_seen_from_its_comparison_to_its_end(house: House) -> None:
    storage = house.config.storage
    (house.docs / "bad.pdf").write_bytes(b"no PDF")
    told: list[Progress] = []

    def agree(plan: Plan) -> bool:
        told.append(seen(storage))
        return True

    def report(event: Event) -> None:
        told.append(seen(storage))

    assert read_progress(storage) is None
    house.ingest(agree=agree, report=report)
    assert read_progress(storage) is None
    assert not list(storage.glob("ingest.progress*"))
    assert (told[0].job, told[0].pid) == (0, os.getpid())
    assert (told[1].job, told[1].total, told[1].done) == (1, 7, 0)
    assert told[-1].failed == 1  # each failure is told at once
    assert told[-1].failures[0].document == "bad.pdf"
    assert "PDF" in told[-1].failures[0].error


def test_documents_in_hand_go_from_stage_to_stage(tmp_path: Path) -> None:
    with only_ingestion(tmp_path), ProgressFile(tmp_path) as file:
        file.begin(7, 4)
        for name in "abc":
            file.report(Event(name, "read"))
        stages(file, tmp_path, {"a": "read", "b": "read", "c": "read"})
        file.report(Event("b", "embed", chunks=4))
        stages(file, tmp_path, {"a": "embed", "b": "embed", "c": "read"})
        file.report(Event("d", "read"))
        stages(file, tmp_path, {"a": "store", "b": "store", "c": "read", "d": "read"})
        file.report(Event("a", "done", JobDocument("a", "new", "done", 0.5, 3), 3, 40))
        file.report(Event("c", "read", JobDocument("c", "new", "read", 0.1, 0, "bad")))
        stages(file, tmp_path, {"b": "store", "d": "read"})
        progress = seen(tmp_path)
        assert (progress.job, progress.total, progress.done, progress.failed) == (7, 4, 1, 1)
        assert (progress.chunks, progress.tokens) == (3, 40)
        assert [one.document for one in progress.finished] == ["a"]
        assert [one.error for one in progress.failures] == ["bad"]


def stages(file: ProgressFile, storage: Path, wanted: dict[str, str]) -> None:
    wait_for(lambda: {one.document: one.stage for one in seen(storage).in_hand} == wanted, what=str(wanted))


def test_telling_ten_thousand_documents_costs_nothing(tmp_path: Path) -> None:
    with only_ingestion(tmp_path), ProgressFile(tmp_path) as file:
        file.begin(1, 10_000)
        began = time.process_time()
        for number in range(10_000):
            name = f"folder/{number}.md"
            file.report(Event(name, "read"))
            if number % 1000 == 999:
                file.report(Event(name, "embed", chunks=1000))
        for number in range(10_000):
            name = f"folder/{number}.md"
            file.report(Event(name, "done", JobDocument(name, "new", "done", 0.1, 1), 1, 10))
        assert time.process_time() - began < 1.0
        wait_for(lambda: seen(tmp_path).done == 10_000)
        assert (tmp_path / "ingest.progress").stat().st_size < 5000


def test_what_can_not_be_told_fails_no_run(house: House) -> None:
    storage = house.config.storage
    storage.mkdir()
    (storage / "ingest.progress.new").mkdir()  # as good as a full disk: it can't be written
    (storage / "ingest.stop").mkdir()
    assert house.ingest().outcome == "done"
    assert read_progress(storage) is None


def test_a_killed_run_is_none(house: House, nursery: Nursery) -> None:
    storage = house.config.storage
    child = nursery.start(house.file, "pause stored")
    assert nursery.paused(child)
    progress = seen(storage)
    assert (progress.pid, progress.job, progress.total) == (child, 1, 6)
    os.kill(child, signal.SIGKILL)
    wait_for(lambda: nursery.ended(child))
    assert (storage / "ingest.progress").exists()
    assert read_progress(storage) is None  # dead, though nobody has waited for it
    assert nursery.wait(child) == -signal.SIGKILL
    assert read_progress(storage) is None
    assert not request_stop(storage)
    assert house.ingest().outcome == "done"


def test_a_later_process_of_the_same_number_is_not_the_run(house: House) -> None:
    storage = house.config.storage
    with only_ingestion(storage), ProgressFile(storage):
        told = json.loads((storage / "ingest.progress").read_text())
    file = storage / "ingest.progress"
    file.write_text(json.dumps(told))
    assert read_progress(storage) is not None
    file.write_text(json.dumps({**told, "born": "1"}))
    assert read_progress(storage) is None
    assert not alive(2**22 + 1)
    elsewhere = json.dumps({**told, "host": "elsewhere", "pid": 2**22 + 1})
    file.write_text(elsewhere)
    assert read_progress(storage) is not None  # only its age tells
    os.utime(file, (time.time() - 600,) * 2)
    assert read_progress(storage) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"pid": 1}', '{"in_hand": 3}', "\x00\xff"])
def test_a_damaged_file_is_no_run(tmp_path: Path, text: str) -> None:
    (tmp_path / "ingest.progress").write_text(text)
    assert read_progress(tmp_path) is None


def test_a_stop_from_elsewhere_ends_a_run_in_good_order(house: House) -> None:
    storage = house.config.storage
    asked = threading.Event()

    def stop(event: Event) -> None:
        if not asked.is_set():
            asked.set()
            assert request_stop(storage)
            wait_for(lambda: seen(storage).stopping, what="the run's notice")

    summary = house.ingest(report=stop)
    assert summary.outcome == "interrupted"
    assert summary.done == 1  # the document in hand
    assert house.agrees()
    assert not list(storage.glob("ingest.stop*"))
    assert house.ingest().outcome == "done"


def test_a_stop_left_over_stops_no_other_run(house: House) -> None:
    storage = house.config.storage
    old = ""

    def keep(event: Event) -> None:
        nonlocal old
        old = seen(storage).token

    house.ingest(report=keep)
    (storage / "ingest.stop").write_text(old)
    house.fill(6, version="two")
    summaries: list[Summary] = [house.ingest(report=lambda event: write_late(storage, old))]
    assert summaries[0].outcome == "done"


def write_late(storage: Path, token: str) -> None:
    """Ask for a stop of a run that is over, while another runs, and give this one time to see it."""
    (storage / "ingest.stop").write_text(token)
    time.sleep(0.06)

"""Several processes at one storage: one writes, any number reads, and signals end a run in good order."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from pipelines.errors import StorageError
from pipelines.ingestion.embed import PROBE
from pipelines.querying.index import OpenIndex
from tests.support import fixtures
from tests.support.crash import ROOT, Nursery, the_nursery, wait_for
from tests.support.house import House
from tests.support.openai_server import OpenAIServer
from tests.support.whole import (
    ALL,
    check_clean,
    check_index,
    check_versions,
    contents,
    live_texts,
    write_version,
)

SIZE = {"documents": 6, "lines": 8}
server = fixtures.openai_server


@pytest.fixture
def nursery() -> Nursery:
    return the_nursery()


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = House(tmp_path, {"embed_model": {"type": "fake", "batch_size": 4}})
    write_version(house, 0, **SIZE)
    return house


def test_a_second_ingestion_is_told_who_holds_the_storage(house: House, nursery: Nursery) -> None:
    child = nursery.start(house.file, "pause stored")
    assert nursery.paused(child)
    with pytest.raises(StorageError, match=rf"another ingestion holds it since 20.* \(process {child} on "):
        house.ingest()
    os.kill(child, signal.SIGKILL)
    assert nursery.wait(child) == -signal.SIGKILL
    assert house.ingest().outcome == "done"  # a killed holder is in nobody's way
    check_clean(house, contents(house))
    catalog = house.catalog()
    assert [job.outcome for job in catalog.jobs.latest()] == ["done", "interrupted"]
    catalog.close()


def test_an_ingestion_within_the_same_process_is_refused_too(house: House) -> None:
    refused: list[str] = []

    def again(_plan: object) -> bool:
        with pytest.raises(StorageError) as caught:
            house.ingest()
        refused.append(str(caught.value))
        return True

    house.ingest(agree=again)
    assert f"process {os.getpid()}" in refused[0]


def test_an_open_reader_sees_each_commit_and_each_document_whole(house: House, nursery: Nursery) -> None:
    house.ingest()
    index = OpenIndex(house.config)
    write_version(house, 1, **SIZE)
    steps = ["intend", "vectors", "stored", "half the commit", "committed", "swept vectors", "forgotten"]
    child = nursery.start(house.file, ", ".join(f"pause {step}" for step in steps), group=6)
    stops = 0
    seen: set[frozenset[int]] = set()
    while nursery.paused(child):
        stops += 1
        live = set(live_texts(house))
        assert {each.node.node_id for each in index.nearest([1.0] * 384, ALL)} <= live
        assert {each.node.node_id for each in index.matching("cafeteria", ALL)} <= live
        index.refresh()
        check_index(house, index)
        seen.add(frozenset(check_versions(house, **SIZE)))
        os.kill(child, signal.SIGCONT)
    assert nursery.wait(child) == 0
    assert seen == {frozenset({0}), frozenset({0, 1}), frozenset({1})}
    assert stops > 10
    index.refresh()
    check_index(house, index)
    index.close()
    check_clean(house, contents(house))


def test_an_open_reader_follows_to_another_model(house: House, nursery: Nursery) -> None:
    house.ingest()
    index = OpenIndex(house.config)
    old = index.embed_question("hello")
    house.edit(embed_model={"type": "fake", "batch_size": 4, "seed": 1})
    child = nursery.start(house.file, "pause switch, pause switched")
    assert nursery.paused(child)
    index.refresh()
    check_index(house, index)
    assert index.embed_question("hello") == old
    os.kill(child, signal.SIGCONT)
    assert nursery.paused(child)
    index.refresh()
    check_index(house, index)
    assert index.embed_question("hello") != old
    os.kill(child, signal.SIGCONT)
    assert nursery.wait(child) == 0
    index.close()


def test_a_reader_opened_before_a_repair_goes_on_during_it(house: House, nursery: Nursery) -> None:
    house.ingest()
    index = OpenIndex(house.config)
    (words,) = (house.config.storage / "keyword").iterdir()
    (words / "meta.json").unlink()
    child = nursery.start(house.file, "pause unsound, pause discarded, pause repairing")
    while nursery.paused(child):
        assert {each.node.node_id for each in index.nearest([1.0] * 384, ALL)} == set(live_texts(house))
        os.kill(child, signal.SIGCONT)
    assert nursery.wait(child) == 0
    index.refresh()
    check_index(house, index)
    index.close()


def test_readers_that_never_pause_see_only_whole_documents(house: House, nursery: Nursery) -> None:
    house.ingest()
    ended = threading.Event()
    faults: list[str] = []
    looks = Counter[str]()

    def look(index: OpenIndex) -> None:
        version = index.refresh()
        said = Counter(each.node.metadata["document"] for each in index.nearest([1.0] * 384, ALL))
        if index.catalog.version() != version:
            return  # a commit came between
        looks["at rest"] += 1
        live = Counter({name: len(passages) for name, passages in contents(house).items()})
        if said != live and index.catalog.version() == version:
            faults.append(f"{said} instead of {live}")

    def read() -> None:
        index = OpenIndex(house.config)
        try:
            while not ended.is_set() and not faults:
                look(index)
        except Exception as error:
            faults.append(repr(error))
        index.close()

    reader = threading.Thread(target=read)
    reader.start()
    for version in range(1, 4):
        write_version(house, version, **SIZE)
        assert nursery.wait(nursery.start(house.file, group=16)) == 0
    ended.set()
    reader.join()
    assert not faults
    assert looks["at rest"] > 3
    check_clean(house, contents(house))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run_after_the_documents_in_hand(
    tmp_path: Path,
    server: OpenAIServer,
    number: signal.Signals,
) -> None:
    model = {"type": "openai_like", "model": "hash", "base_url": server.url, "batch_size": 8}
    house = House(tmp_path, {"embed_model": {**model, "concurrency": 1}})
    house.fill(40)
    server.reset(delay=0.1)
    command = [sys.executable, "-m", "pipelines", "ingest", "--yes", str(house.file)]
    run = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    wait_for(lambda: len(server.requests) > 3, seconds=60, what="embedding")
    run.send_signal(number)
    said, _ = run.communicate(timeout=30)
    assert run.returncode == 130, said
    assert "interrupted" in said
    assert "Traceback" not in said
    catalog = house.catalog()
    job = catalog.jobs.latest()[0]
    done = [row for row in catalog.jobs.documents(job.id) if row.stage == "done"]
    catalog.close()
    assert job.outcome == "interrupted"
    assert 0 < len(done) < 40
    assert set(contents(house)) == {row.document for row in done}
    assert house.agrees()
    server.faults.delay = 0.0
    assert house.ingest().outcome == "done"
    assert len(contents(house)) == 40
    check_clean(house, contents(house))
    paid = Counter(text for request in server.requests for text in request.texts)
    assert {text for text, times in paid.items() if times > 1} <= {PROBE}

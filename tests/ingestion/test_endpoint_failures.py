"""Embedding endpoints that fail in the middle, from the start, for one text, or that change their model."""

from __future__ import annotations

import logging
import os
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.cli import main
from pipelines.errors import StorageError
from pipelines.ingestion.embed import PROBE
from tests.support import fixtures
from tests.support import openai_server as served
from tests.support.house import House
from tests.support.openai_server import OpenAIServer
from tests.support.whole import check_answers, check_clean, contents

POISON = "POISON"
server = fixtures.openai_server


def house_at(
    root: Path, server: OpenAIServer, *, batch_size: int = 2, concurrency: int = 1, **more: object
) -> House:
    model = {"type": "openai_like", "model": "hash", "base_url": server.url, "retries": 0, **more}
    return House(root, {"embed_model": {**model, "batch_size": batch_size, "concurrency": concurrency}})


def paid(server: OpenAIServer) -> Counter[str]:
    """How often each text was answered, the probe left out."""
    answered = [each for each in server.requests if each.status == 200]
    return Counter(text for each in answered for text in each.texts if text != PROBE)


def states(house: House) -> dict[str, str]:
    catalog = house.catalog()
    rows = catalog.documents(catalog.generations.all()[-1].id)
    catalog.close()
    return {row.path: row.state for row in rows}


def outcomes(house: House) -> list[str]:
    catalog = house.catalog()
    found = [job.outcome for job in catalog.jobs.latest()]
    catalog.close()
    return found


@pytest.mark.parametrize("concurrency", [1, 4])
def test_an_endpoint_fails_at_batch_37_of_100(tmp_path: Path, server: OpenAIServer, concurrency: int) -> None:
    house = house_at(tmp_path, server, batch_size=1, concurrency=concurrency)
    for number in range(4):
        house.write(f"z{number}.txt", f"The cafeteria, as it was {number}.")
    assert house.ingest().outcome == "done"
    before = contents(house)
    for number in range(100):
        house.write(f"a{number:03}.txt", f"The cafeteria of house {number} opens at eight.")
    house.write("z0.txt", "The cafeteria has moved.")
    server.faults.broken_from = len(server.requests) + 1 + 37
    summary = house.ingest()
    assert summary.outcome == "failed"
    assert summary.failed >= 3
    assert "500" in summary.error and server.url in summary.error
    assert outcomes(house)[0] == "failed"
    now = contents(house)
    assert 33 <= len(now) - 4 <= 36
    assert {name: now[name] for name in before} == before
    check_answers(house)
    assert house.agrees()
    server.faults.broken_from = 0
    assert house.ingest().outcome == "done"
    assert len(contents(house)) == 104
    assert "moved" in contents(house)["z0.txt"][0][0]
    check_clean(house, contents(house))
    assert set(paid(server).values()) == {1}
    assert len(paid(server)) == 105


def test_an_endpoint_that_fails_once_costs_the_documents_of_one_batch(
    tmp_path: Path, server: OpenAIServer
) -> None:
    house = house_at(tmp_path, server, concurrency=4)
    house.fill(20)
    server.faults.broken = frozenset({5})
    summary = house.ingest()
    assert summary.outcome == "failed"
    assert 1 <= summary.failed <= 2
    assert summary.done == 20 - summary.failed
    assert house.ingest().outcome == "done"
    check_clean(house, contents(house))
    assert set(paid(server).values()) == {1}


def test_an_endpoint_that_is_down_changes_nothing(tmp_path: Path, server: OpenAIServer) -> None:
    house = house_at(tmp_path, server)
    house.fill(5)
    server.faults.broken_from = 1
    summary = house.ingest()
    assert summary.outcome == "failed"
    assert server.url in summary.error
    assert contents(house) == {}
    server.reset()
    assert house.ingest().outcome == "done"
    before = contents(house)
    check_clean(house, before)
    house.fill(5, version="two")
    server.close()
    summary = house.ingest()
    assert summary.outcome == "failed"
    assert "can't connect" in summary.error and server.url in summary.error
    assert contents(house) == before
    check_answers(house)
    house.fill(5)
    summary = house.ingest()
    assert (summary.outcome, summary.spent.texts) == ("done", 0)
    check_clean(house, before)


def test_a_wrong_key_is_never_told(
    tmp_path: Path,
    server: OpenAIServer,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    key = "wrong-9f8e7d6c5b4a3921"
    house = house_at(tmp_path, server, api_key=key)
    house.fill(5)
    server.faults.key = "right"
    assert main(["ingest", "--yes", str(house.file)]) == 1
    assert main(["jobs", str(house.file), "1"]) == 0
    assert main(["documents", str(house.file)]) == 0
    assert main(["doctor", str(house.file)]) in (0, 1)
    said = "".join(capfd.readouterr())
    assert "the key was refused (401); check api_key" in said
    assert "Traceback" not in said
    said += caplog.text
    files = [path for path in house.config.storage.rglob("*") if path.is_file()]
    assert len(files) > 2
    for piece in (key, key[-8:], key[:10]):
        assert piece not in said
        assert [path.name for path in files if piece.encode() in path.read_bytes()] == []
    house = house_at(tmp_path, server, api_key="right")
    assert house.ingest().outcome == "done"
    assert contents(house).keys() == {f"doc00{number}.md" for number in range(5)}


def test_an_endpoint_that_changes_its_model_is_refused(
    tmp_path: Path, server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = house_at(tmp_path, server)
    house.fill(5)
    house.ingest()
    before = contents(house)
    honest = served.vectors
    monkeypatch.setattr(served, "vectors", lambda model, texts: honest(model, [text + "!" for text in texts]))
    house.write("new.md", "# New\n\nThe cafeteria.\n")
    with pytest.raises(
        StorageError, match=r"answers with other vectors than the model that built this index"
    ):
        house.ingest()
    assert contents(house) == before
    assert house.agrees()
    monkeypatch.setattr(served, "vectors", honest)
    assert house.ingest().spent.texts == 1
    check_clean(house, contents(house))


def test_texts_that_are_always_refused_fail_their_documents_only(
    tmp_path: Path, server: OpenAIServer
) -> None:
    house = house_at(tmp_path, server, batch_size=2)
    house.fill(12)
    for number in range(2, 7):  # one after another: more than a broken endpoint would be given
        house.write(f"doc00{number}.md", f"# Chapter\n\n{POISON} {number}.\n")
    server.faults.poison = POISON
    for _ in range(2):
        summary = house.ingest()
        assert (summary.outcome, summary.failed) == ("failed", 5)
        assert Counter(states(house).values()) == {"done": 7, "failed": 5}
        assert len(contents(house)) == 7
        assert house.agrees()
    assert set(paid(server).values()) == {1}
    house.fill(12)
    assert house.ingest().outcome == "done"
    check_clean(house, contents(house))


def poisoned(path: Path) -> None:
    path.write_text(f"{POISON} in the middle of the cafeteria.", encoding="utf-8")


def no_text(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 40)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def leads_nowhere(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere.md")


@pytest.mark.parametrize("same_time", [False, True], ids=["written again", "restored"])
@pytest.mark.parametrize("spoil", [poisoned, no_text, empty, leads_nowhere])
def test_a_file_that_is_edited_fails_and_is_reverted(
    tmp_path: Path, server: OpenAIServer, spoil: Callable[[Path], None], same_time: bool
) -> None:
    house = house_at(tmp_path, server, batch_size=8)
    house.fill(5)
    assert house.ingest().outcome == "done"
    before = contents(house)
    path, kept = house.docs / "doc002.md", tmp_path / "kept"
    shutil.copy2(path, kept)
    server.faults.poison = POISON
    for _ in range(2):
        spoil(path)
        house.ingest()
        assert states(house)["doc002.md"] in ("failed", "quarantined")
        assert contents(house) == before
        check_answers(house)
        assert house.agrees()
        path.unlink()
        shutil.copy2(kept, path)
        if not same_time:
            os.utime(path)
        summary = house.ingest()
        assert (summary.outcome, summary.spent.texts) == ("done", 0)
        check_clean(house, before)
    assert house.plan().counts()["unchanged"] == 5
    assert set(paid(server).values()) == {1}


def test_a_second_index_is_complete_although_a_document_fails(tmp_path: Path, server: OpenAIServer) -> None:
    house = house_at(tmp_path, server, batch_size=8)
    house.fill(5)
    house.ingest()
    before = contents(house)
    no_text(house.docs / "doc002.md")
    house.edit(embed_model={"type": "fake"})
    assert house.ingest().outcome == "failed"
    assert contents(house) == before
    assert states(house)["doc002.md"] == "quarantined"
    check_answers(house)
    house.fill(5)
    assert house.ingest().spent.texts == 0
    check_clean(house, before)


def test_a_second_index_waits_for_its_endpoint(tmp_path: Path, server: OpenAIServer) -> None:
    house = House(tmp_path)
    house.fill(5)
    house.ingest()
    before = contents(house)
    house.edit(embed_model=house_at(tmp_path / "other", server).settings["embed_model"])
    server.faults.broken_from = 4
    assert house.ingest().outcome == "failed"
    assert contents(house) == before
    check_answers(house)
    server.faults.broken_from = 0
    assert house.ingest().outcome == "done"
    check_clean(house, before)
    assert set(paid(server).values()) == {1}

"""What a rerun costs: documents read, chunks cut, texts embedded, as numbers."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from pipelines.ingestion.events import Summary
from tests.support.house import House

DOCUMENTS = 5


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = House(tmp_path)
    house.fill(DOCUMENTS)
    return house


def cost(summary: Summary) -> tuple[int, int, int]:
    """Documents read, chunks cut, texts embedded."""
    return summary.read, summary.cut, summary.spent.texts


def test_first_run_reads_cuts_and_embeds_everything_once(house: House) -> None:
    summary = house.ingest()
    chunks = sum(len(texts) for texts in house.live().values())
    assert cost(summary) == (DOCUMENTS, chunks, chunks)
    assert summary.outcome == "done"
    assert house.agrees()


def test_nothing_changed_costs_nothing(house: House) -> None:
    house.ingest()
    before = house.live()
    assert house.plan().counts()["unchanged"] == DOCUMENTS
    assert cost(house.ingest()) == (0, 0, 0)
    assert house.live() == before


def test_a_touched_file_costs_nothing(house: House) -> None:
    house.ingest()
    os.utime(house.docs / "doc001.md", (1_700_000_000, 1_700_000_000))
    assert house.plan().counts()["unchanged"] == DOCUMENTS
    assert cost(house.ingest()) == (0, 0, 0)


def test_an_edited_file_embeds_only_what_is_new(house: House) -> None:
    house.ingest()
    path = house.docs / "doc001.md"
    path.write_text(
        path.read_text(encoding="utf-8") + "\n\n# Afterword\n\nOne more thing, said at the end.\n"
    )
    assert [each.action for each in house.plan().work] == ["changed"]
    summary = house.ingest()
    assert summary.read == 1
    assert summary.spent.texts == 1
    assert any("One more thing" in text for text in house.live()["doc001.md"])
    assert house.agrees()


@pytest.mark.parametrize("place", ["renamed.md", "folder/doc001.md"])
def test_a_moved_or_renamed_file_keeps_its_nodes(house: House, place: str) -> None:
    house.ingest()
    before = house.stores()[0]
    (house.docs / "folder").mkdir()
    shutil.move(house.docs / "doc001.md", house.docs / place)
    assert [(each.action, each.reason) for each in house.plan().work] == [("moved", "from doc001.md")]
    assert cost(house.ingest()) == (0, 0, 0)
    assert house.stores()[0] == before
    assert place in house.live()
    assert "doc001.md" not in house.live()


def test_a_deleted_file_is_gone_from_everything(house: House) -> None:
    house.ingest()
    (house.docs / "doc001.md").unlink()
    summary = house.ingest()
    assert cost(summary) == (0, 0, 0)
    assert summary.removed > 0
    assert "doc001.md" not in house.live()
    assert house.agrees()


def test_an_added_file_is_the_only_one_read(house: House) -> None:
    house.ingest()
    house.write("new.md", "# New\n\nSomething that was not there before.\n")
    summary = house.ingest()
    assert cost(summary) == (1, 1, 1)


def test_a_splitter_edit_reads_nothing_and_embeds_only_new_texts(house: House) -> None:
    house.ingest()
    house.edit(node_parser={"type": "sentence", "chunk_size": 40, "chunk_overlap": 8})
    plan = house.plan()
    assert plan.counts()["stale"] == DOCUMENTS
    assert {each.reason for each in plan.work} == {"node_parser was edited"}
    summary = house.ingest()
    chunks = sum(len(texts) for texts in house.live().values())
    assert (summary.read, summary.cut) == (0, chunks)
    assert summary.spent.texts + summary.spent.from_cache == chunks
    assert house.agrees()
    house.edit(node_parser={"type": "sentence", "chunk_size": 64, "chunk_overlap": 8})
    back = house.ingest()
    assert back.read == 0
    assert back.spent.texts == 0  # the cache still holds the first cutting


def test_a_model_edit_builds_a_second_index_and_an_edit_back_only_switches(house: House) -> None:
    house.ingest()
    first = house.live()
    house.edit(embed_model={"type": "fake", "seed": 1})
    plan = house.plan()
    assert plan.counts()["stale"] == DOCUMENTS
    assert plan.switches
    summary = house.ingest()
    chunks = sum(len(texts) for texts in first.values())
    assert cost(summary) == (0, chunks, chunks)
    assert house.live() == first
    house.edit(embed_model={"type": "fake"})
    assert cost(house.ingest()) == (0, 0, 0)
    assert house.live() == first
    assert house.agrees()


def test_a_prompt_edit_redoes_nothing(house: House) -> None:
    house.ingest()
    house.edit(query_engines={"answer": {"retriever": "both", "postprocessors": [{"type": "token_budget"}]}})
    assert house.plan().counts()["unchanged"] == DOCUMENTS
    assert cost(house.ingest()) == (0, 0, 0)


def test_equal_files_keep_their_own_nodes(house: House) -> None:
    shutil.copy(house.docs / "doc001.md", house.docs / "copy.md")
    summary = house.ingest()
    live = house.live()
    assert live["copy.md"] == live["doc001.md"]
    assert summary.spent.texts == sum(len(texts) for texts in live.values()) - len(live["copy.md"])
    (house.docs / "doc001.md").unlink()
    house.ingest()
    assert house.live()["copy.md"] == live["copy.md"]
    assert house.agrees()


def test_a_file_moved_away_and_replaced_by_another_keeps_both_apart(house: House) -> None:
    house.ingest()
    shutil.move(house.docs / "doc001.md", house.docs / "moved.md")
    house.ingest()
    house.write("doc001.md", (house.docs / "moved.md").read_text(encoding="utf-8"))
    house.ingest()
    live = house.live()
    assert live["doc001.md"] == live["moved.md"]
    assert house.agrees()
    (house.docs / "moved.md").unlink()
    house.ingest()
    assert house.live()["doc001.md"] == live["doc001.md"]
    assert house.agrees()


def test_a_quarantined_document_is_left_alone_until_it_or_its_reading_changes(house: House) -> None:
    (house.docs / "bad.md").write_bytes(b"\x00\x01\x02\xff\xfe\x9f" * 200)
    first = house.ingest()
    assert (first.outcome, first.failed) == ("failed", 1)
    assert house.ingest().failed == 0
    assert house.ingest(retry_failed=True).failed == 1
    house.edit(loaders={"files": {"type": "folder", "path": "docs", "encoding": "utf-8"}})
    (change,) = [each for each in house.plan().work if each.path == "bad.md"]
    assert "is tried again since the config was edited" in change.reason
    house.write("bad.md", "# Good\n\nIt is good now.\n")
    assert house.ingest().failed == 0
    assert house.live()["bad.md"]

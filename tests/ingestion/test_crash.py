"""A child is killed with SIGKILL at every step of an ingestion; what is left answers, and a rerun makes it whole."""

from __future__ import annotations

import functools
import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.crash import Nursery, the_nursery
from tests.support.house import EN, ZH, House
from tests.support.whole import (
    Contents,
    check_answers,
    check_clean,
    check_versions,
    check_whole,
    contents,
    write_version,
)

DOCUMENTS = 8
SETTINGS = {"embed_model": {"type": "fake", "batch_size": 4}}
GROUP = 6
"""Chunks stored together here: three documents, so that a run has several groups of several documents."""


@pytest.fixture
def nursery() -> Nursery:
    return the_nursery()


def write_first(house: House) -> None:
    house.fill(DOCUMENTS)
    paragraphs = [f"Paragraph {number}. {EN}" for number in range(8)]
    house.write("doc000.md", "# Long\n\n" + "\n\n".join(paragraphs))


def edit(house: House) -> None:
    """One chunk in the middle, one document replaced, one cut short, one moved on by a new head; one is new."""
    long = house.docs / "doc000.md"
    long.write_text(
        long.read_text(encoding="utf-8").replace("Paragraph 4.", "Paragraph four."), encoding="utf-8"
    )
    house.write("doc001.md", f"# Another\n\nNothing is as it was. {EN}\n")
    house.write("doc002.md", f"# Chapter 2\n\none: 2. {ZH}\n")
    house.write(
        "doc003.md", "# Before\n\nA new head.\n\n" + (house.docs / "doc003.md").read_text(encoding="utf-8")
    )
    house.write("new.md", f"# New\n\n{EN} {ZH}\n")


def delete(house: House) -> None:
    (house.docs / "doc000.md").unlink()
    (house.docs / "doc004.md").rename(house.docs / "moved.md")


def other_model(house: House) -> None:
    house.edit(embed_model={"type": "fake", "batch_size": 4, "seed": 1})
    house.write("doc001.md", f"# Another\n\nNothing is as it was. {EN}\n")


Scenario = Callable[[House], None]


@functools.cache
def _ingested(root: Path, scenario: Scenario | None) -> tuple[House, Contents]:
    """A clean run over the documents of a scenario, in its own storage; it is only looked at and copied."""
    house = House(root / (scenario.__name__ if scenario else "first"), dict(SETTINGS))
    write_first(house)
    if scenario:
        scenario(house)
    assert house.ingest().outcome == "done"
    return house, contents(house)


def begin(tmp_path: Path, shared: Path, scenario: Scenario | None) -> tuple[House, Contents, Contents]:
    """A house that stands before a scenario's run: with what it answers now, and what it must answer then."""
    template, old = _ingested(shared, None)
    if scenario is None:
        house = House(tmp_path, dict(SETTINGS))
        write_first(house)
        return house, {}, old
    shutil.copytree(template.root, tmp_path, dirs_exist_ok=True)
    house = House(tmp_path, dict(SETTINGS))
    scenario(house)
    return house, old, _ingested(shared, scenario)[1]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clean")


STARTS = ["generation", "probe", "stores", "register"]
WRITES = [
    "parse@2",
    "intend@2",
    "half the vectors@2",
    "vectors",
    "half the keywords@2",
    "keywords uncommitted",
    "stored@2",
    "half the commit",
    "whole commit@2",
    "committed",
]
SWEEPS = ["swept vectors", "half the swept keywords", "swept", "forgotten", "texts", "finish"]
CASES: list[tuple[Scenario | None, str]] = [
    *((None, step) for step in ["tables", "lock", *STARTS, "switched", "read@2", "cache@2", *WRITES]),
    *((edit, step) for step in [*WRITES, "half the commit@5", "committed@2", *SWEEPS]),
    *((delete, step) for step in ["moved", "removing", "whole commit", "removed", *SWEEPS]),
    *((other_model, step) for step in [*STARTS, *WRITES, "switch", "half the switch", "switched", "finish"]),
]


@pytest.mark.parametrize(
    ("scenario", "step"), CASES, ids=lambda each: getattr(each, "__name__", each) or "first"
)
def test_killed_at_a_step(
    tmp_path: Path, shared: Path, nursery: Nursery, scenario: Scenario | None, step: str
) -> None:
    house, old, new = begin(tmp_path, shared, scenario)
    assert nursery.crash(house.file, step, group=GROUP), f"the run never came to {step!r}"
    broken = contents(house)
    check_whole(broken, old, new)
    check_answers(house)
    assert house.ingest().outcome == "done"
    check_clean(house, new)
    assert house.ingest().spent.texts == 0


def test_killed_again_and_again(tmp_path: Path, nursery: Nursery) -> None:
    house = House(tmp_path, dict(SETTINGS))
    write_version(house, 0, documents=6, lines=8)
    house.ingest()
    steps = [step.split("@")[0] for step in [*WRITES[::2], *SWEEPS[:4], *WRITES[::-2]]]
    for version, step in enumerate(steps, 1):  # what one crash leaves meets the documents of the next run
        write_version(house, version, documents=6, lines=8)
        assert nursery.crash(house.file, step, group=GROUP), step
        check_versions(house, documents=6, lines=8)
    check_answers(house)
    house.ingest()
    check_clean(house, contents(house))
    assert check_versions(house, documents=6, lines=8) == {len(steps)}


def damage_keywords(house: House) -> None:
    shutil.rmtree(house.config.storage / "keyword")


def damage_vectors(house: House) -> None:
    shutil.rmtree(house.config.storage / "chroma")


@pytest.mark.parametrize("damage", [damage_keywords, damage_vectors])
def test_killed_during_a_repair(tmp_path: Path, shared: Path, nursery: Nursery, damage: Scenario) -> None:
    house, old, _ = begin(tmp_path, shared, edit)
    write_first(house)  # as it was; only the new document must go
    (house.docs / "new.md").unlink()
    damage(house)
    for step in [
        "unsound",
        "discarded",
        "repairing@3",
        "half the vectors@2",
        "keywords uncommitted@2",
        "unsound@2",
    ]:
        assert nursery.crash(house.file, step), step
        check_answers(house, keywords=damage is not damage_keywords)
    assert house.ingest().spent.texts == 0
    check_clean(house, old)


def truncate_vectors(house: House) -> None:
    for file in (house.config.storage / "chroma").glob("*/data_level0.bin"):
        os.truncate(file, file.stat().st_size // 2)


def ruin_chroma(house: House) -> None:
    (house.config.storage / "chroma" / "chroma.sqlite3").write_bytes(b"no database" * 2000)


@pytest.mark.parametrize("asked", [False, True], ids=["ingested", "asked first"])
@pytest.mark.parametrize("damage", [damage_keywords, damage_vectors, truncate_vectors, ruin_chroma])
def test_damaged_stores_are_mended_without_embedding(
    tmp_path: Path, large: tuple[House, Contents], damage: Scenario, asked: bool
) -> None:
    template, old = large
    shutil.copytree(template.root, tmp_path, dirs_exist_ok=True)
    house = House(tmp_path, dict(LARGE))
    damage(house)
    if asked:
        check_answers(house, keywords=damage is not damage_keywords)
    summary = house.ingest()
    assert (summary.outcome, summary.spent.texts) == ("done", 0)
    house.write("one more.txt", "The cafeteria.")
    summary = house.ingest()
    assert (summary.outcome, summary.spent.texts) == ("done", 1)
    (house.docs / "one more.txt").unlink()
    house.ingest()
    check_clean(house, old)


LARGE = {
    "embed_model": {"type": "fake"},
    "node_parser": {"type": "sentence", "chunk_size": 24, "chunk_overlap": 0},
}
LARGE_SIZE = {"documents": 12, "lines": 100}
"""More than 1,000 chunks, so that Chroma writes its HNSW files."""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[House, Contents]:
    house = House(tmp_path_factory.mktemp("large"), dict(LARGE))
    write_version(house, 0, **LARGE_SIZE)
    assert house.ingest().written > 1100
    assert hnsw_files(house)
    return house, contents(house)


def hnsw_files(house: House) -> dict[Path, int]:
    """Chroma's own files with the time of their last change."""
    return {path: path.stat().st_mtime_ns for path in (house.config.storage / "chroma").glob("*/*.bin")}


def test_killed_from_outside_at_any_moment(
    tmp_path: Path, large: tuple[House, Contents], nursery: Nursery
) -> None:
    shutil.copytree(large[0].root, tmp_path, dirs_exist_ok=True)
    house = House(tmp_path, dict(LARGE))
    chance = random.Random(5)
    killed = 0
    for version in range(1, 11):
        write_version(house, version, **LARGE_SIZE)
        before = hnsw_files(house)
        child = nursery.start(house.file, group=300)
        if version % 2:  # while Chroma writes its files
            while hnsw_files(house) == before and not nursery.ended(child):
                time.sleep(0.002)
            time.sleep(chance.random() * 0.01)
        else:
            time.sleep(chance.uniform(0.2, 1.5))
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        killed += nursery.wait(child) != 0
        check_versions(house, **LARGE_SIZE)
        check_answers(house)
    assert killed > 5
    assert house.ingest().outcome == "done"
    check_clean(house, contents(house))
    assert check_versions(house, **LARGE_SIZE) == {10}


def test_a_chunk_that_becomes_a_parent_leaves_the_stores(tmp_path: Path) -> None:
    house = House(tmp_path, dict(SETTINGS))
    house.write("one.txt", " ".join(f"Sentence {number} is about the cafeteria." for number in range(16)))
    house.edit(node_parser={"type": "sentence", "chunk_size": 256, "chunk_overlap": 0})
    house.ingest()
    house.edit(node_parser={"type": "hierarchical", "chunk_sizes": [256, 32]})
    house.ingest()
    catalog = house.catalog()
    assert catalog.count_leaves(1) > 3
    catalog.close()
    assert house.agrees()

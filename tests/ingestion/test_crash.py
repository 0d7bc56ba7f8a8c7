"""A child is killed with SIGKILL at every step of an ingestion; what is left answers, and a rerun makes it whole."""

from __future__ import annotations

import functools
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.crash import Nursery, wait_for
from tests.support.house import EN, ZH, House
from tests.support.whole import Contents, check_answers, check_clean, check_whole, contents

DOCUMENTS = 8
SETTINGS = {"embed_model": {"type": "fake", "batch_size": 4}}
GROUP = 6
"""Chunks stored together here: three documents, so that a run has several groups of several documents."""


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    nursery = Nursery()
    yield nursery
    nursery.close()


def write_first(house: House) -> None:
    house.fill(DOCUMENTS)
    paragraphs = [f"Paragraph {number}. {EN}" for number in range(8)]
    house.write("doc000.md", "# Long\n\n" + "\n\n".join(paragraphs))


def edit(house: House) -> None:
    """One chunk in the middle, one document replaced, one cut short, one moved on by a new head; one is new."""
    long = house.docs / "doc000.md"
    long.write_text(long.read_text(encoding="utf-8").replace("Paragraph 4.", "Paragraph four."), encoding="utf-8")
    house.write("doc001.md", f"# Another\n\nNothing is as it was. {EN}\n")
    house.write("doc002.md", f"# Chapter 2\n\none: 2. {ZH}\n")
    house.write("doc003.md", "# Before\n\nA new head.\n\n" + (house.docs / "doc003.md").read_text(encoding="utf-8"))
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


FIRST = ["tables", "lock", "generation", "probe", "stores", "register", "read@2"]
WRITES = [
    "parse@2",
    "cache@2",
    "intend@2",
    "half the vectors@2",
    "vectors@2",
    "half the keywords@2",
    "keywords uncommitted@2",
    "stored@2",
    "half the commit",
    "half the commit@5",
    "whole commit",
    "committed",
]
SWEEPS = ["swept vectors", "half the swept keywords", "swept", "forgotten", "texts", "finish"]
CASES: list[tuple[Scenario | None, str]] = [
    *((None, step) for step in [*FIRST, *WRITES]),
    *((edit, step) for step in [*WRITES, *SWEEPS]),
    *((delete, step) for step in ["moved", "removing", "whole commit", "removed", *SWEEPS]),
    *((other_model, step) for step in ["generation", "probe", "stores", "register", *WRITES]),
    *((other_model, step) for step in ["switch", "half the switch", "switched"]),
]


@pytest.mark.parametrize(("scenario", "step"), CASES, ids=lambda each: getattr(each, "__name__", each) or "first")
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

"""The plan: each action with its reason, nothing opened for it, and an ingestion that does what it says."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.ingestion.scan import open_loaders, scan
from tests.support.cli import ROOT, environment, refused, searchask
from tests.support.house import EN, ZH, House


def planned(house: House) -> list[tuple[str, str, str]]:
    """Action, document and reason of what `plan --json` lists."""
    rows = searchask("plan", house.file, "--json").json["documents"]
    return [(row["action"], row["document"], row["reason"]) for row in rows]


def counts(house: House) -> dict[str, int]:
    """The counts of `plan --json` that are not 0."""
    found = searchask("plan", house.file, "--json").json["counts"]
    return {action: number for action, number in found.items() if number}


def done(house: House) -> list[tuple[str, str, str]]:
    """Action, document and last stage of what the latest job did."""
    catalog = house.catalog()
    job = catalog.jobs.latest(1)[0]
    rows = catalog.jobs.documents(job.id)
    catalog.close()
    return sorted((row.action, row.document, row.stage) for row in rows)


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = House(tmp_path)
    house.fill(5)
    return house


@pytest.fixture
def full(house: House) -> House:
    assert house.ingest().outcome == "done"
    return house


# each action with its reason


def test_new(house: House) -> None:
    assert planned(house) == [("new", f"doc{number:03}.md", "not in the index") for number in range(5)]
    assert counts(house) == {"new": 5}


def test_unchanged_is_counted_and_not_listed(full: House) -> None:
    assert (planned(full), counts(full)) == ([], {"unchanged": 5})


def test_changed(full: House) -> None:
    full.write("doc001.md", "Edited.")
    assert planned(full) == [("changed", "doc001.md", "its content is another")]


def test_equal_bytes_written_again_and_touches_are_no_change(full: House) -> None:
    full.write("doc001.md", (full.docs / "doc001.md").read_text(encoding="utf-8"))
    os.utime(full.docs / "doc002.md")
    os.utime(full.docs / "doc003.md", (0, 0))
    assert counts(full) == {"unchanged": 5}
    searchask("ingest", full.file)
    assert counts(full) == {"unchanged": 5}


def test_a_file_written_just_now_has_its_day_and_is_looked_at_twice(
    full: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.ingestion.scan._TICK", 60 * 10**9)  # as if no time had passed
    path = full.write("doc001.md", "Edited.")
    written = path.stat().st_mtime_ns
    loaders = open_loaders(full.config)
    scans = [{each.path: each.modified for each in scan(loaders)["files"]}[path.name] for _ in range(2)]
    assert len({written, *scans}) == 3  # no later scan takes it for the file that this one saw
    assert all(0 < written - each < 120 * 10**9 for each in scans)


def test_an_edit_of_equal_size_with_the_old_time_put_back_is_the_one_thing_not_seen(full: House) -> None:
    path = full.docs / "doc001.md"
    os.utime(path, ns=(10**18, 10**18))
    searchask("ingest", full.file)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("one", "two"), encoding="utf-8")
    assert counts(full) == {"changed": 1, "unchanged": 4}
    os.utime(path, ns=(10**18, 10**18))
    assert counts(full) == {
        "unchanged": 5
    }  # as with make, rsync and git: size and time are what is looked at


def test_stale(full: House) -> None:
    full.edit(node_parser={"type": "sentence", "chunk_size": 40, "chunk_overlap": 8})
    assert {(action, reason) for action, _, reason in planned(full)} == {("stale", "node_parser was edited")}
    full.edit(node_parser={"type": "sentence", "chunk_size": 64, "chunk_overlap": 8})
    full.edit(loaders={"files": {"type": "folder", "path": "docs", "encoding": "gb18030"}})
    (reason,) = {reason for _, _, reason in planned(full)}
    assert reason.startswith("it is read in another way since")
    full.edit(loaders={"files": {"type": "folder", "path": "docs"}}, embed_model={"type": "fake", "seed": 1})
    (reason,) = {reason for _, _, reason in planned(full)}
    assert reason == "the index is built anew beside the old one (fake built that)"
    full.write("doc001.md", "Edited.")
    assert ("changed", "doc001.md", f"edited, and {reason}") in planned(full)
    assert counts(full) == {"stale": 4, "changed": 1}


def test_moved(full: House) -> None:
    (full.docs / "sub").mkdir()
    (full.docs / "doc001.md").rename(full.docs / "sub" / "other.md")
    assert planned(full) == [("moved", "sub/other.md", "from doc001.md")]


def test_moved_to_another_loader(full: House) -> None:
    full.edit(loaders={"renamed": {"type": "folder", "path": "docs"}})
    assert planned(full) == [
        ("moved", f"doc{number:03}.md", f"from doc{number:03}.md") for number in range(5)
    ]
    said = searchask("ingest", full.file, "--json")
    assert (said.code, said.json["documents"]["read"], said.json["embedded"]["texts"]) == (0, 0, 0)
    assert {row["loader"] for row in searchask("documents", full.file, "--json").json} == {"renamed"}


def test_moved_and_cut_anew(full: House) -> None:
    (full.docs / "doc001.md").rename(full.docs / "other.md")
    full.edit(node_parser={"type": "sentence", "chunk_size": 40, "chunk_overlap": 8})
    assert ("moved", "other.md", "from doc001.md, and node_parser was edited") in planned(full)
    assert searchask("ingest", full.file).code == 0
    assert counts(full) == {"unchanged": 5}
    assert index(full) == index(fresh(full, "again"))


def test_vanished(full: House) -> None:
    (full.docs / "doc001.md").unlink()
    assert planned(full) == [("vanished", "doc001.md", "it is gone from its loader")]
    searchask("ingest", full.file)
    full.edit(loaders={"none": {"type": "folder", "path": ".", "include": ["*.txt"]}})
    assert {reason for _, _, reason in planned(full)} == {"loader 'files' is gone from the config"}
    refused(searchask("ingest", full.file), "no document was found by none")


def test_failed(full: House) -> None:
    full.write("bad.json", "{")
    searchask("ingest", full.file)
    ((action, document, reason),) = planned(full)
    assert (action, document) == ("failed", "bad.json")
    assert reason.startswith("quarantined until it changes: not valid JSON")
    full.write("bad.json", '{"mended": "text"}')
    assert planned(full) == [("changed", "bad.json", "edited since it was quarantined")]
    searchask("ingest", full.file)
    assert counts(full) == {"unchanged": 6}


def test_what_a_former_model_knew_and_is_long_gone_does_not_alarm(full: House) -> None:
    full.edit(embed_model={"type": "fake", "seed": 1})
    assert searchask("ingest", full.file).code == 0
    for number in (1, 2, 3):
        (full.docs / f"doc{number:03}.md").unlink()
    assert searchask("ingest", full.file, "--allow-vanish").code == 0
    full.edit(embed_model={"type": "fake"})
    said = searchask("ingest", full.file)
    assert said.code == 0, said.err
    assert set(full.live()) == {"doc000.md", "doc004.md"}
    assert full.agrees()


# what a plan costs

WATCHED = """
import os, sys
docs, config = sys.argv[1:]
opened = []
def hook(event, arguments):
    if event == "open" and isinstance(arguments[0], (str, bytes)):
        path = os.path.realpath(os.fsdecode(arguments[0]))
        if path.startswith(docs + os.sep):
            opened.append(path)
sys.addaudithook(hook)
from pipelines.cli import main
code = main(["plan", config])
print("code", code, "opened", len(opened))
"""


def test_a_plan_of_2000_files_opens_none(tmp_path: Path) -> None:
    house = House(tmp_path)
    for number in range(2000):
        house.write(f"{number % 20}/{number}.md", f"Note {number}.")
        os.utime(house.docs / f"{number % 20}/{number}.md", (1_700_000_000, 1_700_000_000))

    def plan() -> list[str]:
        words = [sys.executable, "-c", WATCHED, os.path.realpath(house.docs), str(house.file)]
        said = subprocess.run(
            words, cwd=ROOT, env=environment(), capture_output=True, text=True, check=True, timeout=60
        )
        return said.stdout.splitlines()

    before = plan()
    assert before[0].startswith("new 2000 ")
    assert before[-1] == "code 0 opened 0"
    assert house.ingest().outcome == "done"
    after = plan()
    assert "unchanged 2000" in after[0]
    assert after[-1] == "code 0 opened 0"
    (house.docs / "3/3.md").write_text("Edited.")
    edited = plan()
    assert "changed 1 " in edited[0]
    assert edited[-1] == "code 0 opened 1"


# a plan is what happens then: random sequences of what people do to files and configs


class Person:
    """Does something at random to the documents and the config of a house."""

    def __init__(self, house: House, seed: int) -> None:
        self.house = house
        self.chance = random.Random(seed)
        self.made = 0

    def act(self) -> None:
        """Do one thing."""
        common: list[Callable[[], None]] = [
            self.write, self.write, self.edit, self.edit, self.touch, self.move, self.move, self.delete,
            self.swap, self.copy, self.same, self.replace, self.spoil, self.mend,
        ]  # fmt: skip
        rare: list[Callable[[], None]] = [self.splitter, self.model, self.loader, self.encoding, self.folder]
        self.chance.choice(common if self.chance.random() < 0.85 else rare)()

    def text(self) -> str:
        """A new text of some chunks."""
        self.made += 1
        body = "\n\n".join(
            self.chance.choice((EN, ZH, f"Line {self.made}.")) for _ in range(self.chance.randint(1, 4))
        )
        return f"# Page {self.made}\n\n{body}\n"

    def name(self) -> str:
        """A name that may be taken."""
        return self.chance.choice(("", "sub/", "zwei/")) + f"{self.chance.choice('abcdefgh年')}.md"

    def pick(self, ending: str = ".md") -> Path | None:
        """One of the documents."""
        found = sorted(
            path for path in self.house.docs.rglob("*") if path.is_file() and path.suffix == ending
        )
        return self.chance.choice(found) if found else None

    def write(self) -> None:
        self.house.write(self.name(), self.text())

    def edit(self) -> None:
        if path := self.pick():
            text = path.read_text(encoding="utf-8")
            place = self.chance.choice((0, len(text) // 2, len(text)))
            path.write_text(text[:place] + f"\n\nEdit {self.made}.\n\n" + text[place:], encoding="utf-8")
            self.made += 1

    def touch(self) -> None:
        if path := self.pick():
            os.utime(path, (self.chance.randint(10**9, 2 * 10**9),) * 2)

    def move(self) -> None:
        if path := self.pick():
            target = self.house.docs / self.name()
            target.parent.mkdir(exist_ok=True)
            path.rename(target)

    def delete(self) -> None:
        if path := self.pick():
            path.unlink()

    def swap(self) -> None:
        one, other = self.pick(), self.pick()
        if one and other and one != other:
            between = self.house.root / "between"
            one.rename(between)
            other.rename(one)
            between.rename(other)

    def copy(self) -> None:
        if path := self.pick():
            target = self.house.docs / self.name()
            target.parent.mkdir(exist_ok=True)
            if target != path:
                shutil.copy2(path, target)

    def same(self) -> None:
        if path := self.pick():
            path.write_bytes(path.read_bytes())

    def replace(self) -> None:
        one, other = self.pick(), self.pick()
        if one and other and one != other:
            other.replace(one)

    def spoil(self) -> None:
        if path := self.pick():
            content = path.read_bytes()
            path.write_bytes(self.chance.choice((b"", b"\0" * len(content))))

    def mend(self) -> None:
        for path in sorted(self.house.docs.rglob("*.md")):
            if not path.read_bytes().strip(b"\0"):
                path.write_text(self.text(), encoding="utf-8")

    def splitter(self) -> None:
        size = self.chance.choice((32, 64, 100))
        self.house.edit(node_parser={"type": "sentence", "chunk_size": size, "chunk_overlap": 8})

    def model(self) -> None:
        self.house.edit(embed_model={"type": "fake", "seed": self.chance.randint(0, 1)})

    def loader(self) -> None:
        ((_, loader),) = self.house.settings["loaders"].items()
        self.house.edit(loaders={self.chance.choice(("files", "renamed")): loader})

    def encoding(self) -> None:
        ((name, loader),) = self.house.settings["loaders"].items()
        left = {key: value for key, value in loader.items() if key != "encoding"}
        self.house.edit(loaders={name: left | self.chance.choice(({}, {"encoding": "utf-8"}))})

    def folder(self) -> None:
        ((name, loader),) = self.house.settings["loaders"].items()
        left = {key: value for key, value in loader.items() if key != "exclude"}
        self.house.edit(loaders={name: left | self.chance.choice(({}, {"exclude": ["sub"]}))})


Index = dict[tuple[str, str], list[tuple[Any, ...]]]


def index(house: House) -> Index:
    """Every live chunk with its place, by loader and document."""
    catalog = house.catalog()
    active = catalog.generations.active()
    found: Index = {}
    for row in catalog.documents(active.id) if active else ():
        nodes = catalog.nodes(row.id)
        assert row.chunks == len(nodes)
        found[row.loader, row.path] = [
            (node.start, node.end, node.heading, node.page, node.digest, text) for node, text in nodes
        ]
    catalog.close()
    return found


def fresh(house: House, name: str) -> House:
    """The same documents and config, ingested into a new storage."""
    other = House(house.root / name, dict(house.settings))
    loaders = {key: {**loader, "path": str(house.docs)} for key, loader in house.settings["loaders"].items()}
    other.edit(loaders=loaders)
    assert other.ingest(allow_vanish=True).outcome in ("done", "failed")
    return other


def quarantined(house: House) -> set[tuple[str, str]]:
    """The documents that are not as they should be."""
    catalog = house.catalog()
    active = catalog.generations.active()
    found = (
        {(row.loader, row.path) for row in catalog.documents(active.id) if row.state != "done"}
        if active
        else set()
    )
    catalog.close()
    return found


@pytest.mark.parametrize("seed", range(5))
def test_an_ingestion_does_what_the_plan_says_and_the_index_is_that_of_a_fresh_one(
    tmp_path: Path, seed: int
) -> None:
    house = House(tmp_path)
    house.fill(3)
    person = Person(house, seed)
    for turn in range(7):
        plan = house.plan()
        will = sorted((change.action, change.path) for change in plan.work)
        summary = house.ingest(allow_vanish=True)
        jobs = done(house)
        assert sorted((action, document) for action, document, _ in jobs) == will, f"turn {turn}"
        assert summary.done == sum(stage == "done" for _, _, stage in jobs)
        assert summary.failed == sum(stage not in ("done", "removed") for _, _, stage in jobs)
        assert {change.path for change in house.plan().work} == set(), f"turn {turn}"
        bad = quarantined(house)
        again = house.plan().counts()
        assert again == {
            **dict.fromkeys(again, 0),
            "unchanged": sum(again.values()) - len(bad),
            "failed": len(bad),
        }
        clean = index(fresh(house, f"fresh{turn}"))
        mine = index(house)
        assert mine.keys() == clean.keys(), f"turn {turn}"
        assert {name: mine[name] for name in mine.keys() - bad} == {
            name: clean[name] for name in mine.keys() - bad
        }
        assert house.agrees()
        for _ in range(person.chance.randint(1, 4)):
            person.act()

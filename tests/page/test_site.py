"""Served configs: edits, broken ones, storages that go away, many threads, and nothing left open."""

from __future__ import annotations

import gc
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.errors import ConfigError, SearchaskError, StorageError
from pipelines.page.answers import Chat, ask
from pipelines.page.site import Entry, Site
from tests.support.house import House

QUESTION = "When does the cafeteria open?"


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = House(tmp_path)
    house.fill(4)
    house.ingest()
    return house


def copy_of(house: House, name: str, **changes: Any) -> Path:
    """Another config beside the house's."""
    path = house.root / f"{name}.yaml"
    path.write_text(yaml.safe_dump({**house.settings, **changes}), encoding="utf-8")
    return path


def found(entry: Entry) -> int:
    with entry.open() as base:
        return len(base.retrieve(QUESTION).candidates)


def test_a_file_a_folder_and_nothing(house: House, tmp_path: Path) -> None:
    copy_of(house, "default")
    copy_of(house, "abc")
    assert list(Site(house.file).entries) == ["config"]
    assert list(Site(house.root).entries) == ["default", "abc", "config"]
    empty = tmp_path / "empty"
    empty.mkdir()
    for place in (empty, tmp_path / "missing.yaml", tmp_path / "missing"):
        with pytest.raises(SearchaskError, match="no config here"):
            Site(place)


def test_what_is_no_file_does_not_hide_the_others(house: House) -> None:
    (house.root / "folder.yaml").mkdir()
    (house.root / "gone.yaml").symlink_to(house.root / "nowhere")
    assert list(Site(house.root).entries) == ["config"]


def test_an_unknown_name(house: House) -> None:
    site = Site(house.root)
    for name in ("other", "", "../config", "config.yaml"):
        with pytest.raises(SearchaskError, match="there are: config"):
            site.entry(name)


def test_a_broken_config_does_not_hurt_the_others(house: House) -> None:
    copy_of(house, "default", node_parser={"type": "sentense"})
    site = Site(house.root)
    assert site.first == "config"
    site.warm()
    assert found(site.entry("config")) > 0
    for _ in range(2):
        with pytest.raises(ConfigError, match=r"default\.yaml:\d+:\d+"):
            site.entry("default").config()
    with pytest.raises(ConfigError), site.entry("default").open():
        pass
    copy_of(house, "default")
    assert site.first == "default"
    assert found(site.entry("default")) > 0
    site.close()


def test_where_all_are_broken_the_first_is_shown(house: House) -> None:
    house.edit(node_parser={"type": "sentense"})
    site = Site(house.root)
    assert site.first == "config"
    site.warm()


def test_an_edit_is_noticed(house: House) -> None:
    entry = Entry(house.file)
    before = entry.config()
    assert entry.config() is before
    with entry.open() as base:
        assert base.config is before
    for name in ("abcd", "efgh", "ijkl"):  # of equal size, faster than some clocks tick
        fresh = house.root / "fresh"
        fresh.write_text(
            yaml.safe_dump({**house.settings, "query_engines": {name: {"retriever": "both"}}}),
            encoding="utf-8",
        )
        fresh.replace(house.file)
        assert list(entry.config().spec.query_engines) == [name]
        with entry.open() as base:
            assert list(base.config.spec.query_engines) == [name]
    entry.close()


def test_an_edit_of_what_it_extends_is_noticed(house: House) -> None:
    base = copy_of(house, "base")
    child = house.root / "child.yaml"
    child.write_text("extends: base.yaml\n", encoding="utf-8")
    entry = Entry(child)
    assert entry.config().spec.language == "auto"
    assert entry.config() is entry.config()
    copy_of(house, "base", language="zh")
    assert entry.config().spec.language == "zh"
    base.unlink()
    with pytest.raises(ConfigError):
        entry.config()
    copy_of(house, "base")
    assert entry.config().spec.language == "auto"


def test_an_edit_that_breaks_it_and_one_that_mends_it(house: House) -> None:
    entry = Entry(house.file)
    assert found(entry) > 0
    house.file.write_text("storage: [", encoding="utf-8")
    with pytest.raises(ConfigError), entry.open():
        pass
    house.file.unlink()
    with pytest.raises(ConfigError), entry.open():
        pass
    house.edit()
    assert found(entry) > 0
    entry.close()


def test_a_storage_deleted_while_open(house: House) -> None:
    entry = Entry(house.file)
    assert found(entry) > 0
    shutil.rmtree(house.config.storage)
    for _ in range(2):
        with pytest.raises(StorageError, match="nothing is ingested yet"), entry.open():
            pass
        with entry.catalog() as catalog:
            assert catalog is None
        assert not entry.ingested()
    assert not house.config.storage.exists()
    house.ingest()
    assert found(entry) > 0
    entry.close()


def test_a_storage_replaced_while_open(house: House) -> None:
    entry = Entry(house.file)
    found(entry)
    shutil.rmtree(house.config.storage)
    for path in house.docs.iterdir():
        path.unlink()
    house.write("new.md", "The cafeteria opens at noon.")
    house.ingest()
    with entry.open() as base:
        assert {each.document for each in base.retrieve(QUESTION).candidates} == {"new.md"}
    entry.close()


def test_a_storage_deleted_in_the_middle_of_a_question(house: House) -> None:
    entry = Entry(house.file)
    with entry.open() as base:
        shutil.rmtree(house.config.storage)
        try:
            base.ask(QUESTION)
        except SearchaskError as error:
            assert str(error)  # a sentence, or an answer from what is still open
    *_, turn = ask(Chat(), entry, QUESTION, "", "en")
    assert (turn.state, "nothing is ingested" in turn.error) == ("failed", True)
    house.ingest()
    *_, turn = ask(Chat(), entry, QUESTION, "", "en")
    assert turn.state == "done"
    entry.close()


def test_an_ingestion_of_another_process_is_seen(house: House) -> None:
    entry = Entry(house.file)
    before = found(entry)
    house.write("more.md", "The cafeteria closes at nine.")
    house.ingest()
    with entry.open() as base:
        assert "more.md" in {each.document for each in base.retrieve(QUESTION).candidates}
    assert before > 0
    entry.close()


def test_another_storage_has_another_worker(house: House) -> None:
    entry = Entry(house.file)
    first = entry.worker
    assert entry.worker is first
    house.edit(language="zh")
    assert entry.worker is first
    house.edit(storage="other")
    assert entry.worker is not first
    assert entry.worker.state().kind == "idle"


def test_many_ask_while_the_config_is_edited_and_nothing_stays_open(house: House) -> None:
    site = Site(house.file)
    entry = site.entry("config")
    found(entry)  # libraries open what they keep
    site.close()
    before = opened()
    end = time.monotonic() + 3
    asked: list[int] = []

    def people() -> None:
        while time.monotonic() < end:
            asked.append(found(entry))

    def editor() -> None:
        turn = 0
        while time.monotonic() < end:
            turn += 1
            house.edit(language=("zh", "en")[turn % 2])
            time.sleep(0.05)

    # An editor that writes in place shows half a file now and then; one that renames does not.
    house.edit = renaming(house)  # type: ignore[method-assign]
    with ThreadPoolExecutor(8) as pool:
        for each in [pool.submit(editor), *(pool.submit(people) for _ in range(6))]:
            each.result()
    assert len(asked) >= 6  # each of them got an answer
    assert min(asked) > 0
    site.close()
    gc.collect()
    assert opened() <= before + 2
    assert threading.active_count() < 60


def renaming(house: House) -> Any:
    def edit(**changes: Any) -> None:
        house.settings.update(changes)
        fresh = house.root / "fresh"
        fresh.write_text(yaml.safe_dump(house.settings), encoding="utf-8")
        fresh.replace(house.file)

    return edit


def opened() -> int:
    """File descriptors of this process."""
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("no /proc to count open files in")
    return len(list(Path("/proc/self/fd").iterdir()))


def test_closing_while_someone_asks(house: House) -> None:
    site = Site(house.file)
    with site.entry("config").open() as base:
        site.close()
        assert base.retrieve(QUESTION).candidates
    assert found(site.entry("config")) > 0
    site.close()
    site.close()

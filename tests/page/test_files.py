"""Adding several files at once, and what may be removed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipelines.errors import SearchaskError
from pipelines.page.files import add_all, largest_upload, removable
from pipelines.page.site import Site
from tests.support.house import House

LOADERS = {
    "files": {"type": "folder", "path": "docs", "upload": True, "max_file_size": 5_000_000},
    "fixed": {"type": "folder", "path": "fixed"},
}


@pytest.fixture
def house(tmp_path: Path) -> House:
    (tmp_path / "fixed").mkdir()
    return House(tmp_path, {"loaders": LOADERS})


def test_what_is_wrong_does_not_stop_the_others(house: House, tmp_path: Path) -> None:
    sent = tmp_path / "sent"
    sent.mkdir()
    for name, content in (
        ("a.md", b"text"),
        ("b.exe", b"MZ"),
        ("c.pdf", b"no pdf"),
        ("d.md", b""),
        ("年假.txt", b"x"),
    ):
        (sent / name).write_bytes(content)
    names = ["a.md", "b.exe", "c.pdf", "d.md", "年假.txt", "a.md", "missing.md"]
    added, refused = add_all(house.config, "files", [str(sent / name) for name in names])
    assert added == ["a.md", "年假.txt"]
    assert [each.split(":")[0] for each in refused] == ["b.exe", "c.pdf", "d.md", "a.md", "missing.md"]
    assert removable(house.config, "files") == ["a.md", "年假.txt"]


def test_a_loader_without_uploads(house: House, tmp_path: Path) -> None:
    (tmp_path / "fixed" / "a.md").write_text("text")
    (tmp_path / "b.md").write_text("text")
    for loader in ("fixed", "unknown", ""):
        added, refused = add_all(house.config, loader, [str(tmp_path / "b.md")])
        assert (added, len(refused)) == ([], 1)
        assert removable(house.config, loader) == []


def test_a_folder_that_is_gone(house: House, tmp_path: Path) -> None:
    (tmp_path / "b.md").write_text("text")
    shutil.rmtree(house.docs)
    with pytest.raises(SearchaskError, match="docs"):
        removable(house.config, "files")
    added, refused = add_all(house.config, "files", [str(tmp_path / "b.md")])
    assert (added, len(refused)) == ([], 1)


def test_the_largest_upload(house: House) -> None:
    site = Site(house.file)
    assert largest_upload(site.entries.values()) == 5_000_000
    house.edit(loaders={"fixed": LOADERS["fixed"]})
    assert largest_upload(site.entries.values()) == 1_000_000
    house.edit(node_parser={"type": "sentense"})
    assert largest_upload(site.entries.values()) == 1_000_000

"""Removing files through the page: nothing but what the loader lists, and never through a link."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipelines.errors import Refused, SearchaskError
from pipelines.page.uploads import remove
from pipelines.reading.names import native
from tests.page.test_uploads import folder, house, listed
from tests.support.house import House

__all__ = ["house"]


@pytest.mark.parametrize(
    "path",
    [
        "../outside.md",
        "/etc/passwd",
        "..",
        "",
        ".",
        "sub",
        "sub/",
        "sub/../a.md",
        "./a.md",
        "a.md\x00",
        "link.md",
    ],
)
def test_only_what_the_loader_lists_is_removed(house: House, path: str) -> None:
    outside = house.root / "outside.md"
    outside.write_text("Outside.")
    house.write("a.md", "One.")
    house.write("sub/b.md", "Two.")
    (house.docs / "link.md").symlink_to(outside)
    with pytest.raises(SearchaskError):
        remove(house.config, "files", path)
    assert outside.exists()
    assert listed(house) == ["a.md", "link.md", "sub"]
    assert remove(house.config, "files", "sub/b.md").size == 4


@pytest.mark.parametrize("follow", [False, True])
def test_no_link_leads_a_removal_out_of_the_folder(house: House, follow: bool) -> None:
    house.edit(loaders={"files": folder(follow_symlinks=follow)})
    outside = house.root / "outside"
    outside.mkdir()
    (outside / "a.md").write_text("Outside.")
    house.write("real/a.md", "Inside.")
    (house.docs / "out").symlink_to(outside)
    (house.docs / "in").symlink_to(house.docs / "real")
    (house.docs / "file.md").symlink_to(house.docs / "real" / "a.md")
    for path in ("out", "out/a.md", "in/a.md", "file.md"):
        with pytest.raises(Refused):
            remove(house.config, "files", path)
    assert (outside / "a.md").exists()
    assert (house.docs / "real" / "a.md").exists()
    assert (house.docs / "file.md").is_symlink()


def test_a_folder_swapped_for_a_link_is_not_followed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    outside = house.root / "outside"
    outside.mkdir()
    (outside / "a.md").write_text("Outside.")
    house.write("sub/a.md", "Inside.")

    def swap(path: str) -> str:  # after the loader has listed it
        (house.docs / "sub").rename(house.root / "away")
        (house.docs / "sub").symlink_to(outside)
        return native(path)

    monkeypatch.setattr("pipelines.page.uploads.native", swap)
    with pytest.raises(Refused, match="behind a symbolic link"):
        remove(house.config, "files", "sub/a.md")
    assert (outside / "a.md").exists()


def test_a_name_that_is_no_utf_8_can_be_removed(house: House) -> None:
    (Path(os.fsdecode(os.fsencode(house.docs) + b"/caf\xe9.md"))).write_text("One.")
    assert remove(house.config, "files", "caf%E9.md").size == 4
    assert listed(house) == []

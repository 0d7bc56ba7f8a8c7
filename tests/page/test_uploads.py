"""Files added and removed through the page: names and contents are hostile, and nothing leaves the folder."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pytest

from pipelines.errors import Refused, SearchaskError, StorageError
from pipelines.page.uploads import accepted, add, remove, upload_loaders
from tests.support import files
from tests.support.house import House


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path, {"loaders": {"files": folder()}})


def folder(**options: object) -> dict[str, object]:
    return {"type": "folder", "path": "docs", "upload": True, **options}


def upload(house: House, name: str, content: bytes = b"Some text.\n", loader: str = "files") -> str:
    source = house.root / "upload.tmp"
    source.write_bytes(content)
    return add(house.config, loader, name, source)


def listed(house: House) -> list[str]:
    return sorted(path.name for path in house.docs.iterdir())


def test_an_upload_is_added_ingested_and_removed(house: House) -> None:
    house.fill(9)
    text = "年假为五天。\n".encode()
    assert upload(house, "手册.md", text) == "手册.md"
    assert (house.docs / "手册.md").read_bytes() == text
    assert [change.path for change in house.plan().changes if change.path == "手册.md"]
    assert house.ingest().done == 10
    gone = remove(house.config, "files", "手册.md")
    assert (gone.loader, gone.path, gone.size) == ("files", "手册.md", len(text))
    assert house.plan().counts()["vanished"] == 1
    with pytest.raises(Refused, match=r"手册.md: files lists no such document"):
        remove(house.config, "files", "手册.md")


def test_only_loaders_that_say_so_take_files(house: House) -> None:
    loaders = {
        "files": folder(),
        "fixed": {"type": "folder", "path": "docs"},
        "list": {"type": "files", "paths": ["docs/a.md"]},
    }
    house.edit(loaders=loaders)
    house.write("a.md", "One.")
    assert upload_loaders(house.config) == ["files"]
    for loader in ("fixed", "list", "unknown"):
        with pytest.raises(Refused, match="`upload: true` allows it"):
            upload(house, "b.md", loader=loader)
        with pytest.raises(Refused, match="`upload: true` allows it"):
            remove(house.config, loader, "a.md")
        with pytest.raises(Refused):
            accepted(house.config, loader)
    assert listed(house) == ["a.md"]


def test_upload_is_operational(house: House) -> None:
    house.fill(2)
    house.ingest()
    house.edit(loaders={"files": {"type": "folder", "path": "docs"}})
    assert house.plan().counts()["unchanged"] == 2


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({}, "program.exe"),
        ({}, "noextension"),
        ({}, "md"),
        ({}, "a.md.part"),
        ({}, "picture.png"),  # no OCR
        ({"include": ["**/*.md"]}, "a.txt"),
        ({"include": ["manuals/**"]}, "a.md"),
        ({"include": ["**/*"]}, "program.exe"),
        ({"exclude": ["draft*"]}, "draft 1.md"),
        ({"exclude": ["**/*.PDF"]}, "a.pdf"),
    ],
)
def test_what_the_loader_would_not_take_is_refused(
    house: House, options: dict[str, object], name: str
) -> None:
    house.edit(loaders={"files": folder(**options)})
    with pytest.raises(Refused, match="files does not take it; it takes ") as refused:
        upload(house, name)
    assert accepted(house.config, "files") in str(refused.value)
    assert listed(house) == []


def test_what_is_taken_is_told(house: House) -> None:
    assert {"md", "pdf", "docx"} <= set(accepted(house.config, "files").split(", "))
    assert "png" not in accepted(house.config, "files")
    house.edit(loaders={"files": folder(exclude=["*.docx"])})
    assert "docx" not in accepted(house.config, "files").split(", ")
    house.edit(loaders={"files": folder(include=["**/*.md", "*.txt"])})
    assert accepted(house.config, "files") == "**/*.md, *.txt"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.pdf", b"MZ\x90\x00 a program", "not a PDF file"),
        ("a.docx", b"not a zip", "not a readable Word file"),
        ("a.xlsx", files.ole("EncryptedPackage"), "encrypted"),
        ("a.epub", b"%PDF-1.7", "not a readable EPUB"),
        ("a.md", b"", "the file is empty"),
        ("a.md", bytes(range(256)) * 40, "a.md: "),
        ("a.txt", b"\x7fELF" + b"\x00\x01\x02" * 300, "a.txt: "),
    ],
)
def test_a_content_that_is_not_what_its_name_says_is_refused(
    house: House, name: str, content: bytes, said: str
) -> None:
    with pytest.raises(Refused, match=said):
        upload(house, name, content)
    assert listed(house) == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.pdf", files.pdf([["Hello."]])),
        ("a.docx", files.docx()),
        ("a.epub", files.epub(["<p>Hello</p>"])),
        ("a.txt", "年假为五天，工作满十年的员工有十天。".encode("gb18030")),
        ("a.html", b"<p>Hello</p>"),
        ("a.eml", b"Subject: Hello\r\n\r\n\xff\xfe"),
    ],
)
def test_a_content_of_its_format_is_added(house: House, name: str, content: bytes) -> None:
    assert upload(house, name, content) == name


def test_a_missing_folder_is_a_sentence(house: House) -> None:
    house.docs.rmdir()
    with pytest.raises(SearchaskError, match="there is no folder"):
        upload(house, "a.md")


def test_a_large_file_is_refused_unread(house: House) -> None:
    house.edit(loaders={"files": folder(max_file_size="1MB")})
    source = house.root / "large"
    with source.open("wb") as file:
        file.truncate(1 << 30)  # a sparse gigabyte
    with pytest.raises(Refused, match=r"a.txt: too large: 1,073.7 MB, and max_file_size is 1.0 MB"):
        add(house.config, "files", "a.txt", source)
    assert listed(house) == []


def test_an_upload_that_is_gone_or_no_file_is_refused(house: House) -> None:
    with pytest.raises(Refused, match="can't be read"):
        add(house.config, "files", "a.txt", house.root / "nowhere")
    os.mkfifo(house.root / "pipe")
    with pytest.raises(Refused, match="not a regular file"):
        add(house.config, "files", "a.txt", house.root / "pipe")


def test_nothing_is_replaced(house: House) -> None:
    house.write("a.md", "First.")
    (house.docs / "b.md").symlink_to(house.root / "elsewhere.md")
    (house.docs / "c.md").mkdir()
    for name in ("a.md", "b.md", "c.md"):
        with pytest.raises(Refused, match="there is a file of that name already"):
            upload(house, name)
    assert (house.docs / "a.md").read_text() == "First."
    assert not (house.root / "elsewhere.md").exists()
    assert listed(house) == ["a.md", "b.md", "c.md"]


def test_of_many_uploads_of_one_name_one_is_whole(house: House) -> None:
    contents = [f"{number} ".encode() * 50_000 for number in range(8)]
    outcomes: list[str] = []

    def send(number: int) -> None:
        source = house.root / f"upload{number}"
        source.write_bytes(contents[number])
        try:
            outcomes.append(add(house.config, "files", "same.txt", source))
        except Refused:
            outcomes.append("")

    threads = [threading.Thread(target=send, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [""] * 7 + ["same.txt"]
    assert (house.docs / "same.txt").read_bytes() in contents
    assert listed(house) == ["same.txt"]


def test_without_hard_links_nothing_is_replaced_either(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*args: object, **options: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    assert upload(house, "a.md", b"First.") == "a.md"
    with pytest.raises(Refused, match="already"):
        upload(house, "a.md", b"Second.")
    assert (house.docs / "a.md").read_bytes() == b"First."
    assert listed(house) == ["a.md"]


def test_a_write_that_fails_leaves_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="No space left on device"):
        upload(house, "a.md")
    assert listed(house) == []


def test_what_steers_the_program_is_not_taken_where_it_lives(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.edit(loaders={"files": folder(path=".")})
    with pytest.raises(Refused, match="holds the program or its configs"):
        upload(house, "other.yaml", b"storage: /")
    house.edit(loaders={"files": folder()})
    assert upload(house, "other.yaml", b"storage: /")
    assert upload(house, "one.py", b"print()")
    monkeypatch.setattr(sys, "path", [*sys.path, str(house.docs)])
    with pytest.raises(Refused, match="holds the program or its configs"):
        upload(house, "json.py", b"print()")
    monkeypatch.undo()
    monkeypatch.chdir(house.docs)
    with pytest.raises(Refused, match="holds the program or its configs"):
        upload(house, "json.PY", b"print()")

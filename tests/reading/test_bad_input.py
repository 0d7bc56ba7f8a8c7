"""Whatever is wrong with a file, one clear line says so, soon, and nothing of it is indexed."""

from __future__ import annotations

import io
import time
import zipfile

import pytest

from pipelines.errors import Quarantined
from pipelines.reading.options import ReadOptions
from pipelines.reading.read import read_document
from tests.support import files

BOMB = b"\0" * 30_000_000


def zip_lying_about_its_size() -> bytes:
    """A docx whose document is larger than its directory says."""
    content = bytearray(files.packed({"word/document.xml": b" " * 100_000}))
    where = content.rindex(b"PK\x01\x02")
    content[where + 24 : where + 28] = (1000).to_bytes(4, "little")
    return bytes(content)


def many_members() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(20_001):
            archive.writestr(str(number), "")
    return buffer.getvalue()


ENTITIES = '<!DOCTYPE a [<!ENTITY a "1"><!ENTITY b "&a;&a;&a;&a;">]><a>&b;</a>'


@pytest.mark.parametrize(
    ("path", "content", "why"),
    [
        ("a.txt", b"", "the file is empty"),
        ("a.txt", b" \n\t ", "no text was found"),
        ("a.txt", bytes(range(256)) * 100, "recognised|does not decode"),
        ("a.xyz", b"text", r"the format '\.xyz' is not supported"),
        ("a.docx", b"no zip", "not a readable Word file"),
        ("a.docx", files.docx()[:2000], "not a readable Word file"),
        ("a.docx", files.packed({"other": "x"}), "no document in it"),
        ("a.docx", files.packed({"word/document.xml": "<w:document"}), "not a readable Word file"),
        ("a.docx", files.ole("EncryptedPackage"), "is encrypted"),
        ("a.xlsx", files.ole("EncryptedPackage"), "is encrypted"),
        ("a.docx", files.ole("WordDocument"), "old binary Office file"),
        ("a.docx", files.packed({"word/document.xml": BOMB}), "zip bomb"),
        ("a.xlsx", files.packed({f"{n}.xml": bytes(9_900_000) for n in range(21)}), "unpacks to 208 MB"),
        ("a.docx", zip_lying_about_its_size(), "zip bomb|damaged"),
        ("a.pptx", many_members(), "20,001 members"),
        ("a.docx", files.packed({"word/document.xml": ENTITIES}), "declares XML entities"),
        ("a.docx", files.packed({"word/document.xml": ENTITIES.encode("utf-16")}), "declares XML entities"),
        ("a.epub", files.packed({"META-INF/container.xml": "<x/>"}), "not a readable EPUB"),
        ("a.pptx", files.packed({"x": "y"}), "not a readable PowerPoint"),
        ("a.xlsx", files.packed({"x": "y"}), "not a readable Excel"),
        ("a.xlsx", files.xlsx({"empty": []}), "no cell with a value"),
        ("a.json", b'{"a": }', r"not valid JSON.*line 1"),
        ("a.json", b"[" * 100_000, "nested too deeply|not valid JSON"),
        ("a.json", b"[" * 100_000 + b"]" * 100_000, "nested too deeply"),
        ("a.jsonl", b'{"a": 1}\n{"a": \n', "line 2"),
        ("a.ipynb", b"{}", "not a readable Jupyter notebook"),
        ("a.ipynb", b'{"cells": "x"}', "no text|not a readable"),
        ("a.eml", b"\n\nno headers", "no headers"),
        ("a.html", b"<script>only()</script>", "no text was found"),
        ("a.png", b"no image", "an image: set `ocr: true`"),
    ],
)
def test_bad_input(path: str, content: bytes, why: str) -> None:
    begun = time.monotonic()
    with pytest.raises(Quarantined, match=why) as caught:
        read_document(path, content, ReadOptions())
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 250
    assert time.monotonic() - begun < 5


def test_nothing_is_fetched_from_what_a_document_names(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    def refuse(*args: object) -> None:
        raise AssertionError("a reader reached for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    page = '<!DOCTYPE html SYSTEM "http://example.com/x.dtd"><img src="http://example.com/a.png"><p>text</p>'
    assert "text" in read_document("a.html", page.encode(), ReadOptions()).text
    chapter = '<p>text</p><img src="http://example.com/a.png"/>'
    assert "text" in read_document("a.epub", files.epub([chapter]), ReadOptions()).text


@pytest.mark.skipif(not hasattr(zipfile, "ZIP_LZMA"), reason="no lzma")
def test_random_damage_never_escapes_as_another_error() -> None:
    import random

    chance = random.Random(7)
    makers = {
        "a.docx": files.docx(),
        "a.pptx": files.pptx([("a", "b")]),
        "a.xlsx": files.xlsx({"s": [[1, 2]]}),
        "a.epub": files.epub(["<p>x</p>"]),
        "a.pdf": files.pdf([["some text"]]),
        "a.eml": b"Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n--b--",
        "a.ipynb": files.notebook([("code", "1")]),
    }
    for path, content in makers.items():
        for _ in range(25):
            damaged = bytearray(content)
            for _ in range(chance.choice((1, 5, 50))):
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
            try:
                read_document(path, bytes(damaged), ReadOptions())
            except Quarantined as error:
                assert "\n" not in str(error)

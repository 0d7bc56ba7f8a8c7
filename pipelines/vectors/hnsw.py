"""A look at Chroma's HNSW files before Chroma opens them: its native code crashes the process on a short one."""

from __future__ import annotations

import sqlite3
import struct
from array import array
from contextlib import closing
from pathlib import Path

_HEADER = struct.Struct("<iQQQQ")
"""Start of `header.bin`: version, offset, capacity, elements, bytes an element (chroma-hnswlib, `persistDirty`)."""
_VERSION = 1
_LISTS = "link_lists.bin"
_LONGEST_LIST = 1 << 16
"""Bytes of an element's lists on the upper levels: 68 a level, and each level is a sixteenth as likely."""


def short_file(folder: Path, collection: str) -> str:
    """The name of a file that holds less than its header says, as after a kill in mid-write; empty if all is well.

    `collection` is Chroma's own id; the table `segments` says in which folder its vectors lie.
    """
    try:
        with closing(sqlite3.connect(f"file:{folder / 'chroma.sqlite3'}?mode=ro", uri=True)) as database:
            question = "SELECT id FROM segments WHERE collection = ? AND scope = 'VECTOR'"
            segments = [folder / row[0] for row in database.execute(question, (collection,))]
    except sqlite3.Error:
        return ""  # another layout, or nothing to read: Chroma itself will say
    return next(filter(None, map(_short, segments)), "")


def _short(segment: Path) -> str:
    header = segment / "header.bin"
    if not header.is_file():
        return ""
    content = header.read_bytes()
    if len(content) < _HEADER.size:
        return header.name
    version, _, _, elements, size = _HEADER.unpack_from(content)
    if version != _VERSION:
        return ""
    wanted = {"data_level0.bin": elements * size, "length.bin": elements * 4}
    short = next((name for name, least in wanted.items() if _size(segment / name) < least), "")
    return short or ("" if _lists_fit(segment / _LISTS, elements) else _LISTS)


def _lists_fit(file: Path, elements: int) -> bool:
    """Whether a list for each element, its length before it, fills the file: native code allocates what it reads there.

    One that was killed in mid-write had the opener ask for 23 GB.
    """
    words = array("I")
    content = file.read_bytes() if file.is_file() else b""
    words.frombytes(content[: len(content) // words.itemsize * words.itemsize])
    place = 0
    for _ in range(elements):
        if place >= len(words) or words[place] > _LONGEST_LIST:
            return False
        place += 1 + words[place] // words.itemsize
    return place <= len(words)


def _size(file: Path) -> int:
    return file.stat().st_size if file.is_file() else 0

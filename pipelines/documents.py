"""What a loader gives: documents listed unread, then read one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Source:
    """One document as its loader lists it, unread."""

    path: str
    """Relative to the loader, with `/`; with the loader's name it is the document's identity."""
    size: int = -1
    """Bytes; -1 where only reading tells."""
    modified: int = 0
    """Modification time in nanoseconds; 0 where only reading tells."""
    problem: str = ""
    """Why this document must not be read (too large, outside the root); empty where it may be."""


@dataclass(frozen=True, slots=True)
class Document:
    """One document as text."""

    text: str
    """Markdown where the format has headings or tables, plain text otherwise."""
    format: str
    """`pdf`, `markdown`, `html`, `text`, `code`, …"""
    markdown: bool = False
    """Whether `text` is Markdown, so that `#` lines are headings and `|` lines are tables."""
    pages: tuple[int, ...] = ()
    """Offset in `text` at which each page starts, the first page first; empty without pages."""
    encoding: str = ""
    """The text encoding that was recognised; empty for formats that state their own."""
    notes: tuple[str, ...] = ()
    """What a person should know: pages without text, a low-confidence encoding."""


class Loader(Protocol):
    """Lists documents cheaply and reads them one by one."""

    def scan(self) -> Iterator[Source]:
        """Every document, none of them opened, in a stable order."""

    def fetch(self, source: Source) -> bytes:
        """The document's raw bytes; raises `DocumentError` or `FileNotFoundError`."""

    def read(self, source: Source, content: bytes) -> Document:
        """The document's text; raises `DocumentError` or `Quarantined`."""

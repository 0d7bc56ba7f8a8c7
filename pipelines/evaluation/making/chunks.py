"""Documents and their live chunks, as questions are made of them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from pipelines.catalog import Catalog
from pipelines.catalog.rows import DocumentRow
from pipelines.documents import Document
from pipelines.text.language import language_of
from pipelines.text.outline import Outline
from pipelines.text.terms import key_of, stem_titles
from pipelines.words import Language

SHORTEST = {"en": 80, "zh": 30}
"""Characters of a chunk that is worth asking about."""

_HEAD = 4_000
_LONGEST_TITLE = 60


@dataclass(frozen=True, slots=True)
class Chunk:
    """A live node that stands word for word in its document's text."""

    node: str
    text: str
    start: int
    """Offset in the document's text."""
    heading: str
    table_header: str
    language: Language


@dataclass(frozen=True, slots=True)
class Source:
    """A document with its chunks."""

    path: str
    text: str
    format: str
    markdown: bool
    titles: frozenset[str]
    """Keys of what its first line and its name call it."""
    chunks: tuple[Chunk, ...]


def source_of(path: str, document: Document, chunks: tuple[Chunk, ...]) -> Source:
    """A document with what it is called."""
    titles = frozenset([key_of(_first_line(document.text, document.markdown)), *stem_titles(path)]) - {""}
    return Source(path, document.text, document.format, document.markdown, titles, chunks)


def _first_line(text: str, markdown: bool) -> str:
    """The title that a text begins with; empty where it begins with prose."""
    head = text[:_HEAD]
    if markdown and (outline := Outline(head)).headings:
        return outline.heading_at(outline.headings[0])
    line, _, rest = head.lstrip().partition("\n")
    return line if rest.startswith("\n") and len(line) <= _LONGEST_TITLE else ""


def rows(catalog: Catalog, seed: int) -> list[DocumentRow]:
    """The documents that are indexed now, in the order of the seed."""
    active = catalog.generations.active()
    found = [row for row in (catalog.documents(active.id) if active else ()) if row.chunks]
    random.Random(seed).shuffle(found)
    return found


def read(catalog: Catalog, row: DocumentRow) -> Source | None:
    """A document with its live chunks; None where its text is gone."""
    held = catalog.text(row.load)
    if held is None:
        return None
    return source_of(row.path, held, tuple(_chunks(catalog, row, held.text)))


def _chunks(catalog: Catalog, row: DocumentRow, whole: str) -> Iterator[Chunk]:
    at = 0
    for node, text in catalog.nodes(row.id):
        if not node.leaf or not text.strip():
            continue
        # Node parsers that rewrite text keep no offsets; what they left as it was is found all the same.
        start = node.start if node.start is not None else whole.find(text, at)
        if start < 0 or not whole.startswith(text, start):
            continue
        at = start
        yield Chunk(node.id, text, start, node.heading, node.table_header, language_of(text))

"""The text of documents, in compressed blocks, so that a passage costs the reading of one or two of them."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, bindparam, delete, insert, select, tuple_

from pipelines.catalog.tables import blocks, contents, documents, vetted
from pipelines.documents import Document

BLOCK = 8192
"""Characters in a block."""

_KNOWN = select(contents.c.key).where(contents.c.key == bindparam("of"))
_ADD_CONTENT, _ADD_BLOCKS = insert(contents), insert(blocks)


def write(connection: Connection, key: str, document: Document) -> None:
    """Store a document's text under its load fingerprint, once."""
    if connection.scalar(_KNOWN, {"of": key}) is not None:
        return
    connection.execute(
        _ADD_CONTENT,
        {
            "key": key,
            "format": document.format,
            "markdown": document.markdown,
            "pages": json.dumps(document.pages),
            "encoding": document.encoding,
            "notes": json.dumps(document.notes, ensure_ascii=False),
        },
    )
    text = document.text
    rows = [
        {"key": key, "number": number, "data": pack(text[offset : offset + BLOCK])}
        for number, offset in enumerate(range(0, len(text), BLOCK))
    ]
    if rows:
        connection.execute(_ADD_BLOCKS, rows)


def read(connection: Connection, key: str) -> Document | None:
    """The document stored under a load fingerprint, or None."""
    row = connection.execute(select(contents).where(contents.c.key == key)).one_or_none()
    if row is None:
        return None
    query = select(blocks.c.data).where(blocks.c.key == key).order_by(blocks.c.number)
    return Document(
        text="".join(unpack(data) for data in connection.scalars(query)),
        format=row.format,
        markdown=row.markdown,
        pages=tuple(json.loads(row.pages)),
        encoding=row.encoding,
        notes=tuple(json.loads(row.notes)),
    )


def read_spans(
    connection: Connection, spans: Iterable[tuple[str, int, int]]
) -> dict[tuple[str, int, int], str]:
    """The text of (key, start, end) spans; a span whose text is gone is left out."""
    spans = list(spans)
    wanted = {
        (key, number)
        for key, start, end in spans
        for number in range(start // BLOCK, max(end - 1, start) // BLOCK + 1)
    }
    held = _blocks(connection, wanted)
    found = {}
    for key, start, end in spans:
        first = start // BLOCK
        numbers = range(first, max(end - 1, start) // BLOCK + 1)
        if all((key, number) in held for number in numbers):
            joined = "".join(held[key, number] for number in numbers)
            found[key, start, end] = joined[start - first * BLOCK : end - first * BLOCK]
    return found


# By each half of the primary key first: for a list of pairs alone SQLite scans the whole table.
_BLOCKS = select(blocks.c.key, blocks.c.number, blocks.c.data).where(
    blocks.c.key.in_(bindparam("keys", expanding=True)),
    blocks.c.number.in_(bindparam("numbers", expanding=True)),
    tuple_(blocks.c.key, blocks.c.number).in_(bindparam("wanted", expanding=True)),
)


def _blocks(connection: Connection, wanted: Iterable[tuple[str, int]]) -> Mapping[tuple[str, int], str]:
    pairs = sorted(wanted)
    if not pairs:
        return {}
    keys, numbers = sorted({key for key, _ in pairs}), sorted({number for _, number in pairs})
    rows = connection.execute(_BLOCKS, {"keys": keys, "numbers": numbers, "wanted": pairs})
    return {(row.key, row.number): unpack(row.data) for row in rows}


def drop_unused(connection: Connection) -> int:
    """Delete the texts that no document refers to; the number deleted."""
    used = select(documents.c.load)
    connection.execute(delete(blocks).where(blocks.c.key.not_in(used)))
    connection.execute(delete(vetted).where(vetted.c.key.not_in(used)))
    return connection.execute(delete(contents).where(contents.c.key.not_in(used))).rowcount


def pack(text: str) -> bytes:
    """Compress a text; level 1, since higher ones cost more time than they save room."""
    return zlib.compress(text.encode("utf-8", "surrogatepass"), 1)


def unpack(data: bytes) -> str:
    """The text of a compressed block."""
    return zlib.decompress(data).decode("utf-8", "surrogatepass")

"""CSV and TSV -> a Markdown table."""

from __future__ import annotations

import csv
import io

from pipelines.documents import Document
from pipelines.reading.encodings import decode
from pipelines.reading.options import ReadOptions
from pipelines.reading.tables import markdown_table

_FIELD_LIMIT = 10_000_000


def read(content: bytes, options: ReadOptions) -> Document:
    """All rows, the first as the header."""
    decoded = decode(content, encoding=options.encoding)
    text = decoded.text.lstrip("\n")
    delimiter = "\t" if options.format == "tsv" else separator(text)
    csv.field_size_limit(_FIELD_LIMIT)
    rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if any(row)]
    return Document(
        text=markdown_table(rows) + "\n",
        format=options.format,
        markdown=True,
        encoding=decoded.encoding,
        notes=decoded.notes,
    )


def separator(text: str) -> str:
    """The separator that the first lines agree on best."""
    lines = text.split("\n", 20)[:20]
    lines = [line for line in lines if line.strip()]

    def agreement(delimiter: str) -> tuple[float, int]:
        counts = [line.count(delimiter) for line in lines]
        most = max(set(counts), key=counts.count, default=0)
        return (counts.count(most) / len(counts) if most else 0.0, most)

    return max((",", ";", "\t", "|"), key=agreement) if lines else ","

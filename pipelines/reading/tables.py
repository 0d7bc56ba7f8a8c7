"""Rows -> a Markdown table."""

from __future__ import annotations

from collections.abc import Sequence


def cell(text: str) -> str:
    """One cell on one line, its bars escaped."""
    return " ".join(text.split()).replace("|", "\\|")


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """A table whose first row is its header; rows and columns without any text are left out."""
    kept = [[cell(text) for text in row] for row in rows]
    width = max((len(row) for row in kept), default=0)
    kept = [row + [""] * (width - len(row)) for row in kept if any(row)]
    columns = [column for column in range(width) if any(row[column] for row in kept)]
    if not kept or not columns:
        return ""
    lines = ["| " + " | ".join(row[column] for column in columns) + " |" for row in kept]
    lines.insert(1, "|" + " --- |" * len(columns))
    return "\n".join(lines)

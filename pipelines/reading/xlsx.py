"""Excel -> Markdown: a heading for each sheet, a table for each block of cells, values in place of formulas."""

from __future__ import annotations

import datetime
import io
import re
import warnings
import zipfile
from collections.abc import Iterator
from typing import Any

from pipelines.documents import Document
from pipelines.errors import Quarantined
from pipelines.reading.archives import opened
from pipelines.reading.characters import clean, join_lines
from pipelines.reading.options import ReadOptions
from pipelines.reading.tables import markdown_table

Row = list[str]

MAX_COLUMNS = 1_000
"""Columns read of a row; what lies beyond is a stray cell."""

_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s+ref="([A-Z]{1,3})(\d+):([A-Z]{1,3})(\d+)"')


def read(content: bytes, options: ReadOptions) -> Document:
    """All sheets that hold something, hidden ones included."""
    import openpyxl  # type: ignore[import-untyped]

    archive = opened(content, "Excel")
    with archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl warns about styles and extensions that hold no text
        # read_only streams the rows: a sheet with one stray cell far away costs nothing.
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        parts: list[str] = []
        try:
            for sheet in book.worksheets:
                rows = _rows(sheet, _merges(archive, sheet))
                blocks = list(_blocks(rows))
                if blocks:
                    parts += [f"## {join_lines(sheet.title)}", *blocks]
        finally:
            book.close()
    if not parts:
        raise Quarantined("no cell with a value was found in it")
    return Document(text=clean("\n\n".join(parts)) + "\n", format="xlsx", markdown=True)


def _merges(archive: zipfile.ZipFile, sheet: Any) -> list[tuple[int, int, int, int]]:
    """The merged ranges of a sheet: first row, first column, last row, last column (from 1)."""
    try:
        source = archive.read(sheet._worksheet_path.lstrip("/"))
    except (KeyError, AttributeError):
        return []
    found = _MERGED.findall(source)[:50_000]
    return [(int(top), _number(left), int(bottom), _number(right)) for left, top, right, bottom in found]


def _number(column: bytes) -> int:
    """`A` -> 1, `AA` -> 27."""
    number = 0
    for letter in column:
        number = number * 26 + letter - 64
    return number


def _rows(sheet: Any, merges: list[tuple[int, int, int, int]]) -> list[Row]:
    """The sheet's rows as text; a merged range shows its value in each of its cells, a title only once."""
    sheet.reset_dimensions()
    rows: dict[int, Row] = {}
    for number, cells in enumerate(sheet.iter_rows(), 1):
        row = [_value(cell) for cell in cells[:MAX_COLUMNS]]
        if any(row):
            rows[number] = row
    for top, left, bottom, right in merges:
        if top not in rows or left > len(rows[top]) or not rows[top][left - 1]:
            continue
        value = rows[top][left - 1]
        alone = sum(map(bool, rows[top])) == 1
        for number in range(top, min(bottom, top + 2_000) + 1):
            row = rows.get(number, [])
            if not any(row):
                continue
            last = left if alone and number == top else min(right, MAX_COLUMNS)
            row.extend([""] * (last - len(row)))
            for column in range(left - 1, last):
                row[column] = row[column] or value
    last_row = max(rows, default=0)
    return (
        [rows.get(number, []) for number in range(1, last_row + 1)]
        if last_row < 200_000
        else list(rows.values())
    )


def _value(cell: Any) -> str:
    """A cell as a person sees it, nearly."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, datetime.datetime):
        return str(value.date() if value.time() == datetime.time() else value)
    if isinstance(value, int | float):
        style = str(getattr(cell, "number_format", "") or "")
        if style.rstrip('"').endswith("%"):
            return f"{round(value * 100, 6):.15g}%"
        return f"{value:.15g}" if isinstance(value, float) else str(value)
    return str(value)


def _blocks(rows: list[Row]) -> Iterator[str]:
    """Tables and single lines: a blank row ends a table where what follows looks like a new header."""
    table: list[Row] = []
    gap = False
    for number, row in enumerate(rows):
        filled = [text for text in row if text]
        if not filled:
            gap = True
            continue
        # A row with one cell is a title where a table starts, a section row inside one.
        title = len(set(filled)) == 1 and (gap or not table) and not _is_number(filled[0])
        fresh = gap and (title or _is_header(row, rows[number + 1 : number + 3]))
        again = (
            len(table) > 1
            and len(filled) > 1
            and _first(row) == _first(table[0])
            and any(map(_is_number, table[-1]))
        )
        if table and (fresh or again):
            yield _table(table)
            table = []
        if title and not table:
            yield join_lines(filled[0])
        else:
            table.append(row)
        gap = False
    if table:
        yield _table(table)


def _table(rows: list[Row]) -> str:
    """A table whose header may stand in two rows: a sparse one of groups above one of names."""
    if len(rows) > 2 and not any(map(_is_number, rows[1])) and _is_header(rows[1], rows[2:4]):
        above, below = rows[0], rows[1]
        if not any(map(_is_number, above)) and sum(map(bool, above)) <= sum(map(bool, below)):
            width = max(len(above), len(below))
            pairs = zip(above + [""] * (width - len(above)), below + [""] * (width - len(below)), strict=True)
            rows = [[" ".join(dict.fromkeys(filter(None, pair))) for pair in pairs], *rows[2:]]
    return markdown_table(rows)


def _first(row: Row) -> tuple[int, str]:
    """The place and text of a row's first filled cell."""
    return next(((place, text) for place, text in enumerate(row) if text), (0, ""))


def _is_number(text: str) -> bool:
    """Whether a cell holds an amount, or stands for a missing one; a year is a name."""
    if re.fullmatch(r"(?:19|20)\d\d", text):
        return False
    return re.fullmatch(r"[-+(]?[\d.,]+(?:e[-+]?\d+)?%?\)?|[-–—]|n/?a", text, re.I) is not None


def _is_header(row: Row, following: list[Row]) -> bool:
    """Whether a row is all words above rows with numbers."""
    words = [text for text in row if text]
    numbers = any(_is_number(text) for below in following for text in below if text)
    return len(words) > 1 and numbers and not any(_is_number(text) for text in words)

"""Start, text and end of HTML elements in -> Markdown out."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipelines.reading.characters import CJK, join_lines
from pipelines.reading.tables import markdown_table

_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BLOCKS = frozenset(
    "p div section article aside main header footer blockquote dl dt dd figure figcaption address details "
    "summary fieldset legend form center body html hr ul ol".split()
)
_MARKUP_START = re.compile(r"^(#{1,6} |\||```)")


@dataclass
class _Cell:
    """A table cell being filled."""

    rows: int
    columns: int
    header: bool
    blocks: list[str] = field(default_factory=list)
    structured: bool = False


@dataclass
class _Table:
    """A table being filled, row by row."""

    rows: list[list[_Cell]] = field(default_factory=list)
    caption: str = ""


class MarkdownWriter:
    """Collects blocks; text runs become one line per paragraph, however the source was wrapped."""

    def __init__(self) -> None:
        self._blocks: list[str] = []
        self._inline: list[str] = []
        self._heading = 0
        self._lists: list[int] = []
        self._marker = ""
        self._preformatted = 0
        self._open: list[tuple[_Table, _Cell | None]] = []

    def text(self) -> str:
        """All blocks, a blank line between them, list items on consecutive lines."""
        self._flush()
        while self._open:
            self.end("table")
        pieces: list[str] = []
        previous = ""
        for block in self._blocks:
            tight = _is_item(previous) and _is_item(block)
            pieces.append(("\n" if tight else "\n\n") if pieces else "")
            pieces.append(block)
            previous = block
        return "".join(pieces) + ("\n" if pieces else "")

    def data(self, text: str | None) -> None:
        """Text, as it stands in the source."""
        if text:
            self._inline.append(text if self._preformatted else text.replace("\xa0", " "))

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""
        if tag in _HEADINGS:
            self._flush()
            self._heading = _HEADINGS[tag]
            self._structure()
        elif tag == "br":
            self._inline.append("\n" if self._preformatted else "\x00")
        elif tag == "pre":
            self._flush()
            self._preformatted += 1
        elif tag == "li":
            self._flush()
            self._begin_item()
        elif tag in ("table", "tr", "td", "th", "caption"):
            self._flush()
            self._begin_table_part(tag, attributes)
        elif tag in _BLOCKS:
            self._flush()
            if tag in ("ul", "ol"):
                self._lists.append(1 if tag == "ol" else 0)

    def end(self, tag: str) -> None:
        """An element ends."""
        if tag in _HEADINGS:
            self._flush()
            self._heading = 0
        elif tag == "pre":
            self._flush_code()
        elif tag == "caption" and self._open:
            self._open[-1][0].caption = join_lines("".join(self._inline).replace("\x00", " "))
            self._inline.clear()
        elif tag in ("table", "tr", "td", "th", "li") or tag in _BLOCKS:
            self._flush()
            if tag in ("ul", "ol") and self._lists:
                self._lists.pop()
            elif tag in ("td", "th") and self._open:
                self._open[-1] = (self._open[-1][0], None)
            elif tag == "table" and self._open:
                self._end_table()

    def _begin_item(self) -> None:
        """Set the marker that the next paragraph carries."""
        depth = max(len(self._lists) - 1, 0)
        number = self._lists[-1] if self._lists else 0
        if number:
            self._lists[-1] += 1
        self._marker = "  " * min(depth, 8) + (f"{number}. " if number else "- ")

    def _begin_table_part(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Open a table, a row or a cell."""
        if tag == "table":
            self._structure()
            self._open.append((_Table(), None))
        elif self._open and tag == "tr":
            self._open[-1][0].rows.append([])
        elif self._open and tag in ("td", "th"):
            table = self._open[-1][0]
            cell = _Cell(_span(attributes, "rowspan"), _span(attributes, "colspan"), tag == "th")
            if not table.rows:
                table.rows.append([])
            table.rows[-1].append(cell)
            self._open[-1] = (table, cell)

    def _structure(self) -> None:
        """Mark the cell in hand as layout: it holds a heading or another table."""
        if self._open and self._open[-1][1]:
            self._open[-1][1].structured = True

    def _emit(self, block: str) -> None:
        """Add a block to the cell in hand, or to the document."""
        cell = self._open[-1][1] if self._open else None
        (self._blocks if cell is None else cell.blocks).append(block)

    def _flush(self) -> None:
        """Close the paragraph in hand."""
        if self._preformatted:
            return
        raw = "".join(self._inline)
        self._inline.clear()
        for paragraph in re.split("\x00\\s*\x00", raw):
            lines = [line for line in map(join_lines, paragraph.split("\x00")) if line]
            if lines:
                self._paragraph(lines)

    def _paragraph(self, lines: list[str]) -> None:
        """Add a paragraph, heading or list item; its lines were divided by `<br>`."""
        if self._heading:
            self._emit("#" * self._heading + " " + " ".join(lines))
        elif self._marker:
            self._emit(self._marker + " ".join(lines))
            self._marker = ""
        else:
            self._emit("\n".join(_MARKUP_START.sub(r"\\\1", line) for line in lines))

    def _flush_code(self) -> None:
        """Close a preformatted block."""
        self._preformatted = max(self._preformatted - 1, 0)
        code = "".join(self._inline).strip("\n").rstrip()
        self._inline.clear()
        if code.strip():
            fence = "````" if "```" in code else "```"
            self._emit(f"{fence}\n{code}\n{fence}")

    def _end_table(self) -> None:
        """Write the table in hand: as a table where it holds data, as paragraphs where it is layout."""
        table, _ = self._open.pop()
        if table.caption:
            self._emit(table.caption)
        rows = [row for row in table.rows if any(cell.blocks for cell in row)]
        layout = any(cell.structured for row in rows for cell in row)
        if not layout and len(rows) > 1 and max(len(row) for row in rows) > 1:
            written = markdown_table(_grid(table.rows))
            if written.count("|", 0, written.find("\n")) > 2:
                self._emit(written)
                return
        for row in rows:
            if all(len(cell.blocks) <= 1 and not cell.structured for cell in row):
                self._emit("  ".join(" ".join(cell.blocks) for cell in row if cell.blocks))
            else:
                for cell in row:
                    for block in cell.blocks:
                        self._emit(block)


def _is_item(block: str) -> bool:
    return re.match(r"\s*(?:- |\d+\. )", block) is not None and "\n" not in block


def _span(attributes: Mapping[str, str], name: str) -> int:
    """A row or column span, 1 where it is missing or absurd."""
    value = attributes.get(name, "1").strip()
    return min(max(int(value), 1), 200) if value.isascii() and value.isdigit() else 1


def _grid(rows: list[list[_Cell]]) -> list[list[str]]:
    """Cells at their columns: a tall cell is repeated down its rows, a wide one across in the header only."""
    grid: list[list[str]] = []
    falling: dict[int, tuple[int, str]] = {}
    for row in rows:
        line: list[str] = []
        cells = deque(row)
        while cells or any(column >= len(line) for column in falling):
            column = len(line)
            if column in falling:
                left, text = falling.pop(column)
                line.append(text)
                if left > 1:
                    falling[column] = (left - 1, text)
            elif not cells:
                line.append("")
            else:
                cell = cells.popleft()
                for offset in range(cell.columns):
                    text = _cell_text(cell) if offset == 0 or not grid else ""
                    line.append(text)
                    if cell.rows > 1:
                        falling[column + offset] = (cell.rows - 1, text)
        if any(cell.blocks for cell in row):
            grid.append(line)
    return grid


def _cell_text(cell: _Cell) -> str:
    """A cell's paragraphs and list items on one line."""
    parts = [re.sub(r"^\s*(?:- |```)", "", block) for block in cell.blocks]
    text = " ".join(part.replace("\n", " ") for part in parts)
    return re.sub(f"(?<=[{CJK}]) (?=[{CJK}])", "", text)

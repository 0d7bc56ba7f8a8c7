"""One PDF page -> its lines, with their places."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from ctypes import c_double, c_int, create_string_buffer
from statistics import median
from typing import Any

from pipelines.reading.layout import Cell, Line

_LEADERS = re.compile(r"(?:\s?[.·]){5,}|…{2,}")
_GAP = 1.7
"""A gap wider than this many letter heights divides a line into cells."""


Letter = tuple[str, float, float, float, float]
"""A character with its left and right edge, its base line (growing downward) and its size."""


def page_lines(page: Any) -> list[Line]:
    """The lines of a page in the order of its text stream; stray sideways ones (margin stamps) are left out."""
    import pypdfium2.raw as pdfium  # type: ignore[import-untyped]

    text_page = page.get_textpage()
    try:
        by_turn: dict[int, int] = {}
        lines: list[tuple[int, Line]] = []
        for turn, letters, bold in _runs(pdfium, text_page):
            line = _line(letters, bold)
            by_turn[turn] = by_turn.get(turn, 0) + len(letters)
            if lines and lines[-1][0] == turn and _beside(lines[-1][1], line):
                _append(lines[-1][1], line)
            else:
                lines.append((turn, line))
    finally:
        text_page.close()
    total = sum(by_turn.values())
    return [line for turn, line in lines if by_turn[turn] > 0.2 * total]


def _runs(pdfium: Any, text_page: Any) -> Iterator[tuple[int, list[Letter], bool]]:
    """Lines as the text stream has them: quarter turns, letters, and whether all are bold."""
    rect, x, y = pdfium.FS_RECTF(), c_double(), c_double()
    letters: list[Letter] = []
    bold = True
    size, turn = 0.0, 0
    for index in range(text_page.count_chars()):
        code = pdfium.FPDFText_GetUnicode(text_page, index)
        ended = code in (10, 13)
        if code == 32 and letters:
            letters.append((" ", *letters[-1][1:]))
        if not ended and (code in (0, 32) or not pdfium.FPDFText_GetLooseCharBox(text_page, index, rect)):
            continue
        if not ended:
            if len(letters) % 8 == 0 or not letters:
                size, now = _letter_size(pdfium, text_page, index)
                size = size or rect.top - rect.bottom
                ended = bool(letters) and now != turn
            pdfium.FPDFText_GetCharOrigin(text_page, index, x, y)
            letter = (chr(code), *_upright(now, rect, x.value, y.value), size)
            # pdfium sometimes runs one line into the next, most of all after a hyphen.
            back = (
                bool(letters) and letter[1] < letters[-1][1] and abs(letter[3] - letters[-1][3]) > 0.7 * size
            )
            ended = ended or back
        if ended and letters:
            if not all(each[0].isspace() for each in letters):
                yield turn, letters, bold
            letters, bold = [], True
        if code not in (10, 13):
            turn = now
            if bold and len(letters) % 8 == 0:
                bold = _is_bold(pdfium, text_page, index)
            letters.append(letter)
    if letters and not all(each[0].isspace() for each in letters):
        yield turn, letters, bold


def _upright(turn: int, rect: Any, x: float, y: float) -> tuple[float, float, float]:
    """Left edge, right edge and base line as they would be if the text ran from left to right."""
    if turn == 1:
        return rect.bottom, rect.top, x
    if turn == 2:
        return -rect.right, -rect.left, y
    if turn == 3:
        return -rect.top, -rect.bottom, -x
    return rect.left, rect.right, -y


def _letter_size(pdfium: Any, text_page: Any, index: int) -> tuple[float, int]:
    """A character's size in points (the font's, times the text matrix), and its quarter turns to the left."""
    matrix = pdfium.FS_MATRIX()
    if not pdfium.FPDFText_GetMatrix(text_page, index, matrix):
        return 0.0, 0
    size = pdfium.FPDFText_GetFontSize(text_page, index) * math.hypot(matrix.c, matrix.d)
    return float(size), round(math.atan2(matrix.b, matrix.a) / (math.pi / 2)) % 4


def _line(letters: list[Letter], bold: bool) -> Line:
    """Letters as a line."""
    visible = [letter for letter in letters if not letter[0].isspace()]
    size = median(letter[4] for letter in visible)
    base = median(letter[3] for letter in visible)
    return Line(_cells(letters, visible[0][1], size), base - size, base, size, bold)


def _is_bold(pdfium: Any, text_page: Any, index: int) -> bool:
    """Whether a character's font is bold, by its weight or its name."""
    if pdfium.FPDFText_GetFontWeight(text_page, index) >= 600:
        return True
    flags, name = c_int(), create_string_buffer(128)
    pdfium.FPDFText_GetFontInfo(text_page, index, name, 128, flags)
    return b"bold" in name.value.lower()


def _cells(letters: list[Letter], left: float, size: float) -> list[Cell]:
    """The letters of a line, cut at wide gaps."""
    cells: list[Cell] = []
    text: list[str] = []
    right = left
    for character, start, end, _, _ in letters:
        if character.isspace():
            text.append(" ")
            continue
        if start - right > _GAP * size and "".join(text).strip():
            cells.append(Cell(_squeezed(text), left, right))
            text, left = [], start
        text.append(character)
        right = max(end, start)
    cells.append(Cell(_squeezed(text), left, right))
    return cells


def _squeezed(text: list[str]) -> str:
    """The run's text, its leader dots shortened."""
    return " ".join(_LEADERS.sub(" … ", "".join(text)).split())


def _beside(before: Line, line: Line) -> bool:
    """Whether two runs stand on one line: a superscript, or the cells of a row."""
    overlap = min(before.bottom, line.bottom) - max(before.top, line.top)
    return overlap > 0.4 * min(before.size, line.size) and line.left > before.right - 0.3 * line.size


def _append(before: Line, line: Line) -> None:
    """Make a run the rest of the line before."""
    first, last = line.cells[0], before.cells[-1]
    gap = first.left - last.right
    if gap > _GAP * before.size:
        before.cells.extend(line.cells)
    else:
        last.text += (" " if gap > 0.15 * before.size else "") + first.text
        last.right = first.right
        before.cells.extend(line.cells[1:])
    if line.size > before.size and line.right - line.left > before.right - before.left:
        before.size = line.size
    before.bold = before.bold and line.bold

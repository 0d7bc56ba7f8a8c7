"""Pixels -> lines with their places, by RapidOCR (its models come in the wheel)."""

from __future__ import annotations

import re
import threading
from functools import cache
from typing import Any

from pipelines.extras import require
from pipelines.reading.layout import Cell, Line

DPI = 200
"""Resolution at which PDF pages are rendered."""

_LOST_SPACE = re.compile(r"(?<=[a-z])(?=[A-Z][a-z])|(?<=[,;:!?])(?=[A-Za-z])|(?<=[a-z)]\.)(?=[A-Z])")
_LOCK = threading.Lock()


@cache
def _engine() -> Any:
    """The recogniser; about a second to load."""
    return require("rapidocr_onnxruntime", extra="ocr", what="ocr: true").RapidOCR()


def recognise(pixels: Any, scale: float) -> list[Line]:
    """The lines of an image (height × width × BGR); places are multiplied by `scale`."""
    with _LOCK:
        result, _ = _engine()(pixels)
    found: list[Line] = []
    for box, text, score in result or []:
        if float(score) < 0.5 or not text.strip():
            continue
        left, right = min(point[0] for point in box) * scale, max(point[0] for point in box) * scale
        top, bottom = min(point[1] for point in box) * scale, max(point[1] for point in box) * scale
        cell = Cell(_spaced(" ".join(text.split())), float(left), float(right))
        found.append(Line([cell], float(top), float(bottom), 0.8 * float(bottom - top)))
    return _rows(found)


def _spaced(text: str) -> str:
    """Spaces that the Chinese model loses in English: at `wordWord`, after commas and between sentences."""
    return _LOST_SPACE.sub(" ", text)


def _rows(lines: list[Line]) -> list[Line]:
    """Runs at one height as one line, from left to right."""
    rows: list[Line] = []
    for line in sorted(lines, key=lambda line: (line.top + line.bottom) / 2):
        last = rows[-1] if rows else None
        middle = (line.top + line.bottom) / 2
        beside = last is not None and all(
            line.left >= cell.right - line.size or line.right <= cell.left + line.size for cell in last.cells
        )
        if (
            last is not None
            and beside
            and last.top + 0.25 * last.size < middle < last.bottom - 0.25 * last.size
        ):
            last.cells = sorted(last.cells + line.cells, key=lambda cell: cell.left)
        else:
            rows.append(line)
    return rows

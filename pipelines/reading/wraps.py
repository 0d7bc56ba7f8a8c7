"""Text that was wrapped at a fixed width -> paragraphs on one line each."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

from pipelines.reading.characters import CJK

_KEPT = re.compile(r"^(?:\s|>|#|\||```|~~~|[-*+•=_]|\d+[.)]|\[|<|$)|(?:  |\\)$")
_FINISHED = re.compile(r"[.!?。！？:：;；][\"'”’)）】」]*\s*$")


def unwrapped(text: str) -> str:
    """Join a line to the next where it is nearly as wide as the paragraph's widest and no sentence ends there."""
    pieces: list[str] = []
    for paragraph in re.split(r"(\n\s*\n)", text):
        lines = paragraph.split("\n")
        widest = max(map(_width, lines))
        if len(lines) < 2 or not 40 <= widest <= 120:
            pieces.append(paragraph)
            continue
        joined = lines[0]
        for above, line in pairwise(lines):
            full = _width(above) > 0.75 * widest
            if _KEPT.search(line) or _KEPT.search(above) or not full:
                joined += "\n" + line
            elif re.search(f"[{CJK}]$", above) and re.match(f"[{CJK}]", line):
                joined += line
            else:
                joined += " " + line
        pieces.append(joined)
    return "".join(pieces)


def _width(line: str) -> int:
    """Columns that a line takes on a terminal."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in line)

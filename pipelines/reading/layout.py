"""Lines of a page with their places -> paragraphs, headings, list items and tables.

A PDF or a scanned page knows only lines. Two of them belong to one paragraph where the next word would not have fitted
on the first line any more: that test, with indents, leading, size and list markers, is all that this module does.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from pipelines.reading.characters import CJK
from pipelines.reading.tables import markdown_table


@dataclass(slots=True)
class Cell:
    """A run of text without a wide gap."""

    text: str
    left: float
    right: float


@dataclass(slots=True)
class Line:
    """One line: its place in points (y grows downward), its letter height, and its runs."""

    cells: list[Cell]
    top: float
    bottom: float
    size: float
    bold: bool = False

    @property
    def text(self) -> str:
        """The whole line."""
        return " ".join(cell.text for cell in self.cells)

    @property
    def left(self) -> float:
        """Left edge."""
        return self.cells[0].left

    @property
    def right(self) -> float:
        """Right edge."""
        return self.cells[-1].right


@dataclass(slots=True)
class Block:
    """A paragraph, heading, list item or table of one page."""

    kind: str
    lines: list[Line] = field(default_factory=list)


_ITEM = re.compile(
    r"^(?:[•●▪▫◦○■□◆◇➢➤✓✔‣⁃–—*·-]\s*(?=\S)|\(?\d{1,2}[.)]\s+|\d{1,2}、|[(（][一二三四五六七八九十\d]{1,3}[)）]"
    r"|[一二三四五六七八九十]{1,3}、|[①-⑳]|\(?[a-zA-Z][.)]\s+|第[一二三四五六七八九十百\d]{1,4}[章节条篇])"
)
_LEADERS = re.compile(" … ")
_NUMBERED = re.compile(
    r"^(?:\d+(?:\.\d+)*\.?\s|第.{1,4}[章节]|[一二三四五六七八九十]+、|[A-Z]\.\s|Appendix|附录)"
)
_FINISHED = re.compile(r"[.!?。！？；;:：…][\"'”’)）】」]*$")
_FIRST_WORD = re.compile(rf"[{CJK}]{{1,2}}|\S+?(?=[\s{CJK}]|$)")
_WORDLIKE = re.compile(rf"[^\W\d_]{{2}}|[{CJK}]")


def body_size(pages: Sequence[Sequence[Line]]) -> float:
    """The letter height that most characters have."""
    counts: Counter[float] = Counter()
    for lines in pages:
        for line in lines:
            counts[round(line.size * 2) / 2] += len(line.text)
    return counts.most_common(1)[0][0] if counts else 0.0


def heading_sizes(pages: Sequence[Sequence[Line]], body: float) -> list[float]:
    """The letter heights of headings, the largest first."""
    found = {round(line.size) for lines in pages for line in lines if _is_large(line, body)}
    return [float(size) for size in sorted(found, reverse=True)]


def blocks(lines: Sequence[Line], body: float) -> list[Block]:
    """One page's lines as blocks, in reading order."""
    leading = _leading(lines)
    edges = _right_edges(lines)
    found: list[Block] = []
    previous = -1
    for number, line in enumerate(lines):
        after = lines[number + 1] if number + 1 < len(lines) else None
        kind = _kind(line, body, lines[number - 1] if number else None, after)
        last = found[-1] if found else None
        if last is not None and _continues(last, kind, lines[previous], line, edges[previous], leading, body):
            last.lines.append(line)
        else:
            found.append(Block(kind, [line]))
        previous = number
    return found


def _kind(line: Line, body: float, before: Line | None, after: Line | None) -> str:
    """What a line begins: bold type is a heading only where it stands alone on one line."""
    text = line.text
    if len(line.cells) > 1 or _LEADERS.search(text):
        return "row"
    if _is_large(line, body):
        return "heading"
    short = len(text) <= 80 and not _FINISHED.search(text)
    alone = not any(near is not None and near.bold and len(near.cells) == 1 for near in (before, after))
    named = _WORDLIKE.search(text) and not text[0].islower()
    if line.bold and short and named and (alone or _NUMBERED.match(text)):
        return "heading"
    return "item" if _ITEM.match(text) else "paragraph"


def _is_large(line: Line, body: float) -> bool:
    """Whether a line is set like a heading."""
    return (
        line.size > 1.16 * body
        and len(line.text) <= 160
        and len(line.cells) == 1
        and _WORDLIKE.search(line.text) is not None
    )


def _continues(
    block: Block, kind: str, above: Line, line: Line, edge: float, leading: float, body: float
) -> bool:
    """Whether a line goes on with the block that ended with the line above."""
    same_size = abs(above.size - line.size) <= 0.13 * max(above.size, line.size)
    step = line.bottom - above.bottom
    if block.kind == "row" or kind == "row":
        return block.kind == kind and 0 < step < 4 * leading
    if step <= 0.3 * line.size or not same_size:
        return False
    if block.kind == "heading" or kind == "heading":
        close = step <= max(1.3 * leading, 1.7 * line.size)
        return block.kind == kind and close and above.bold == line.bold and not _NUMBERED.match(line.text)
    if kind == "item" or step > max(1.3 * leading, 1.25 * line.size) or step > 2.6 * line.size:
        return False
    indent = line.left - above.left
    if indent > 0.8 * body and not (block.kind == "item" and len(block.lines) == 1):
        return False
    if indent < -6 * body or above.right < line.left:
        return False
    long = above.right - above.left > 0.6 * (edge - above.left)
    goes_on = long and line.text[:1].islower() and not _FINISHED.search(above.text)
    return goes_on or _is_full(above, line, edge)


def _is_full(above: Line, line: Line, edge: float) -> bool:
    """Whether the next line's first word would not have fitted on the line above."""
    text = line.text
    word = _FIRST_WORD.match(text)
    width = (line.right - line.left) * (len(word.group()) if word else 1) / max(len(text), 1)
    return above.right + width + 0.9 * line.size > edge


def _leading(lines: Sequence[Line]) -> float:
    """The usual distance from line to line."""
    steps = [
        round(below.bottom - above.bottom, 1)
        for above, below in pairwise(lines)
        if 0.5 * below.size < below.bottom - above.bottom < 2.6 * below.size
        and abs(above.size - below.size) < 0.1 * below.size
    ]
    return Counter(steps).most_common(1)[0][0] if steps else 14.0


def _right_edges(lines: Sequence[Line]) -> list[float]:
    """For each line, the right edge of the column it stands in."""
    runs: list[list[int]] = []
    for number, line in enumerate(lines):
        above = lines[number - 1] if number else None
        apart = (
            above is None
            or line.bottom <= above.bottom
            or line.left > above.right
            or line.right < above.left
            or abs(line.left - above.left) > 8 * line.size
        )
        if apart:
            runs.append([])
        runs[-1].append(number)
    edges = [0.0] * len(lines)
    for run in runs:
        edge = max(lines[number].right for number in run)
        for number in run:
            edges[number] = edge
    return edges


def is_unfinished(block: Block) -> bool:
    """Whether a paragraph stops in mid-sentence, as at the foot of a page."""
    return block.kind in ("paragraph", "item") and not _FINISHED.search(block.lines[-1].text)


def may_follow(block: Block) -> bool:
    """Whether a block can be the rest of a paragraph that began on the page before."""
    first = block.lines[0].text[:1]
    return block.kind == "paragraph" and (first.islower() or re.match(f"[{CJK}]", first) is not None)


def block_text(block: Block, levels: Sequence[float], known: frozenset[str]) -> str:
    """A block as Markdown; `known` holds the document's words."""
    if block.kind == "row":
        return _table_text(block.lines)
    text = joined([line.text for line in block.lines], known)
    if block.kind == "heading" and len(text) <= 160 and _WORDLIKE.search(text):
        size = round(block.lines[0].size)
        rank = next((place for place, level in enumerate(levels) if size >= level), len(levels))
        return "#" * min(rank + 1, 5) + " " + text
    return re.sub(r"^(#{1,6} |\||```)", r"\\\1", text)


def joined(lines: Sequence[str], known: frozenset[str]) -> str:
    """Wrapped lines as one: nothing between Chinese characters, a space elsewhere, hyphenation mended."""
    lines = [re.sub(r"(?<=\W)\x02$", "", line) for line in lines]
    text = lines[0]
    for line in lines[1:]:
        if not line:
            continue
        if re.search(r"[^\W\d_][-\u2010\x02]$", text) and re.match(r"[^\W\d_A-Z]", line):
            end, start = re.search(r"\w+$", text[:-1]), re.match(r"\w+", line)
            halves = (end.group() if end else "").lower(), (start.group() if start else "").lower()
            whole = "".join(halves) in known or not all(len(half) > 2 and half in known for half in halves)
            text = text[:-1] + ("" if whole and "-".join(halves) not in known else "-") + line
        elif re.search(f"[{CJK}]$", text) and re.match(f"[{CJK}]", line):
            text += line
        else:
            text += ("" if text.endswith(("-", "/", "\x02")) else " ") + line
        text = text.replace("\x02", "-")
    return text.replace("\x02", "-")


def _table_text(lines: Sequence[Line]) -> str:
    """Consecutive rows as a table where their columns agree, else one row a line."""
    columns = _columns(lines)
    if len(lines) > 1 and 1 < len(columns) <= 16:
        grid = [[""] * len(columns) for _ in lines]
        fits = True
        for row, line in zip(grid, lines, strict=True):
            for cell in line.cells:
                place = next(
                    n for n, (left, right) in enumerate(columns) if cell.left < right and cell.right > left
                )
                fits = fits and not row[place]
                row[place] = cell.text
        if fits:
            return markdown_table(grid)
    return "\n".join("  ".join(cell.text for cell in line.cells) for line in lines)


def _columns(lines: Sequence[Line]) -> list[tuple[float, float]]:
    """Columns as ranges of x: cells that overlap in x share one."""
    ranges = sorted((cell.left, max(cell.right, cell.left + 0.1)) for line in lines for cell in line.cells)
    merged: list[tuple[float, float]] = []
    for left, right in ranges:
        if merged and left < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], right))
        else:
            merged.append((left, right))
    return merged

"""Sentences packed into chunks of at most so many tokens, as spans of the text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pipelines.text.outline import Outline
from pipelines.text.sentences import Span, clause_spans, sentences
from pipelines.text.tokens import count_tokens, encoding, tokenize

# A chunk ends at a heading when it is filled this far, and at a line end rather than in a paragraph when this far.
_HEADING_FILL = 0.5
_LINE_FILL = 0.85
# Sums of counts are off by a token or so at a chunk's trimmed ends: this near the limit the chunk itself is counted.
_MARGIN = 8
# A word after one of these is counted the same whatever stands before.
_APART = frozenset(" \t\r\n")


class Chunk(NamedTuple):
    """A span of a text."""

    start: int
    end: int
    tokens: int | None
    """How many there are in it, exactly; None where packing did not need to know."""


class _Unit(NamedTuple):
    """A sentence, or a part of one that is too long for a chunk."""

    start: int
    end: int
    tokens: int
    heading: bool
    line_end: bool
    counted: int
    """Where the text ends whose tokens were counted; 0 where they don't add up with those of the next unit."""


def pack(text: str, chunk_size: int, overlap: int, *, markdown: bool = False) -> list[Chunk]:
    """Chunks with no white space at their ends, none above `chunk_size` tokens.

    Each begins with what ended the one before it, whole sentences or else whole clauses, up to `overlap`
    tokens. In Markdown a heading begins a chunk when the one before it is at least half full, and never ends
    one; nothing overlaps across it, so that an edit shifts no border beyond the next few sections.
    """
    if len(text) <= chunk_size and len(text.encode("utf-8", "replace")) <= chunk_size and not markdown:
        whole = Chunk(*_trim(text, 0, len(text)), None)  # no token is less than a byte
        return [whole] if text.strip() else []
    headings = frozenset(Outline(text).headings) if markdown else frozenset[int]()
    units = list(_units(text, chunk_size, headings))
    chunks: list[Chunk] = []
    first, repeated, start, carried = 0, 0, 0, 0
    while first < len(units):
        last, used = _fill(units, first, carried, chunk_size)
        span = _trim(text, start, units[last - 1].end)
        tokens: int | None = None
        while used > chunk_size - _MARGIN and (tokens := count_tokens(text[slice(*span)])) > chunk_size:
            if last - 1 > first:
                last -= 1
            elif start < units[first].start:
                start = units[first].start
            else:
                break  # a single character of more tokens than a chunk may have
            span = _trim(text, start, units[last - 1].end)
        chunks.append(Chunk(*span, _sum(text, span, units[repeated:last]) if tokens is None else tokens))
        repeated, start, carried = _carry(text, units, first, last, chunk_size, overlap)
        first = last
    return chunks


def _sum(text: str, span: Span, units: Sequence[_Unit]) -> int | None:
    """The tokens of a chunk of these units, where they add up; at its trimmed ends they are counted."""
    if len(units) < 3 or not all(unit.counted for unit in units[:-1]):
        return None
    head, tail = text[span[0] : units[0].counted], text[units[-2].counted : span[1]]
    return count_tokens(head) + sum(unit.tokens for unit in units[1:-1]) + count_tokens(tail)


def _units(text: str, chunk_size: int, headings: frozenset[int]) -> Iterator[_Unit]:
    limit = chunk_size - _MARGIN
    lead = ""
    end = 0
    for sentence in sentences(text):
        start, end = end, end + len(sentence)
        body = sentence.rstrip()
        if not body:
            lead += sentence
            continue
        # Counts add up exactly when white space is counted with the word after it, but a line break with
        # the mark before it: so does the encoding's pattern.
        rest = sentence[len(body) :]
        body = lead + body
        if "\n" in rest and not body[-1].isalnum():
            space = rest.lstrip("\r\n")
            body += rest[: len(rest) - len(space)]
            rest = space
        lead = rest
        apart = body[-1] == "\n" or rest[:1] in _APART
        counted = end - len(rest) if apart else 0
        unit = _Unit(start, end, count_tokens(body), start in headings, sentence[-1] == "\n", counted)
        if unit.tokens > limit and count_tokens(sentence.strip()) > chunk_size:
            yield from _parts(text, unit, chunk_size)
        else:
            yield unit


def _parts(text: str, unit: _Unit, chunk_size: int) -> Iterator[_Unit]:
    for first, last in clause_spans(text[unit.start : unit.end]):
        start, end = unit.start + first, unit.start + last
        for cut, stop in _hard_cuts(text, start, end, chunk_size):
            tokens = count_tokens(text[cut:stop])
            heading, line_end = unit.heading and cut == unit.start, unit.line_end and stop == unit.end
            yield _Unit(cut, stop, tokens, heading, line_end, 0)


def _hard_cuts(text: str, start: int, end: int, chunk_size: int) -> Iterator[Span]:
    """Spans of at most `chunk_size` tokens, ending at white space where there is some near the end."""
    while start < end:
        window = text[start : min(end, start + 8 * chunk_size)]
        tokens = tokenize(window)
        length = len(window)
        if len(tokens) > chunk_size:
            length = max(1, len(encoding().decode_bytes(tokens[:chunk_size]).decode("utf-8", "ignore")))
            space = window.rfind(" ", length * 3 // 4, length)
            length = space + 1 if space > 0 else length
        while length > 1 and count_tokens(window[:length].strip()) > chunk_size:
            length -= 1
        if not window[:length].isspace():
            yield start, start + length
        start += length


def _fill(units: list[_Unit], first: int, used: int, chunk_size: int) -> tuple[int, int]:
    """Where the chunk that begins with unit `first` ends, and the sum of its tokens."""
    last, used = first + 1, used + units[first].tokens
    line: tuple[int, int] | None = None
    while last < len(units):
        unit = units[last]
        if unit.heading and used >= chunk_size * _HEADING_FILL:
            break
        if used + unit.tokens > chunk_size:
            if line:
                last, used = line
            break
        used += unit.tokens
        last += 1
        if unit.line_end and used >= chunk_size * _LINE_FILL:
            line = last, used
    while first + 1 < last < len(units) and units[last - 1].heading:
        last -= 1
        used -= units[last].tokens
    return last, used


def _carry(
    text: str, units: list[_Unit], first: int, last: int, chunk_size: int, overlap: int
) -> tuple[int, int, int]:
    """Where the next chunk starts so that it repeats the end of this one: in which unit, where in the text, and
    the tokens repeated.
    """
    if last == len(units):
        return 0, 0, 0
    room = min(overlap, chunk_size - units[last].tokens)
    start, used = units[last].start, 0
    if units[last].heading or room <= 0:
        return last, start, used
    place = last
    while place - 1 > first and used + units[place - 1].tokens <= room:
        place -= 1
        used += units[place].tokens
    if place < last:
        return place, units[place].start, used
    final = units[last - 1]
    if text.startswith("|", final.start):
        return last, start, used  # half a table row says nothing
    for clause, _ in reversed(clause_spans(text[final.start : final.end])[1:]):
        tokens = count_tokens(text[final.start + clause : final.end].strip())
        if tokens > room:
            break
        start, used = final.start + clause, tokens
    return last, start, used


def _trim(text: str, start: int, end: int) -> Span:
    piece = text[start:end]
    return end - len(piece.lstrip()), start + len(piece.rstrip())

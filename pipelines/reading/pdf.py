"""PDF -> Markdown with exact page offsets."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Sequence
from typing import Any

from pipelines.documents import Document
from pipelines.errors import Quarantined
from pipelines.reading import layout
from pipelines.reading.characters import clean, garbage, plain_letters
from pipelines.reading.layout import Line
from pipelines.reading.options import ReadOptions
from pipelines.reading.pdf_lines import page_lines

PDFIUM = threading.Lock()
"""pdfium is not safe for two threads."""

_SCANNED = 'no text in it (scanned pages?): set `ocr: true`, which needs pip install "searchask[ocr]"'


def read(content: bytes, options: ReadOptions) -> Document:
    """The text of all pages; scanned ones are recognised where the options say so."""
    import pypdfium2  # type: ignore[import-untyped]

    with PDFIUM:
        try:
            pdf = pypdfium2.PdfDocument(content)
        except pypdfium2.PdfiumError as error:
            raise Quarantined(_why_closed(str(error))) from None
        try:
            pages, notes = _pages(pdf, options)
        finally:
            pdf.close()
    text, offsets = compose(pages)
    return Document(text=text, format="pdf", markdown=True, pages=offsets, notes=notes)


def _why_closed(message: str) -> str:
    """What pdfium's refusal means."""
    if "assword" in message:
        return "the PDF is encrypted: it needs a password to open"
    if "ecurity" in message:
        return "the PDF is encrypted in a way that is not supported"
    return "not a readable PDF file: it is damaged or no PDF at all"


def _pages(pdf: Any, options: ReadOptions) -> tuple[list[list[Line]], tuple[str, ...]]:
    """The lines of each page, and what a person should know about them."""
    pages: list[list[Line]] = []
    empty: list[int] = []
    broken: dict[int, str] = {}
    for number in range(len(pdf)):
        page = pdf[number]
        try:
            lines = page_lines(page)
            why = garbage("\n".join(line.text for line in lines))
            if why or (options.ocr and not lines):
                lines = _recognised(page) if options.ocr else []
                if why and not options.ocr:
                    broken[number + 1] = why
            if not lines:
                empty.append(number + 1)
            pages.append(lines)
        finally:
            page.close()
    if not any(pages):
        why = next(iter(broken.values()), "")
        if why:
            raise Quarantined(f"its fonts hide the text ({why}): set `ocr: true` to recognise it")
        raise Quarantined(_SCANNED if not options.ocr else "no text was found on its pages")
    blank = [number for number in empty if number not in broken]
    notes = [f"no text on {_numbers(blank)}"] if blank else []
    if broken:
        notes.append(f"unreadable fonts on {_numbers(list(broken))}")
    return pages, tuple(notes)


def _numbers(pages: list[int]) -> str:
    """`page 3`, or `pages 3, 5, 9 and 12 more`."""
    shown = ", ".join(map(str, pages[:10])) + (f" and {len(pages) - 10} more" if len(pages) > 10 else "")
    return f"page{'s' if len(pages) > 1 else ''} {shown}"


def _recognised(page: Any) -> list[Line]:
    """A page's lines by OCR."""
    from pipelines.reading.ocr import DPI, recognise

    width, height = page.get_size()
    scale = min(DPI / 72, 4000 / max(width, height, 1))
    return recognise(page.render(scale=scale).to_numpy(), 1 / scale)


def compose(pages: Sequence[Sequence[Line]]) -> tuple[str, tuple[int, ...]]:
    """The document's text and the offset at which each page starts in it."""
    kept = without_running_heads(pages)
    body = layout.body_size(kept)
    levels = layout.heading_sizes(kept, body)
    known = frozenset(word.lower() for lines in kept for line in lines for word in _words(line))
    text = ""
    offsets: list[int] = []
    open_paragraph = False
    for lines in kept:
        found = layout.blocks(lines, body)
        for number, block in enumerate(found):
            piece = clean(plain_letters(layout.block_text(block, levels, known)))
            if not text:
                joint = ""
            elif number == 0 and open_paragraph and layout.may_follow(block):
                before = text
                text = clean(plain_letters(layout.joined([before[-200:], piece], known)))
                text, piece, joint = before[:-200] + text[: len(text) - len(piece)], piece, ""
            else:
                joint = "\n\n"
            text += joint
            if number == 0:
                offsets.append(len(text))
            text += piece
        if found:
            open_paragraph = layout.is_unfinished(found[-1])
        else:
            offsets.append(len(text))
    return text + "\n", tuple(offsets)


def _words(line: Line) -> list[str]:
    """The words of a line that end inside it, compounds also whole."""
    return re.findall(r"\w+-\w+", line.text) + re.findall(r"\w+(?!\w|[-\u2010\x02]?$)", line.text)


def without_running_heads(pages: Sequence[Sequence[Line]]) -> list[list[Line]]:
    """The pages without page numbers, and without headers and footers after their first time."""
    if len(pages) < 2:
        return [list(lines) for lines in pages]
    counts = Counter(key for lines in pages for key in {_key(line) for line in _outermost(lines)})
    needed = max(3, 0.3 * len(pages))
    seen: set[str] = set()
    kept: list[list[Line]] = []
    for lines in pages:
        dropped: set[int] = set()
        for line in _outermost(lines):
            key = _key(line)
            if not re.search(r"[^\W\d_]", key) or (counts[key] >= needed and key in seen):
                dropped.add(id(line))
            seen.add(key)
        kept.append([line for line in lines if id(line) not in dropped])
    return kept


def _outermost(lines: Sequence[Line]) -> list[Line]:
    """The two highest and the two lowest lines of a page."""
    ordered = sorted(lines, key=lambda line: line.top)
    return ordered if len(ordered) < 4 else ordered[:2] + ordered[-2:]


def _key(line: Line) -> str:
    """A line with its numbers made alike."""
    return re.sub(r"\d+", "#", line.text)

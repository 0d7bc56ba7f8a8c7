"""The sentences of a document that state something, with their place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipelines.evaluation.making.chunks import Source
from pipelines.evaluation.making.drafts import trimmed
from pipelines.text.language import language_of
from pipelines.text.sentences import sentence_spans
from pipelines.words import Language

_LONGEST = 400
_SHORTEST = {"en": 20, "zh": 8}
_FENCE = re.compile(r"^[ \t]*(```|~~~).*?(?:^[ \t]*\1[ \t]*$|\Z)", re.DOTALL | re.MULTILINE)
_NO_PROSE = re.compile(r"[ \t]*(?:#{1,6}\s|\||<|!\[|[-*_=]{3,}|```|>)")
_MARK = re.compile(
    r"[ \t]*(?:[-*+•‣◦●○▪·]|\(?\d{1,3}[.)]|\d{1,3}、|[（(]?[一二三四五六七八九十]{1,3}[）)、])[ \t]*"
)
_END = re.compile(r"[.。！!]['\"”’」』)）]*$")
_LINK = re.compile(r"\[([^\]\[]*)\]\([^)\s]*\)")


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence."""

    text: str
    """On one line, without the marks of Markdown."""
    quote: str
    """As the document has it."""
    start: int
    """Offset of the quote in the document's text."""
    language: Language
    leads: bool
    """Whether it is the first of the document."""


def statements(source: Source) -> Iterator[Statement]:
    """The whole sentences that lie within one live chunk, none twice."""
    fences = [match.span() for match in _FENCE.finditer(source.text)] if source.markdown else []
    first = True
    for begin, stop in sentence_spans(source.text):
        start, end = trimmed(source.text, begin, stop)
        quote = source.text[start:end]
        if _NO_PROSE.match(quote) or any(low <= start < high for low, high in fences):
            continue
        if match := _MARK.match(quote):
            start, quote = start + match.end(), quote[match.end() :]
        text = " ".join(_LINK.sub(r"\1", quote).replace("**", "").split())
        language = language_of(text)
        if not _SHORTEST[language] <= len(text) <= _LONGEST or not _END.search(text) or "�" in text:
            continue
        leads, first = first, False
        if any(each.start <= start and end <= each.start + len(each.text) for each in source.chunks):
            yield Statement(text, quote, start, language, leads)

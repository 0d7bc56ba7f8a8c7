"""From a click on a piece of evidence to its document, opened at the place."""

from __future__ import annotations

import base64
import itertools
from typing import Any

from pipelines.errors import SearchaskError
from pipelines.page.answers import Turn
from pipelines.page.document import Opened, Place, open_at, page_picture
from pipelines.page.evidence import place_words
from pipelines.page.site import Entry
from pipelines.words import Language, Words

_CLOSE = Words("Close", "关闭")
_EMPTY = Words("Nothing is ingested any more.", "索引已不存在。")

_opened = itertools.count(1)


def place_of(turn: Turn, card: str) -> Place | None:
    """The place that a card of the source panel stands for, by the card's id; None for one of another turn."""
    number, _, which = card.partition("-")
    if turn.trace is None or number != str(turn.number):
        return None
    for citation in turn.answer.citations if turn.answer else ():
        if which == str(citation.number):
            return Place(
                citation.node,
                citation.loader,
                citation.document,
                citation.start,
                citation.passage,
                citation.quote,
                citation.heading,
            )
    for each in turn.trace.candidates:
        if which == f"r{each.rank}":
            return Place(each.node, each.loader, each.document, each.start, each.text)
    return None


def opened(entry: Entry, place: Place, language: Language) -> dict[str, Any]:
    """A document as `page.js` draws it, with a picture of the page where it is a PDF."""
    with entry.catalog() as catalog:
        if catalog is None:
            raise SearchaskError(_EMPTY.of(language))
        found = open_at(catalog, place, language)
        picture, notice = "", found.notice
        if found.picture and found.page:
            try:
                drawn = page_picture(
                    entry.config(), catalog, found.loader, found.document, found.page, language
                )
                picture = "data:image/png;base64," + base64.b64encode(drawn).decode()
            except SearchaskError as error:
                notice = notice or str(error)
    return _shown(found, notice, picture, language)


def _shown(found: Opened, notice: str, picture: str, language: Language) -> dict[str, Any]:
    return {
        "open": next(_opened),  # the same document twice is shown twice
        "close": _CLOSE.of(language),
        "document": found.document,
        "place": place_words(found.page, found.heading, language),
        "notice": notice,
        "picture": picture,
        "before": "…" if found.more_before else "",
        "pre": found.pre,
        "passage_before": found.passage_before,
        "quote": found.quote,
        "passage_after": found.passage_after,
        "post": found.post,
        "after": "…" if found.more_after else "",
    }

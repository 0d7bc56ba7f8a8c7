"""A document, opened at a place: its text around a passage, and a page of a PDF as a picture."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TypedDict

from sqlalchemy import func, select

from pipelines.catalog import Catalog, DocumentRow, contents
from pipelines.catalog.database import explained, snapshot
from pipelines.catalog.live import LiveNode, LiveNodes
from pipelines.catalog.tables import blocks
from pipelines.catalog.tables import contents as texts
from pipelines.config import Config
from pipelines.documents import Document, Source
from pipelines.errors import DocumentError, SearchaskError
from pipelines.ingestion.cut import page_at
from pipelines.ingestion.fingerprints import content_hash
from pipelines.text.outline import Outline
from pipelines.words import Language, Words

AROUND = 20_000
"""Characters shown on each side of a passage."""

_GONE = Words(
    "“{document}” is no longer in the index: it was removed, or moved to another place, since this was answered.",
    "“{document}”已不在索引中：在这次回答之后它被删除或移走了。",
)
_CHANGED = Words(
    "“{document}” was changed since: the passage is no longer in it. This is how it begins now.",
    "“{document}”后来有改动，这段文字已经不在其中。下面是它现在的开头。",
)
_NOT_IN_TEXT = Words(
    "The index holds this passage in words of its own, so it can't be shown in its place in the document.",
    "索引里的这段文字经过改写，无法在原文中定位，因此单独显示。",
)
_NO_PICTURE = Words(
    "Pages are shown as pictures only for PDF files that a `folder` or `files` loader reads.",
    "只有由 `folder` 或 `files` 加载器读取的 PDF 文件才能显示页面图像。",
)
_NO_FILE = Words(
    "“{document}” can't be read now: {why}.",
    "现在无法读取“{document}”：{why}。",
)
_NOT_THERE = Words("the file is gone", "文件已不存在")
_OTHER_FILE = Words(
    "“{document}” was changed since it was indexed: ingest again to see its pages.",
    "“{document}”在入库之后有改动：请重新入库后再查看页面。",
)


@dataclass(frozen=True, slots=True)
class Place:
    """What is known of a passage that was shown: enough of it to find it again."""

    node: str = ""
    """Its id in the index."""
    loader: str = ""
    document: str = ""
    """Path relative to its loader."""
    start: int | None = None
    """Offset in the document's text of the quote, or of the passage where nothing was quoted."""
    passage: str = ""
    quote: str = ""
    heading: str = ""
    """That the quote stands under; a passage may go on under further ones."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A part of a document with a passage in it; the parts in order are `pre` to `post`."""

    document: str
    loader: str
    page: int | None
    """That the quote begins on, or else the passage."""
    heading: str
    pre: str = ""
    passage_before: str = ""
    quote: str = ""
    """Empty where nothing was quoted: then the passage is all in `passage_before`."""
    passage_after: str = ""
    post: str = ""
    more_before: bool = False
    """Whether the document has text that was left out before `pre`."""
    more_after: bool = False
    picture: bool = False
    """Whether `page_picture` may show its page."""
    notice: str = ""
    """Why the passage is not lit, or not in its place; empty where it is."""


def indexed(catalog: Catalog | None, loader: str, path: str) -> DocumentRow | None:
    """A document that answers questions, by its name; None where there is none."""
    active = catalog.generations.active() if catalog else None
    rows = catalog.documents(active.id) if catalog and active else []
    return next((row for row in rows if (row.loader, row.path) == (loader, path) and row.content), None)


def open_at(catalog: Catalog, place: Place, language: Language) -> Opened:
    """The document around a place: by the node's id, else by the document's name and the words that were shown."""
    active = catalog.generations.active()
    if active is None:
        return _missing(place, language)
    node = LiveNodes(catalog.engine, active.id, active.cache_key).get([place.node]).get(place.node)
    path, loader = (node.document, node.loader) if node else (place.document, place.loader)
    row = indexed(catalog, loader, path)
    if row is None:
        return _missing(place, language)
    if node is not None and node.start is None:
        lit = _lit(node.text, place.quote)
        return Opened(path, loader, node.page, node.heading, notice=_NOT_IN_TEXT.of(language), **lit)
    if node is not None and (opened := _around_node(catalog, row, node, place)):
        return opened
    text = catalog.text(row.load)
    if text is None:
        return _missing(place, language)
    return _around_words(text, row, place, language)


def _missing(place: Place, language: Language) -> Opened:
    notice = _GONE.of(language, document=place.document)
    return Opened(place.document, place.loader, None, "", notice=notice, **_lit(place.passage, place.quote))


def _around_node(catalog: Catalog, row: DocumentRow, node: LiveNode, place: Place) -> Opened | None:
    """The text around a live node, of which only the blocks needed are read; None where it was replaced just now."""
    assert node.start is not None and node.end is not None
    first = max(0, node.start - AROUND)
    with explained("the catalog"), snapshot(catalog.engine) as connection:
        about = select(texts.c.format, texts.c.pages).where(texts.c.key == row.load)
        form, pages = connection.execute(about).one_or_none() or ("", "[]")
        last = connection.scalar(select(func.max(blocks.c.number)).where(blocks.c.key == row.load)) or 0
        # One more than is shown tells whether there is more; the end of the text clips it further.
        end = min(node.end + AROUND + 1, (last + 1) * contents.BLOCK)
        wanted = (row.load, first, end)
        text = contents.read_spans(connection, [wanted]).get(wanted)
    if text is None or text[node.start - first : node.end - first] != node.text:
        return None
    after = text[node.end - first :]
    lit = _lit(node.text, place.quote, None if place.start is None else place.start - node.start)
    return Opened(
        document=row.path,
        loader=row.loader,
        page=page_at(tuple(json.loads(pages)), node.start + _begin(lit)),
        heading=place.heading or node.heading,
        pre=text[: node.start - first],
        post=after[:AROUND],
        more_before=first > 0,
        more_after=len(after) > AROUND,
        picture=form == "pdf",
        **lit,
    )


def _around_words(text: Document, row: DocumentRow, place: Place, language: Language) -> Opened:
    """The text around what was quoted or shown, wherever the document has it now; else how it begins."""
    words = [words for words in (place.passage, place.quote) if words]
    at, found = next(
        ((at, each) for each in words if (at := _nearest(text.text, each, place.start)) is not None), (0, "")
    )
    first, last = max(0, at - AROUND), at + len(found) + AROUND
    lit = _lit(found, place.quote, None if place.start is None else place.start - at)
    return Opened(
        document=row.path,
        loader=row.loader,
        page=page_at(text.pages, at + _begin(lit)) if found else None,
        heading=Outline(text.text).heading_at(at + _begin(lit)) if found and text.markdown else "",
        pre=text.text[first:at],
        post=text.text[at + len(found) : last],
        more_before=first > 0,
        more_after=last < len(text.text),
        picture=bool(found) and text.format == "pdf",
        notice="" if found else _CHANGED.of(language, document=row.path),
        **lit,
    )


def _nearest(text: str, words: str, near: int | None) -> int | None:
    """Where words stand in a text: the place closest to where they stood; None where nowhere."""
    if near is None:
        at = text.find(words)
        return at if at >= 0 else None
    before = text.rfind(words, 0, near + len(words))
    after = text.find(words, near)
    return min((at for at in (before, after) if at >= 0), key=lambda at: abs(at - near), default=None)


class _Lit(TypedDict):
    passage_before: str
    quote: str
    passage_after: str


def _lit(passage: str, quote: str, start: int | None = None) -> _Lit:
    """The passage with the quote in it lit, `start` being where in the passage the quote is expected."""
    at = _nearest(passage, quote, max(0, start) if start is not None else None) if quote else None
    if at is None:
        return _Lit(passage_before=passage, quote="", passage_after="")
    end = at + len(quote)
    return _Lit(passage_before=passage[:at], quote=passage[at:end], passage_after=passage[end:])


def _begin(lit: _Lit) -> int:
    """Where in the passage begins what a person wants to see: a passage may go on from one page to the next."""
    return len(lit["passage_before"]) if lit["quote"] else 0


def page_picture(
    config: Config, catalog: Catalog, loader: str, document: str, page: int, language: Language
) -> bytes:
    """A page of an indexed PDF, counted from 1, as a PNG; raises `SearchaskError` where it can't be shown.

    The document is one that the catalog knows, and its bytes come from its loader: nobody can name a file here.
    """
    from pipelines.reading.pdf_picture import page_picture as draw

    row = indexed(catalog, loader, document)
    spec = config.spec.loaders.get(loader)
    if row is None:
        raise SearchaskError(_GONE.of(language, document=document))
    # A page on the web would be fetched again for each look at it.
    if spec is None or spec.type not in ("folder", "files") or not _is_pdf(catalog, row):
        raise SearchaskError(_NO_PICTURE.of(language))
    try:
        content = spec.build(base=config.base_of("loaders", loader)).fetch(Source(row.path))
        if content_hash(content) != row.content:
            raise SearchaskError(_OTHER_FILE.of(language, document=document))
        return draw(content, page)
    except FileNotFoundError:
        raise SearchaskError(_NO_FILE.of(language, document=document, why=_NOT_THERE.of(language))) from None
    except DocumentError as error:
        raise SearchaskError(_NO_FILE.of(language, document=document, why=error)) from None


def _is_pdf(catalog: Catalog, row: DocumentRow) -> bool:
    query = select(texts.c.format).where(texts.c.key == row.load)
    with explained("the catalog"), catalog.engine.connect() as connection:
        return connection.scalar(query) == "pdf"

"""One document's text -> its nodes, each with its place in the text and the text that is embedded."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.catalog import Node
from pipelines.catalog.cache import digest
from pipelines.documents import Document
from pipelines.text.outline import Outline
from pipelines.text.tokens import count_tokens

if TYPE_CHECKING:
    from llama_index.core.node_parser import NodeParser
    from llama_index.core.schema import BaseNode


@dataclass(frozen=True, slots=True)
class Cut:
    """A node, and the text of it that both derived stores take in."""

    node: Node
    text: str


@dataclass(frozen=True, slots=True)
class _Piece:
    """What a parser made of a part of the document; where it is, and its tokens, where the parser said so."""

    text: str
    start: int | None
    end: int | None
    tokens: int | None = None
    key: str = ""
    parent: str = ""
    leaf: bool = True
    extra: str = ""


def cut(document: Document, parser: NodeParser, *, key: int) -> list[Cut]:
    """Cut a document; `key` is its id in the catalog, from which node ids are derived.

    A node's id follows from its document and its text, so that cutting again gives the same ids, and an edit
    leaves the ids of untouched chunks alone.
    """
    outline = Outline(document.text) if document.markdown else None
    pieces = _pieces(document, parser)
    known: dict[str, str] = {}
    times: Counter[bytes] = Counter()
    cuts = []
    for position, piece in enumerate(pieces):
        one = _describe(document, outline, piece, position)
        count = times[one.node.digest]
        times[one.node.digest] += 1
        one.node.id = f"{key:x}-{one.node.digest.hex()[:20]}" + (f"-{count}" if count else "")
        known[piece.key] = one.node.id
        cuts.append(one)
    for one, piece in zip(cuts, pieces, strict=True):
        one.node.parent = known.get(piece.parent) if piece.parent else None
    return cuts


def _pieces(document: Document, parser: NodeParser) -> list[_Piece]:
    from llama_index.core.schema import Document as LlamaDocument

    from pipelines.text.nodes import ChunkParser

    if isinstance(parser, ChunkParser):
        text = document.text
        chunks = parser.chunks(text, markdown=document.markdown)
        return [_Piece(text[start:end], start, end, tokens) for start, end, tokens in chunks]
    whole = LlamaDocument(text=document.text, metadata={"markdown": document.markdown})
    return [_piece(node) for node in parser.get_nodes_from_documents([whole])]


def _piece(node: BaseNode) -> _Piece:
    added = {
        name: value for name, value in node.metadata.items() if name not in ("markdown", "original_text")
    }
    return _Piece(
        node.get_content(),
        getattr(node, "start_char_idx", None),
        getattr(node, "end_char_idx", None),
        key=node.node_id,
        parent=node.parent_node.node_id if node.parent_node else "",
        leaf=not node.child_nodes,
        extra=json.dumps(added, ensure_ascii=False, default=str) if added else "",
    )


def _describe(document: Document, outline: Outline | None, piece: _Piece, position: int) -> Cut:
    text, start, end = piece.text, piece.start, piece.end
    verbatim = start is not None and end is not None and document.text[start:end] == text
    if not verbatim:
        start = end = None
    heading = table_header = ""
    if outline is not None and start is not None:
        heading, table_header = outline.heading_at(start), outline.table_header_at(start)
    embedded = embedded_text(heading, table_header, text)
    if piece.tokens is None:
        tokens = count_tokens(embedded)
    else:  # the lines above end in a line break, where counts add up
        tokens = count_tokens(embedded[: len(embedded) - len(text)]) + piece.tokens
    node = Node(
        id="",
        position=position,
        digest=digest(embedded),
        start=start,
        end=end,
        tokens=tokens,
        page=None if start is None else page_at(document.pages, start),
        heading=heading,
        table_header=table_header,
        text=None if verbatim else text,
        leaf=piece.leaf,
        extra=piece.extra,
    )
    return Cut(node, embedded)


def embedded_text(heading: str, table_header: str, text: str) -> str:
    """What both derived stores take in: a passage under the heading and the table header it stands below."""
    above = "" if text.startswith("#") else heading
    return "\n".join(part for part in (above, table_header, text) if part)


def page_at(pages: tuple[int, ...], offset: int) -> int | None:
    """The 1-based page that an offset lies on; None where there are no pages."""
    return bisect_right(pages, offset) or None

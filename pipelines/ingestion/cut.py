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


def cut(document: Document, parser: NodeParser, *, key: int) -> list[Cut]:
    """Cut a document; `key` is its id in the catalog, from which node ids are derived.

    A node's id follows from its document and its text, so that cutting again gives the same ids, and an edit
    leaves the ids of untouched chunks alone.
    """
    from llama_index.core.schema import Document as LlamaDocument

    whole = LlamaDocument(text=document.text, metadata={"markdown": document.markdown})
    parsed = parser.get_nodes_from_documents([whole])
    outline = Outline(document.text) if document.markdown else None
    known: dict[str, str] = {}
    times: Counter[bytes] = Counter()
    cuts = []
    for position, found in enumerate(parsed):
        one = _describe(document, outline, found, position)
        count = times[one.node.digest]
        times[one.node.digest] += 1
        one.node.id = f"{key:x}-{one.node.digest.hex()[:20]}" + (f"-{count}" if count else "")
        known[found.node_id] = one.node.id
        cuts.append(one)
    for one, found in zip(cuts, parsed, strict=True):
        parent = found.parent_node
        one.node.parent = known.get(parent.node_id) if parent else None
        one.node.leaf = not found.child_nodes
    return cuts


def _describe(document: Document, outline: Outline | None, found: BaseNode, position: int) -> Cut:
    text = found.get_content()
    start, end = getattr(found, "start_char_idx", None), getattr(found, "end_char_idx", None)
    verbatim = start is not None and end is not None and document.text[start:end] == text
    if not verbatim:
        start = end = None
    heading = table_header = ""
    if outline is not None and start is not None:
        heading, table_header = outline.heading_at(start), outline.table_header_at(start)
    embedded = embedded_text(heading, table_header, text)
    added = {
        name: value for name, value in found.metadata.items() if name not in ("markdown", "original_text")
    }
    node = Node(
        id="",
        position=position,
        digest=digest(embedded),
        start=start,
        end=end,
        tokens=count_tokens(embedded),
        page=None if start is None else page_at(document.pages, start),
        heading=heading,
        table_header=table_header,
        text=None if verbatim else text,
        extra=json.dumps(added, ensure_ascii=False, default=str) if added else "",
    )
    return Cut(node, embedded)


def embedded_text(heading: str, table_header: str, text: str) -> str:
    """What both derived stores take in: a passage under the heading and the table header it stands below."""
    above = "" if text.startswith("#") else heading
    return "\n".join(part for part in (above, table_header, text) if part)


def page_at(pages: tuple[int, ...], offset: int) -> int | None:
    """The 1-based page that an offset lies on; None where there are no pages."""
    return bisect_right(pages, offset) or None

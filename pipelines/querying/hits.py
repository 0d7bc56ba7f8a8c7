"""Hits of the stores as live nodes: what is retired, or what a filter leaves out, is not among them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from pipelines.catalog.live import LiveNode, LiveNodes
from pipelines.catalog.selection import FEW, Allowed, Selection
from pipelines.filters import Filters
from pipelines.index import Hit

if TYPE_CHECKING:
    from llama_index.core.schema import NodeWithScore, TextNode

_SPARE = 20
"""Hits asked for above what is wanted, since the stores may still hold some that are retired."""


class View(Protocol):
    """The part of an open index that is read here."""

    @property
    def live(self) -> LiveNodes:
        """The nodes."""

    @property
    def selection(self) -> Selection:
        """What filters leave."""


def cosines(view: View, vector: Sequence[float], ids: Sequence[str]) -> dict[str, float]:
    """Cosine similarity of given nodes with a vector; those that are not live are left out."""
    held = view.live.vectors(ids)
    if not held:
        return {}
    matrix = np.stack(list(held.values()))
    question = np.asarray(vector, dtype=np.float32)
    norms = np.linalg.norm(matrix, axis=1) * np.linalg.norm(question)
    return dict(zip(held, (matrix @ question / norms).tolist(), strict=True))


def best(
    view: View,
    filters: Filters | None,
    top_k: int,
    *,
    search: Callable[[int], list[Hit]],
    each: Callable[[list[str]], list[Hit]],
) -> list[NodeWithScore]:
    """The best `top_k` live nodes of a store that the filters allow.

    `search` asks the store for so many hits; `each` looks at given nodes, where few are allowed.
    """
    if filters:
        return _of_allowed(view, view.selection.allowed(filters), top_k, search, each)
    return _first(view, top_k, search)


def _first(view: View, top_k: int, search: Callable[[int], list[Hit]]) -> list[NodeWithScore]:
    """The best `top_k` live nodes of a store, asking it for more while retired ones take their places."""
    limit = top_k + _SPARE
    while True:
        hits = search(limit)
        live = view.live.get([hit.id for hit in hits[:top_k]])
        if len(live) < top_k:
            live |= view.live.get([hit.id for hit in hits[top_k:]])
        found = [(live[hit.id], hit) for hit in hits if hit.id in live]
        if len(found) >= top_k or len(hits) < limit:
            return [_with_score(node, hit) for node, hit in found[:top_k]]
        limit *= 4


def _of_allowed(
    view: View,
    allowed: Allowed,
    top_k: int,
    search: Callable[[int], list[Hit]],
    each: Callable[[list[str]], list[Hit]],
) -> list[NodeWithScore]:
    """The best `top_k` of what a filter leaves: a store is asked for more until enough are allowed."""
    limit = 2 * top_k + _SPARE
    while allowed.count > FEW and limit < allowed.count:
        hits = search(limit)
        places = view.live.places([hit.id for hit in hits])
        found = [hit for hit in hits if hit.id in places and allowed.admits(*places[hit.id])]
        if len(found) >= top_k or len(hits) < limit:
            return _alive(view, found[:top_k])
        limit *= 4
    hits = each(sorted(view.selection.leaves(allowed)))
    return _alive(view, sorted(hits, key=lambda hit: -hit.score)[:top_k])


def compared(view: View, vector: Sequence[float], ids: list[str]) -> list[Hit]:
    """Each of the nodes with its exact cosine similarity."""
    return [Hit(key, cosine) for key, cosine in cosines(view, vector, ids).items()]


def _alive(view: View, hits: list[Hit]) -> list[NodeWithScore]:
    live = view.live.get([hit.id for hit in hits])
    return [_with_score(live[hit.id], hit) for hit in hits if hit.id in live]


def _with_score(node: LiveNode, hit: Hit) -> NodeWithScore:
    from llama_index.core.schema import NodeWithScore

    text = as_text(node)
    if hit.terms:
        text.metadata["terms"] = list(hit.terms)
    return NodeWithScore(node=text, score=hit.score)


def as_text(node: LiveNode) -> TextNode:
    """A live node as retrievers give it."""
    from llama_index.core.schema import TextNode

    metadata = {
        "document": node.document,
        "loader": node.loader,
        "document_id": node.document_id,
        "order": node.position,
        "modified": node.modified,
        "page": node.page,
        "heading": node.heading,
        "table_header": node.table_header,
    }
    return TextNode(
        id_=node.id, text=node.text, start_char_idx=node.start, end_char_idx=node.end, metadata=metadata
    )

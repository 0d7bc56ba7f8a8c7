"""Retrievers that give more than what was found: what stands around it, what holds it, its whole document.

What they give is a verbatim span of the document and has the id of the node that was found, or of the node that it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from llama_index.core.schema import NodeWithScore, TextNode

from pipelines.components.runtime.inquiry import Inquiry
from pipelines.components.runtime.retrievers import Ranking, noted
from pipelines.index import Index

_WHOLE = 1_000_000
"""Neighbours on each side that no document has."""

_PARTS = 64
"""Small passages on each side of one that may lie in the same larger one."""


class Wide(Ranking):
    """A retriever over the passages that another finds."""

    def __init__(self, index: Index, part: Ranking, top_k: int, name: str) -> None:
        super().__init__(index, top_k, name)
        self.part = part
        self.cosine_scale = part.cosine_scale

    def widened(self, hit: NodeWithScore, inside: Sequence[TextNode], start: int, end: int) -> NodeWithScore:
        """The hit with the text of a span that the nodes `inside` cover; as it is where that text is gone."""
        text = self.index.text_between(hit.node.metadata["document_id"], start, end)
        if text is None:
            return hit
        first = inside[0].metadata
        told = {name: first[name] for name in ("page", "heading", "table_header", "order")}
        wide = noted(hit, **told, places=_places(inside))
        node = wide.node.model_copy(update={"text": text, "start_char_idx": start, "end_char_idx": end})
        return NodeWithScore(node=node, score=hit.score)


def _places(inside: Sequence[TextNode]) -> list[tuple[int, int | None, str]]:
    """Where each of several nodes begins, its page and its heading: what a citation inside them needs."""
    return [(node.start_char_idx or 0, node.metadata["page"], node.metadata["heading"]) for node in inside]


@dataclass(slots=True)
class _Span:
    """A part of a document, and the best of what was found in it."""

    hit: NodeWithScore
    start: int
    end: int
    inside: dict[int, TextNode]
    """The nodes in it, by where they start."""


class Window(Wide):
    """What stands around each passage found; windows that overlap become one."""

    def __init__(self, index: Index, part: Ranking, size: int, top_k: int, name: str) -> None:
        super().__init__(index, part, top_k, name)
        self.size = size

    def find(self, query: Inquiry) -> list[NodeWithScore]:
        """The windows, in the order of the best passage in each."""
        hits = self.part.retrieve(query)
        near = self.index.neighbours([hit.node.node_id for hit in hits], self.size, self.size)
        found: list[NodeWithScore | _Span] = []
        for hit in hits:
            span = _span(hit, near.get(hit.node.node_id, []))
            if span is None:
                found.append(hit)
            else:
                _join(span, found)
        return [self._told(each) if isinstance(each, _Span) else each for each in found]

    def _told(self, span: _Span) -> NodeWithScore:
        inside = [span.inside[start] for start in sorted(span.inside)]
        return self.widened(span.hit, inside, span.start, span.end)


def _span(hit: NodeWithScore, near: Sequence[TextNode]) -> _Span | None:
    """The window of a hit; None where its document does not hold its text verbatim."""
    inside = {node.start_char_idx: node for node in near if node.start_char_idx is not None}
    ends = [node.end_char_idx or 0 for node in inside.values()]
    if len(inside) < len(near) or not inside:
        return None
    return _Span(hit, min(inside), max(ends), dict(inside))


def _join(span: _Span, found: list[NodeWithScore | _Span]) -> None:
    """Add a window; the windows that it overlaps become one, in the place of the best of them."""
    while True:
        met = [each for each in found if each is not span and isinstance(each, _Span) and _meet(each, span)]
        if not met:
            break
        first = met[0]
        for other in [*met[1:], span]:
            first.start, first.end = min(first.start, other.start), max(first.end, other.end)
            first.inside |= other.inside
            found[:] = [each for each in found if each is not other]
        span = first
    if not any(each is span for each in found):
        found.append(span)


def _meet(one: _Span, other: _Span) -> bool:
    return _document(one.hit) == _document(other.hit) and one.start < other.end and other.start < one.end


class Merging(Wide):
    """A larger passage in the place of the smaller ones that it is made of, where enough of them are found."""

    def __init__(self, index: Index, part: Ranking, ratio: float, top_k: int, name: str) -> None:
        super().__init__(index, part, top_k, name)
        self.ratio = ratio

    def find(self, query: Inquiry) -> list[NodeWithScore]:
        """Passages of all levels, in the order of the best that each holds."""
        hits = {hit.node.node_id: hit for hit in self.part.retrieve(query)}
        found = hits
        while merged := self._merged(found):
            found = merged
        return [hit if key in hits else self._placed(hit) for key, hit in found.items()]

    def _placed(self, hit: NodeWithScore) -> NodeWithScore:
        """A larger passage with the places of the small ones in it."""
        found = hit.node.metadata["found"]
        near = self.index.neighbours([found], _PARTS, _PARTS).get(found, [])
        start, end = getattr(hit.node, "start_char_idx", None), getattr(hit.node, "end_char_idx", None)
        if start is None or end is None:
            return hit
        return noted(
            hit, places=_places([node for node in near if start <= (node.start_char_idx or 0) < end])
        )

    def _merged(self, found: dict[str, NodeWithScore]) -> dict[str, NodeWithScore] | None:
        """The passages after one level of merging; None where nothing is left to merge."""
        above = self.index.structure.parents(list(found))
        held: dict[str, list[str]] = {}
        for key in found:
            if key in above:
                held.setdefault(above[key], []).append(key)
        documents = [_document(hit) for hit in found.values()]
        parts = self.index.structure.parts(documents, list(held))
        whole = [key for key, own in held.items() if len(own) >= self.ratio * parts.get(key, len(own) + 1)]
        nodes = self.index.nodes_of(whole)
        if not nodes:
            return None
        result: dict[str, NodeWithScore] = {}
        for key, hit in found.items():
            parent = above.get(key, "")
            if parent not in nodes:
                result[key] = hit
            elif parent not in result:
                best = NodeWithScore(node=nodes[parent], score=hit.score)
                result[parent] = noted(best, **{"found": key, **_kept(hit)})
        return result


def _kept(hit: NodeWithScore) -> dict[str, object]:
    """Notes of how a passage was found, which hold for the larger one too."""
    own = ("by", "cosine", "share", "link", "terms", "found")
    return {name: hit.node.metadata[name] for name in own if name in hit.node.metadata}


class Whole(Wide):
    """The best documents whole, as far as they fit a number of tokens; of the others what was found."""

    def __init__(
        self, index: Index, part: Ranking, *, documents: int, max_tokens: int, top_k: int, name: str
    ) -> None:
        super().__init__(index, part, top_k, name)
        self.documents, self.max_tokens = documents, max_tokens

    def find(self, query: Inquiry) -> list[NodeWithScore]:
        """Whole documents and passages of others, in the order of the best passage of each."""
        hits = self.part.retrieve(query)
        ranked = list(dict.fromkeys(map(_document, hits)))[: self.documents]
        sizes = self.index.structure.sizes(ranked)
        left, fitting = self.max_tokens, set()
        for document in ranked:
            if 0 < sizes.get(document, 0) <= left:
                left -= sizes[document]
                fitting.add(document)
        best = {document: hit for hit in reversed(hits) if (document := _document(hit)) in fitting}
        near = self.index.neighbours([hit.node.node_id for hit in best.values()], _WHOLE, _WHOLE)
        found: list[NodeWithScore] = []
        for hit in hits:
            if _document(hit) not in fitting:
                found.append(hit)
            elif hit is best[_document(hit)]:
                span = _span(hit, near.get(hit.node.node_id, []))
                inside = [span.inside[start] for start in sorted(span.inside)] if span else []
                found.append(self.widened(hit, inside, span.start, span.end) if span else hit)
        return found


def _document(hit: NodeWithScore) -> int:
    document: int = hit.node.metadata["document_id"]
    return document

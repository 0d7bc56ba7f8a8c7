"""Passages with those around them in their documents, as one text where it is that of the document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from pipelines.components.runtime.indexed import Indexed

OF_PLACE = ("heading", "table_header", "page", "order")
"""Metadata that tell where a text begins."""


@dataclass(slots=True)
class _Stretch:
    """A run of a document, and the best ranked passage in it."""

    hit: NodeWithScore
    parts: list[TextNode]
    start: int
    end: int


class Widened(Indexed):
    """Each passage becomes the part of its document that reaches from the chunks before it to those after it.

    Where two of these touch they are one, at the place and with the id of the better. A passage whose text is not
    word for word that of its document stays as it is, since no citation in a longer one would be exact.
    """

    before: int
    after: int

    def _postprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        if not nodes:
            return []
        with self._index.pinned():
            near = self._index.neighbours([hit.node.node_id for hit in nodes], self.before, self.after)
            found: list[_Stretch | NodeWithScore] = []
            for hit in nodes:
                stretch = _stretch(hit, near.get(hit.node.node_id, []))
                if stretch is None:
                    found.append(hit)
                elif not self._joined(stretch, found):
                    found.append(stretch)
            return [each if isinstance(each, NodeWithScore) else self._told(each) for each in found]

    def _joined(self, stretch: _Stretch, found: list[_Stretch | NodeWithScore]) -> bool:
        """Make one of a stretch and those found before that it touches; whether it touched any."""
        own = stretch.hit.node.metadata["document_id"]
        touching = [
            other
            for other in found
            if isinstance(other, _Stretch)
            and other.hit.node.metadata["document_id"] == own
            and other.start <= stretch.end
            and stretch.start <= other.end
        ]
        if not touching:
            return False
        best, *others = touching
        for each in (stretch, *others):
            best.start, best.end = min(best.start, each.start), max(best.end, each.end)
            best.parts += each.parts
        found[:] = [each for each in found if not any(each is other for other in others)]
        return True

    def _told(self, stretch: _Stretch) -> NodeWithScore:
        hit = stretch.hit
        text = self._index.text_between(hit.node.metadata["document_id"], stretch.start, stretch.end)
        if text is None or len(text) != stretch.end - stretch.start or hit.node.get_content() not in text:
            return hit
        parts = sorted(stretch.parts, key=lambda node: node.start_char_idx or 0)
        place = {name: parts[0].metadata.get(name) for name in OF_PLACE}
        # A citation from the middle has another page and heading than the first chunk.
        place["places"] = [
            (node.start_char_idx, node.metadata.get("page"), node.metadata.get("heading") or "")
            for node in parts
        ]
        node = hit.node.model_copy(
            update={
                "text": text,
                "start_char_idx": stretch.start,
                "end_char_idx": stretch.end,
                "metadata": {**hit.node.metadata, **place},
            }
        )
        return NodeWithScore(node=node, score=hit.score)


def _stretch(hit: NodeWithScore, near: Sequence[TextNode]) -> _Stretch | None:
    """From the first to the last of a passage's neighbours; None where it has no exact place."""
    placed = [node for node in near if node.start_char_idx is not None and node.end_char_idx is not None]
    own = next((node for node in placed if node.node_id == hit.node.node_id), None)
    if own is None or not isinstance(hit.node, TextNode) or hit.node.start_char_idx is None:
        return None
    # A passage that a retriever or a step before widened already stays as wide.
    start = min(hit.node.start_char_idx, *(node.start_char_idx or 0 for node in placed))
    end = max(hit.node.end_char_idx or 0, *(node.end_char_idx or 0 for node in placed))
    return _Stretch(hit, [*placed, hit.node], start, end)

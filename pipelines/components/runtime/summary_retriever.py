"""Documents first, then passages inside them."""

from __future__ import annotations

from collections.abc import Iterator

from llama_index.core.schema import NodeWithScore

from pipelines.components.runtime.inquiry import Inquiry
from pipelines.components.runtime.retrievers import NEAR, Ranking, noted
from pipelines.index import Index

_LOOKED_THROUGH = 2_000
"""Documents that are looked at for those that a filter allows."""


class Summary(Ranking):
    """The passages closest to the question, of the documents that are closest to it as a whole."""

    def __init__(self, index: Index, documents: int, top_k: int, name: str) -> None:
        super().__init__(index, top_k, name)
        self.documents = documents

    def find(self, query: Inquiry) -> list[NodeWithScore]:
        """Passages of the chosen documents by cosine similarity with the question."""
        vector = self.vector_of(query)
        if not query.reach:
            query.near, query.reach = self.index.nearest(vector, NEAR), NEAR
        leaves = self.index.structure.leaves(list(self._chosen(query, vector)))
        ids = [key for own in leaves.values() for key in own]
        cosines = self.index.similarities(vector, ids)
        best = sorted(cosines, key=lambda key: -cosines[key])[: 4 * self.top_k]
        nodes = self.index.nodes_of(best)
        return [
            noted(NodeWithScore(node=nodes[key], score=cosines[key]), cosine=cosines[key])
            for key in best
            if key in nodes
        ]

    def _chosen(self, query: Inquiry, vector: list[float]) -> Iterator[int]:
        """The documents to look into, best first, of those that the filters allow."""
        structure, limits = self.index.structure, query.filters
        ranked = structure.closest(vector, _LOOKED_THROUGH if limits else self.documents)
        chosen = 0
        for document, _ in ranked:
            if limits:
                own = structure.leaves([document]).get(document, [])
                nodes = self.index.nodes_of(own).values()
                if not any(self.index.admits(node.metadata, limits) for node in nodes):
                    continue
            chosen += 1
            yield document
            if chosen == self.documents:
                return

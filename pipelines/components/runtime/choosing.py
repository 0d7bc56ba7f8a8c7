"""Which of the passages found are given on, and in which order."""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import NodeWithScore, QueryBundle

from pipelines.components.runtime.indexed import Indexed
from pipelines.components.runtime.inquiry import Inquiry, asked

_DAY = 86_400 * 10**9
"""Nanoseconds."""


class Diverse(Indexed):
    """Passages that are close to the question and unlike each other (Carbonell and Goldstein, 1998)."""

    top_n: int
    relevance: float

    def _postprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        if len(nodes) < 2:
            return nodes
        inquiry = asked(query_bundle)
        with self._index.pinned():
            close = self._closeness(nodes, inquiry)
            vectors = {
                key: np.asarray(vector) / (np.linalg.norm(vector) or 1.0)
                for key, vector in self._index.vectors_of([hit.node.node_id for hit in nodes]).items()
            }
        left = list(nodes)
        chosen: list[NodeWithScore] = []
        repeated = dict.fromkeys((hit.node.node_id for hit in nodes), 0.0)
        while left and len(chosen) < self.top_n:
            worth = [
                self.relevance * close.get(hit.node.node_id, 0.0)
                - (1 - self.relevance) * repeated[hit.node.node_id]
                for hit in left
            ]
            best = left.pop(worth.index(max(worth)))
            chosen.append(best)
            if (taken := vectors.get(best.node.node_id)) is not None:
                for hit in left:
                    if (vector := vectors.get(hit.node.node_id)) is not None:
                        alike = float(vector @ taken)
                        repeated[hit.node.node_id] = max(repeated[hit.node.node_id], alike)
        return chosen

    def _closeness(self, nodes: list[NodeWithScore], inquiry: Inquiry) -> Mapping[str, float]:
        """Cosine similarity of each passage with the question, as its retriever noted it where it did."""
        known = {
            hit.node.node_id: float(hit.node.metadata["cosine"])
            for hit in nodes
            if "cosine" in hit.node.metadata
        }
        unknown = [hit.node.node_id for hit in nodes if hit.node.node_id not in known]
        if not unknown or not inquiry.query_str.strip():
            return known
        held = list(self._index.vectors_of(unknown))
        asked_for = self._index.embed_question(inquiry.query_str)
        return {**known, **(self._index.similarities(asked_for, held) if held else {})}


class Ends(BaseNodePostprocessor):
    """The best first, the second best last, and so on inwards: models read the middle least (Liu et al., 2023)."""

    def _postprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        return nodes[::2] + nodes[1::2][::-1]


class Recent(BaseNodePostprocessor):
    """Scores that fade with a document's age; one without a date counts as a half-life old."""

    half_life_days: float
    weight: float

    def _postprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        now = time.time_ns()
        faded = [
            NodeWithScore(node=hit.node, score=(hit.score or 0.0) * self._factor(hit, now)) for hit in nodes
        ]
        return sorted(faded, key=lambda hit: -(hit.score or 0.0))

    def _factor(self, hit: NodeWithScore, now: int) -> float:
        modified = hit.node.metadata.get("modified") or 0
        days = max(0, now - modified) / _DAY if modified else self.half_life_days
        return 1 - self.weight + self.weight * float(0.5 ** (days / self.half_life_days))

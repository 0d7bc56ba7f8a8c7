"""Retrievers over an open index, which note in a passage's metadata how it was found.

`by`: rank and score per retriever; `cosine`: similarity with the question; `share`: of the question's words,
weighed by their rarity.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Literal

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.callbacks import CallbackManager
from llama_index.core.schema import NodeWithScore, QueryBundle

from pipelines.index import Index

BM25_SCALE = 2.5
"""What a question's idf mass is multiplied by to bring BM25 below 1: with k1 = 1.2 a term weighs at most 2.2."""

RANK_CONSTANT = 60
"""k of reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009)."""


@dataclass
class Inquiry(QueryBundle):
    """A question on its way through retrievers, with what each of them found and how long it took."""

    found: dict[str, list[NodeWithScore]] = field(default_factory=dict)
    """By retriever, all that it ranked, what its `top_k` cuts off included."""
    stages: list[tuple[str, float]] = field(default_factory=list)
    """Name and milliseconds of each step, without the steps inside it."""
    spent: float = 0.0
    """Milliseconds of all steps so far."""
    near: list[NodeWithScore] = field(default_factory=list)
    """What the first vector retriever found, the nearest first."""
    reach: int = 0
    """How many it would have taken."""

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Record the time of a step; a step inside it counts for itself only."""
        before, start = self.spent, perf_counter()
        yield
        whole = (perf_counter() - start) * 1000
        self.stages.append((stage, whole - (self.spent - before)))
        self.spent = before + whole


class Ranking(BaseRetriever):
    """A named retriever that notes ranks and scores."""

    def __init__(self, index: Index, top_k: int, name: str) -> None:
        super().__init__(callback_manager=CallbackManager())
        self.index, self.top_k, self.name = index, top_k, name

    @abstractmethod
    def find(self, query: Inquiry) -> list[NodeWithScore]:
        """Passages, best first, with their scores."""

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        query = query_bundle
        if not isinstance(query, Inquiry):
            query = Inquiry(query_str=query.query_str, embedding=query.embedding)
        with query.timed(self.name):
            hits = self.find(query)
        query.found[self.name] = [
            _noted(hit, by={**_by(hit), self.name: {"rank": rank, "score": hit.score or 0.0}})
            for rank, hit in enumerate(hits, 1)
        ]
        return query.found[self.name][: self.top_k]

    def vector_of(self, query: Inquiry) -> list[float]:
        """The question's vector, embedded once and kept on the query for the next retriever."""
        if query.embedding is None:
            with query.timed("embed question"):
                query.embedding = self.index.embed_question(query.query_str)
        return query.embedding


class Meaning(Ranking):
    """Passages by cosine similarity with the question."""

    def find(self, query: Inquiry) -> list[NodeWithScore]:
        """The nearest."""
        hits = self.index.nearest(self.vector_of(query), self.top_k)
        if not query.reach:
            query.near, query.reach = hits, self.top_k
        return [_noted(hit, cosine=hit.score) for hit in hits]


class Words(Ranking):
    """Passages by BM25; none where no word matches."""

    def find(self, query: Inquiry) -> list[NodeWithScore]:
        """Those that hold words of the question."""
        hits = [hit for hit in self.index.matching(query.query_str, self.top_k) if (hit.score or 0.0) > 0.0]
        whole = BM25_SCALE * self.index.idf_mass(query.query_str) if hits else 0.0
        return [_noted(hit, share=(hit.score or 0.0) / whole if whole > 0 else 0.0) for hit in hits]


class Fusion(Ranking):
    """What several retrievers find, as one list."""

    def __init__(
        self,
        index: Index,
        parts: Sequence[BaseRetriever],
        top_k: int,
        name: str,
        *,
        mode: Literal["score", "reciprocal_rank"],
        weight: float,
    ) -> None:
        super().__init__(index, top_k, name)
        self.parts = [part for part in parts if isinstance(part, Ranking)]
        self.mode, self.weight = mode, weight

    def find(self, query: Inquiry) -> list[NodeWithScore]:
        """All that the parts find, by fused score."""
        candidates = merged(part.retrieve(query) for part in self.parts)
        scores = self._by_score(query, candidates) if self.mode == "score" else self._by_rank(candidates)
        fused = [NodeWithScore(node=hit.node, score=scores[key]) for key, hit in candidates.items()]
        return sorted(fused, key=lambda hit: -(hit.score or 0.0))

    def _by_score(self, query: Inquiry, candidates: dict[str, NodeWithScore]) -> dict[str, float]:
        """Cosine similarity of each candidate, plus what its share of the words adds."""
        unknown = [key for key, hit in candidates.items() if "cosine" not in hit.node.metadata]
        asked = self.index.similarities(self.vector_of(query), unknown) if unknown else {}
        for key in unknown:
            candidates[key] = _noted(candidates[key], cosine=asked.get(key, 0.0))
        return {
            key: hit.node.metadata["cosine"] + self.weight * hit.node.metadata.get("share", 0.0)
            for key, hit in candidates.items()
        }

    def _by_rank(self, candidates: Mapping[str, NodeWithScore]) -> dict[str, float]:
        """Reciprocal rank fusion: the sum of 1 / (60 + rank) over the parts that found a candidate."""
        names = {part.name for part in self.parts}
        return {
            key: sum(1 / (RANK_CONSTANT + by["rank"]) for name, by in _by(hit).items() if name in names)
            for key, hit in candidates.items()
        }


def merged(found: Iterable[Sequence[NodeWithScore]]) -> dict[str, NodeWithScore]:
    """Each passage once, by id, with what all who found it noted."""
    candidates: dict[str, NodeWithScore] = {}
    for hits in found:
        for hit in hits:
            known = candidates.get(hit.node.node_id)
            notes = {**known.node.metadata, "by": {**_by(known), **_by(hit)}} if known else {}
            candidates[hit.node.node_id] = _noted(hit, **notes)
    return candidates


def _by(hit: NodeWithScore) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = hit.node.metadata.get("by", {})
    return found


def _noted(hit: NodeWithScore, **notes: Any) -> NodeWithScore:
    # A copy: the index may hand out the same node to several questions at once.
    node = hit.node.model_copy(update={"metadata": {**hit.node.metadata, **notes}})
    return NodeWithScore(node=node, score=hit.score)

"""Retrievers over an open index; a passage's `metadata["by"]` holds its rank and score per retriever."""

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

By = Mapping[str, Mapping[str, float]]

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

    def cosine(self, by: By) -> float | None:
        """The cosine similarity that this retriever gave a passage, where it gives any."""
        return None

    def lift(self, by: By, mass: float, weight: float) -> float:
        """What the matching words of a passage add to its cosine, from 0 to `weight`."""
        return 0.0

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        query = query_bundle
        if not isinstance(query, Inquiry):
            query = Inquiry(query_str=query.query_str, embedding=query.embedding)
        with query.timed(self.name):
            hits = self.find(query)
        query.found[self.name] = [
            _annotated(hit, {**_by(hit), self.name: {"rank": rank, "score": hit.score or 0.0}})
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
        return self.index.nearest(self.vector_of(query), self.top_k)

    def cosine(self, by: By) -> float | None:
        """Its score."""
        return by[self.name]["score"] if self.name in by else None


class Words(Ranking):
    """Passages by BM25; none where no word matches."""

    def find(self, query: Inquiry) -> list[NodeWithScore]:
        """Those that hold words of the question."""
        return [hit for hit in self.index.matching(query.query_str, self.top_k) if (hit.score or 0.0) > 0.0]

    def lift(self, by: By, mass: float, weight: float) -> float:
        """BM25 as a share of what all words of the question could give."""
        if self.name not in by or mass <= 0:
            return 0.0
        return weight * by[self.name]["score"] / (BM25_SCALE * mass)


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

    def cosine(self, by: By) -> float | None:
        """That of any part."""
        return next((known for part in self.parts if (known := part.cosine(by)) is not None), None)

    def lift(self, by: By, mass: float, weight: float) -> float:
        """The most that any part gives, by this fusion's own weight."""
        return max((part.lift(by, mass, self.weight) for part in self.parts), default=0.0)

    def _by_score(self, query: Inquiry, candidates: Mapping[str, NodeWithScore]) -> dict[str, float]:
        """Cosine similarity of each candidate, plus what its matching words add."""
        known = {key: self.cosine(_by(hit)) for key, hit in candidates.items()}
        unknown = [key for key, cosine in known.items() if cosine is None]
        asked = self.index.similarities(self.vector_of(query), unknown) if unknown else {}
        mass = self.index.idf_mass(query.query_str)
        return {
            key: (known[key] or asked.get(key, 0.0)) + self.lift(_by(hit), mass, self.weight)
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
    """Each passage once, by id, with the ranks and terms of all who found it."""
    candidates: dict[str, NodeWithScore] = {}
    for hits in found:
        for hit in hits:
            known = candidates.setdefault(hit.node.node_id, hit)
            if known is not hit:
                both = _annotated(known, {**_by(known), **_by(hit)})
                both.node.metadata["terms"] = known.node.metadata.get("terms") or hit.node.metadata.get(
                    "terms"
                )
                candidates[hit.node.node_id] = both
    return candidates


def _by(hit: NodeWithScore) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = hit.node.metadata.get("by", {})
    return found


def _annotated(hit: NodeWithScore, by: dict[str, dict[str, Any]]) -> NodeWithScore:
    # A copy: the index may hand out the same node to several questions at once.
    node = hit.node.model_copy(update={"metadata": {**hit.node.metadata, "by": by}})
    return NodeWithScore(node=node, score=hit.score)

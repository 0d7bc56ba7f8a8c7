"""Retrievers over an open index, which note in a passage's metadata how it was found.

`by`: rank and score per retriever; `cosine`: similarity with the question; `share`: of the question's words,
weighed by their rarity.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.callbacks import CallbackManager
from llama_index.core.schema import MetadataMode, NodeWithScore, QueryBundle

from pipelines.components.runtime.inquiry import Inquiry
from pipelines.filters import Filters
from pipelines.index import Index

BM25_SCALE = 2.5
"""What a question's idf mass is multiplied by to bring BM25 below 1: with k1 = 1.2 a term weighs at most 2.2."""

RANK_CONSTANT = 60
"""k of reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009)."""


NEAR = 20
"""Passages that are taken for near by chance, where no vector retriever was asked for others."""


WORDS_WEIGHT = 0.2
"""What the words of a question add to the cosine at most, when all of them match."""

_PLACE = ("page", "heading", "table_header", "order", "places")
"""Notes that say where a passage begins."""


class Ranking(BaseRetriever):
    """A named retriever that notes ranks and scores."""

    cosine_scale = True
    """Whether its scores are cosine similarities, with what words or links add."""

    def __init__(self, index: Index, top_k: int, name: str) -> None:
        super().__init__(callback_manager=CallbackManager())
        self.index, self.top_k, self.name = index, top_k, name
        self.filters: Filters | None = None
        """What it is limited to, beside what a question is."""

    @abstractmethod
    def find(self, query: Inquiry) -> list[NodeWithScore]:
        """Passages, best first, with their scores."""

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        query = query_bundle
        if not isinstance(query, Inquiry):
            query = Inquiry(query_str=query.query_str, embedding=query.embedding)
        with query.timed(self.name):
            hits = self._limited(query)
        query.found[self.name] = [
            noted(hit, by={**_by(hit), self.name: {"rank": rank, "score": hit.score or 0.0}})
            for rank, hit in enumerate(hits, 1)
        ]
        return query.found[self.name][: self.top_k]

    def _limited(self, query: Inquiry) -> list[NodeWithScore]:
        """What is found under the filters of the question and those of this retriever, which its parts inherit."""
        asked = query.filters
        query.filters = limits = self.filters.and_also(asked) if self.filters else asked
        try:
            if not limits:
                return self.find(query)
            if (said := self.index.unmatched(limits, query.language)) and said not in query.notes:
                query.notes.append(said)
            return [hit for hit in self.find(query) if self.index.admits(hit.node.metadata, limits)]
        finally:
            query.filters = asked

    def vector_of(self, query: Inquiry) -> list[float]:
        """The question's vector, embedded once and kept on the query for the next retriever."""
        if query.embedding is None:
            with query.timed("embed question"):
                query.embedding = self.index.embed_question(query.query_str)
        return query.embedding

    def cosines(self, query: Inquiry, hits: Sequence[NodeWithScore]) -> list[NodeWithScore]:
        """The hits with the `cosine` that some of them lack."""
        unknown = [hit.node.node_id for hit in hits if "cosine" not in hit.node.metadata]
        asked = self.index.similarities(self.vector_of(query), unknown) if unknown else {}
        return [
            hit if "cosine" in hit.node.metadata else noted(hit, cosine=asked.get(hit.node.node_id, 0.0))
            for hit in hits
        ]


class Meaning(Ranking):
    """Passages by cosine similarity with the question."""

    def find(self, query: Inquiry) -> list[NodeWithScore]:
        """The nearest."""
        vector = self.vector_of(query)
        hits = self.index.nearest(vector, self.top_k, query.filters)
        if not query.reach:
            # Of few passages the farthest is not what is near by chance: that takes the whole index.
            few = query.filters and 2 * len(hits) < self.top_k
            query.near = self.index.nearest(vector, self.top_k) if few else hits
            query.reach = self.top_k
        return [noted(hit, cosine=hit.score) for hit in hits]


class Words(Ranking):
    """Passages by BM25; none where no word matches."""

    cosine_scale = False

    def find(self, query: Inquiry) -> list[NodeWithScore]:
        """Those that hold words of the question."""
        words = query.words or query.query_str
        hits = [
            hit for hit in self.index.matching(words, self.top_k, query.filters) if (hit.score or 0.0) > 0.0
        ]
        whole = BM25_SCALE * self.index.idf_mass(words) if hits else 0.0
        return [noted(hit, share=(hit.score or 0.0) / whole if whole > 0 else 0.0) for hit in hits]


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
        self.parts = rankings(parts)
        self.mode, self.weight = mode, weight
        self.cosine_scale = mode == "score"

    def find(self, query: Inquiry) -> list[NodeWithScore]:
        """All that the parts find, by fused score."""
        candidates = merged(part.retrieve(query) for part in self.parts)
        scores = self._by_score(query, candidates) if self.mode == "score" else self._by_rank(candidates)
        fused = [NodeWithScore(node=hit.node, score=scores[key]) for key, hit in candidates.items()]
        return sorted(fused, key=lambda hit: -(hit.score or 0.0))

    def _by_score(self, query: Inquiry, candidates: dict[str, NodeWithScore]) -> dict[str, float]:
        """Cosine similarity of each candidate, plus what its share of the words and its links add."""
        candidates.update(zip(candidates, self.cosines(query, list(candidates.values())), strict=True))
        return {
            key: own_score(hit, self.weight) + hit.node.metadata.get("link", 0.0)
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
    """Each passage once, by id, with what all who found it noted; of several widths of it the widest."""
    candidates: dict[str, NodeWithScore] = {}
    for hits in found:
        for hit in hits:
            known = candidates.get(hit.node.node_id)
            if known is None:
                candidates[hit.node.node_id] = noted(hit)
                continue
            both = {**hit.node.metadata, **known.node.metadata, "by": {**_by(known), **_by(hit)}}
            wide = max((hit, known), key=lambda each: len(each.node.get_content(MetadataMode.NONE)))
            place = {key: wide.node.metadata[key] for key in _PLACE if key in wide.node.metadata}
            candidates[hit.node.node_id] = noted(
                NodeWithScore(node=wide.node, score=hit.score), **{**both, **place}
            )
    return candidates


def own_score(hit: NodeWithScore, weight: float = WORDS_WEIGHT) -> float:
    """Cosine similarity, plus what its share of the question's words adds."""
    found: float = hit.node.metadata["cosine"] + weight * hit.node.metadata.get("share", 0.0)
    return found


def rankings(parts: Iterable[BaseRetriever]) -> list[Ranking]:
    """Retrievers as what they all are here."""
    return [part for part in parts if isinstance(part, Ranking)]


def _by(hit: NodeWithScore) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = hit.node.metadata.get("by", {})
    return found


def noted(hit: NodeWithScore, **notes: Any) -> NodeWithScore:
    """The hit with more notes, on a copy: the index may hand out the same node to several questions at once."""
    node = hit.node.model_copy(update={"metadata": {**hit.node.metadata, **notes}})
    return NodeWithScore(node=node, score=hit.score)

"""Postprocessors that LlamaIndex doesn't have."""

from __future__ import annotations

from typing import Any

from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import MetadataMode, NodeWithScore, QueryBundle
from pydantic import ValidationError

from pipelines.components.runtime.retrievers import Inquiry
from pipelines.errors import SearchaskError
from pipelines.text.language import language_of
from pipelines.text.tokens import count_tokens

SHINGLE = 5
"""Characters in the runs that near-duplicates are recognised by."""


AMONG_FEW = 0.1
"""Cosine similarity above the farthest passage that is a sign of an answer where few passages in its language were
found: fewer than half of what the retriever would have taken."""


NAMES_ONLY = 0.4
"""Part of the share of words that is enough for a passage in another language: only names and numbers can match."""


class Gate(BaseNodePostprocessor):
    """Keeps all passages where one of them shows a sign of an answer, and none otherwise."""

    words: float
    stands_out: float
    across_languages: float

    @classmethod
    def class_name(cls) -> str:
        """Its name in LlamaIndex's traces."""
        return "Gate"

    def _postprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        inquiry = query_bundle if isinstance(query_bundle, Inquiry) else Inquiry(query_str="")
        near: dict[str, list[float]] = {}
        for hit in inquiry.near:
            near.setdefault(_language(hit), []).append(hit.score or 0.0)
        return nodes if any(self._is_sign(hit, inquiry, near) for hit in nodes) else []

    def _is_sign(self, hit: NodeWithScore, inquiry: Inquiry, near: dict[str, list[float]]) -> bool:
        noted = hit.node.metadata
        language = _language(hit)
        foreign = language != language_of(inquiry.query_str)
        if noted.get("share", 0.0) >= self.words * (NAMES_ONLY if foreign else 1.0):
            return True
        if not near or "cosine" not in noted:
            return False
        alike = near.get(language, [])
        if 2 * len(alike) >= inquiry.reach:
            enough = self.across_languages if foreign else self.stands_out
            return bool(noted["cosine"] - min(alike) >= enough)
        # Where there is little to find, the farthest found is not near at all.
        others = alike if len(alike) > 1 else [score for scores in near.values() for score in scores]
        return bool(noted["cosine"] - min(others) >= AMONG_FEW)


def _language(hit: NodeWithScore) -> str:
    return language_of(hit.node.get_content(MetadataMode.NONE))


class Budget(BaseNodePostprocessor):
    """Keeps the passages that fit, best first; the best one whatever its size."""

    max_tokens: int

    @classmethod
    def class_name(cls) -> str:
        """Its name in LlamaIndex's traces."""
        return "Budget"

    def _postprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        left = self.max_tokens
        kept: list[NodeWithScore] = []
        for hit in nodes:
            size = count_tokens(hit.node.get_content(MetadataMode.NONE))
            if size <= left or not kept:
                kept.append(hit)
                left -= size
        return kept


class Distinct(BaseNodePostprocessor):
    """Keeps the best ranked of passages whose texts are the same or nearly so."""

    similarity: float

    @classmethod
    def class_name(cls) -> str:
        """Its name in LlamaIndex's traces."""
        return "Distinct"

    def _postprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        kept: list[tuple[NodeWithScore, frozenset[str]]] = []
        for hit in nodes:
            runs = _shingles(hit.node.get_content(MetadataMode.NONE))
            if all(_jaccard(runs, other) < self.similarity for _, other in kept):
                kept.append((hit, runs))
        return [hit for hit, _ in kept]


def _shingles(text: str) -> frozenset[str]:
    plain = " ".join(text.casefold().split())
    return frozenset(plain[at : at + SHINGLE] for at in range(max(1, len(plain) - SHINGLE + 1)))


def _jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other)


def foreign(kind: type, path: str, args: dict[str, Any]) -> BaseNodePostprocessor:
    """Any LlamaIndex postprocessor from its class and arguments."""
    if not issubclass(kind, BaseNodePostprocessor):
        raise SearchaskError(f"class {path!r} is no postprocessor: it must derive from BaseNodePostprocessor")
    try:
        return kind(**args)
    except ValidationError as error:
        # Its own text repeats the input, which may hold a key.
        wrong = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise SearchaskError(f"{path} refused its args: {wrong}") from None
    except (TypeError, ValueError, ImportError) as error:
        raise SearchaskError(f"{path} refused its args: {error}") from None

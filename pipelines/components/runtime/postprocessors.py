"""Postprocessors that LlamaIndex doesn't have."""

from __future__ import annotations

from typing import Any

from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import MetadataMode, NodeWithScore, QueryBundle

from pipelines.components.runtime.evidence import signs_of
from pipelines.components.runtime.inquiry import Inquiry
from pipelines.components.runtime.rerank import Late, made, wants_llm
from pipelines.errors import SearchaskError
from pipelines.text.tokens import count_tokens

SHINGLE = 5
"""Characters in the runs that near-duplicates are recognised by."""


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
        signs = signs_of(inquiry, nodes)
        clear = signs.enough(
            words=self.words, stands_out=self.stands_out, across_languages=self.across_languages
        )
        return nodes if clear else []


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
    return Late(kind, path, args) if wants_llm(kind, path, args) else made(kind, path, args)

"""`retrievers`: how passages are found for a question."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, NonNegativeFloat, PositiveInt

from pipelines.spec import Spec

if TYPE_CHECKING:
    from llama_index.core.base.base_retriever import BaseRetriever

    from pipelines.index import Index


class VectorRetriever(Spec):
    """Find passages close to the question in meaning, across languages too."""

    type: Literal["vector"]
    top_k: PositiveInt = 20
    """Passages to find, at most. Their score is the cosine similarity with the question."""

    def build(self, *, index: Index, others: Mapping[str, BaseRetriever], name: str) -> BaseRetriever:
        """The retriever over an open index, known as `name` in traces."""
        from pipelines.components.runtime.retrievers import Meaning

        return Meaning(index, self.top_k, name)


class KeywordRetriever(Spec):
    """Find passages that hold the question's words, rare words first (BM25)."""

    type: Literal["keyword"]
    top_k: PositiveInt = 20
    """Passages to find, at most; none where no word matches. Their score is BM25."""

    def build(self, *, index: Index, others: Mapping[str, BaseRetriever], name: str) -> BaseRetriever:
        """The retriever over an open index, known as `name` in traces."""
        from pipelines.components.runtime.retrievers import Words

        return Words(index, self.top_k, name)


class FusionRetriever(Spec):
    """Merge what several retrievers find into one list that is no worse than the best of them."""

    type: Literal["fusion"]
    of: list[str] = Field(min_length=1)
    """Names of the retrievers to merge; a fusion may be one of them."""
    top_k: PositiveInt = 6
    """Passages to keep, at most."""
    mode: Literal["score", "reciprocal_rank"] = "score"
    """`score`: cosine similarity plus what matching words add, so that words that don't match add nothing.
    `reciprocal_rank`: ranks only; loses recall where one side is blind, as in questions across languages."""
    keyword_weight: NonNegativeFloat = 0.2
    """`score` only: what the words of a question add to the cosine at most, when all of them match."""

    def build(self, *, index: Index, others: Mapping[str, BaseRetriever], name: str) -> BaseRetriever:
        """The retriever over the built retrievers `others`, known as `name` in traces."""
        from pipelines.components.runtime.retrievers import Fusion

        parts = [others[part] for part in self.of]
        return Fusion(index, parts, self.top_k, name, mode=self.mode, weight=self.keyword_weight)


Retriever = Annotated[VectorRetriever | KeywordRetriever | FusionRetriever, Field(discriminator="type")]

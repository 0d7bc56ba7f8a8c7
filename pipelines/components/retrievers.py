"""`retrievers`: how passages are found for a question."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, NonNegativeFloat, PositiveInt

from pipelines.components.extraction import Extract, NamesExtract
from pipelines.components.filtered import FilteredSpec

if TYPE_CHECKING:
    from llama_index.core.base.base_retriever import BaseRetriever

    from pipelines.index import Index


class VectorRetriever(FilteredSpec):
    """Find passages close to the question in meaning, across languages too."""

    type: Literal["vector"]
    top_k: PositiveInt = 20
    """Passages to find, at most. Their score is the cosine similarity with the question."""

    def build(self, *, index: Index, others: Mapping[str, BaseRetriever], name: str) -> BaseRetriever:
        """The retriever over an open index, known as `name` in traces."""
        from pipelines.components.runtime.retrievers import Meaning

        return Meaning(index, self.top_k, name)


class KeywordRetriever(FilteredSpec):
    """Find passages that hold the question's words, rare words first (BM25)."""

    type: Literal["keyword"]
    top_k: PositiveInt = 20
    """Passages to find, at most; none where no word matches. Their score is BM25."""

    def build(self, *, index: Index, others: Mapping[str, BaseRetriever], name: str) -> BaseRetriever:
        """The retriever over an open index, known as `name` in traces."""
        from pipelines.components.runtime.retrievers import Words

        return Words(index, self.top_k, name)


class FusionRetriever(FilteredSpec):
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


class WindowRetriever(FilteredSpec):
    """Find sentences, give what stands around them; needs `node_parser: {type: sentence_window}`."""

    type: Literal["window"]
    of: str
    """Name of the retriever that finds the sentences."""
    window_size: PositiveInt = 3
    """Sentences on each side that are given as well; windows that overlap become one passage."""
    top_k: PositiveInt = 6
    """Passages to keep, at most."""

    def build(self, *, index: Index, others: Mapping[str, BaseRetriever], name: str) -> BaseRetriever:
        """The retriever over the built retrievers `others`, known as `name` in traces."""
        from pipelines.components.runtime.retrievers import rankings
        from pipelines.components.runtime.wide_retrievers import Window

        (part,) = rankings([others[self.of]])
        return Window(index, part, self.window_size, self.top_k, name)


class AutoMergingRetriever(FilteredSpec):
    """Find small passages; where enough of a larger one are found, give that; needs a `hierarchical` node parser."""

    type: Literal["auto_merging"]
    of: str
    """Name of the retriever that finds the small passages."""
    ratio: float = Field(default=0.5, gt=0, le=1)
    """Share of a larger passage's parts that must be found for it to take their place."""
    top_k: PositiveInt = 6
    """Passages to keep, at most."""

    def build(self, *, index: Index, others: Mapping[str, BaseRetriever], name: str) -> BaseRetriever:
        """The retriever over the built retrievers `others`, known as `name` in traces."""
        from pipelines.components.runtime.retrievers import rankings
        from pipelines.components.runtime.wide_retrievers import Merging

        (part,) = rankings([others[self.of]])
        return Merging(index, part, self.ratio, self.top_k, name)


class WholeDocumentRetriever(FilteredSpec):
    """Give the best documents whole where they fit, best first, and passages of the others."""

    type: Literal["whole_document"]
    of: str
    """Name of the retriever that finds passages."""
    documents: PositiveInt = 3
    """Documents that are given whole, at most."""
    max_tokens: PositiveInt = 6000
    """Tokens of all whole documents together; one that does not fit gives its passages."""
    top_k: PositiveInt = 6
    """Documents and passages to keep, at most."""

    def build(self, *, index: Index, others: Mapping[str, BaseRetriever], name: str) -> BaseRetriever:
        """The retriever over the built retrievers `others`, known as `name` in traces."""
        from pipelines.components.runtime.retrievers import rankings
        from pipelines.components.runtime.wide_retrievers import Whole

        (part,) = rankings([others[self.of]])
        limits = {"documents": self.documents, "max_tokens": self.max_tokens}
        return Whole(index, part, **limits, top_k=self.top_k, name=name)


class SummaryRetriever(FilteredSpec):
    """Choose documents by what they are about as a whole, then passages inside them by meaning.

    What a document is about is the mean of its passages' vectors, its beginning counted twice: no model is asked,
    and nothing is to be ingested for it.
    """

    type: Literal["summary"]
    documents: PositiveInt = 5
    """Documents to look into."""
    top_k: PositiveInt = 6
    """Passages to find in them, at most. Their score is the cosine similarity with the question."""

    def build(self, *, index: Index, others: Mapping[str, BaseRetriever], name: str) -> BaseRetriever:
        """The retriever over an open index, known as `name` in traces."""
        from pipelines.components.runtime.summary_retriever import Summary

        return Summary(index, self.documents, self.top_k, name)


class RouterRetriever(FilteredSpec):
    """Ask the one of several retrievers whose description suits the question."""

    type: Literal["router"]
    of: dict[str, Annotated[str, Field(min_length=1)]] = Field(min_length=2)
    """Retrievers to choose from: what each is good for, by its name."""
    by: Literal["meaning", "llm"] = "meaning"
    """`meaning`: the description closest to the question; `llm`: the model chooses, and where its answer names none
    of them it goes by meaning."""
    top_k: PositiveInt = 6
    """Passages to keep, at most."""

    def build(self, *, index: Index, others: Mapping[str, BaseRetriever], name: str) -> BaseRetriever:
        """The retriever over the built retrievers `others`, known as `name` in traces."""
        from pipelines.components.runtime.retrievers import rankings
        from pipelines.components.runtime.router import Router

        built = rankings(others[part] for part in self.of)
        parts = {name: (part, text) for part, (name, text) in zip(built, self.of.items(), strict=True)}
        return Router(index, parts, self.top_k, name, by=self.by)


class GraphRetriever(FilteredSpec):
    """Follow names from the best documents to those they name, for questions that take several documents.

    What documents are called and name is found when they are ingested, without a model or with one.
    """

    type: Literal["graph"]
    of: str
    """Name of the retriever whose best documents it starts from."""
    seeds: PositiveInt = 3
    """Documents to start from."""
    hops: int = Field(default=1, ge=1, le=2)
    """`2`: what the reached documents name is followed as well, and counts half."""
    weight: NonNegativeFloat = 0.2
    """What being named adds to the cosine at most; what is only reached never passes the best that was found."""
    top_k: PositiveInt = 8
    """Passages to keep, at most. Their score is that of `fusion`, with what names add."""
    extract: Extract = NamesExtract(type="names")
    """What the graph is made of: `names` by rules, or also paths that the `llm` reads in each passage. An edit
    redoes just that; all `graph` retrievers of a config follow one graph."""

    def build(self, *, index: Index, others: Mapping[str, BaseRetriever], name: str) -> BaseRetriever:
        """The retriever over the built retrievers `others`, known as `name` in traces."""
        from pipelines.components.runtime.graph_retriever import Follow
        from pipelines.components.runtime.retrievers import rankings

        (part,) = rankings([others[self.of]])
        options = {"seeds": self.seeds, "hops": self.hops, "top_k": self.top_k}
        return Follow(index, part, weight=self.weight, name=name, **options)


Retriever = Annotated[
    VectorRetriever
    | KeywordRetriever
    | FusionRetriever
    | WindowRetriever
    | AutoMergingRetriever
    | WholeDocumentRetriever
    | SummaryRetriever
    | RouterRetriever
    | GraphRetriever,
    Field(discriminator="type"),
]


def parts_of(retriever: object) -> list[str]:
    """The names of the retrievers that one is made of."""
    of = getattr(retriever, "of", ())
    return [of] if isinstance(of, str) else list(of)

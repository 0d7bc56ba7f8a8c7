"""`postprocessors`: what is done to the passages found, before an answer is written from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, PositiveInt

from pipelines.extras import llama_index_class
from pipelines.spec import Spec

if TYPE_CHECKING:
    from llama_index.core.postprocessor.types import BaseNodePostprocessor


class SimilarityCutoff(Spec):
    """Drop passages whose score is too low; a question left without passages is refused."""

    fate: ClassVar[str] = "below cutoff"
    """What a trace says of a passage that it drops."""

    type: Literal["similarity_cutoff"]
    cutoff: float
    """The lowest score to keep, on the scale of the engine's retriever. `vector`: cosine similarity, between
    0.7 and 1.0 with the `local` model. `fusion`: the same plus at most `keyword_weight`. `keyword`: BM25,
    without an upper end."""

    def build(self) -> BaseNodePostprocessor:
        """The LlamaIndex postprocessor."""
        from llama_index.core.postprocessor import SimilarityPostprocessor

        return SimilarityPostprocessor(similarity_cutoff=self.cutoff)


class Evidence(Spec):
    """Drop everything where even the best passages show no sign of an answer, so that the question is refused.

    A passage is a sign of an answer where it holds enough of the question's words, or is clearly closer in
    meaning than what is near by chance. Where one passage passes, all are kept.
    """

    fate: ClassVar[str] = "no evidence"

    type: Literal["evidence"]
    words: float = Field(default=0.18, ge=0, le=1)
    """Share of the question's words that is enough, weighed by their rarity (BM25 / 2.5 times their idf mass);
    few passages reach 0.5."""
    stands_out: float = Field(default=0.05, ge=0)
    """Cosine similarity above the farthest of the 20 nearest passages in its language that is enough for a passage
    in the language of the question."""
    across_languages: float = Field(default=0.02, ge=0)
    """The same for a passage in another language, where words can't match."""

    def build(self) -> BaseNodePostprocessor:
        """The LlamaIndex postprocessor."""
        from pipelines.components.runtime.postprocessors import Gate

        return Gate(words=self.words, stands_out=self.stands_out, across_languages=self.across_languages)


class TokenBudget(Spec):
    """Keep the best passages that fit a number of tokens; the best one is always kept."""

    fate: ClassVar[str] = "over budget"

    type: Literal["token_budget"]
    max_tokens: PositiveInt = 3000
    """Tokens of all passages together."""

    def build(self) -> BaseNodePostprocessor:
        """The LlamaIndex postprocessor."""
        from pipelines.components.runtime.postprocessors import Budget

        return Budget(max_tokens=self.max_tokens)


class Deduplicate(Spec):
    """Of passages with the same or nearly the same text, keep the best ranked."""

    fate: ClassVar[str] = "duplicate"

    type: Literal["deduplicate"]
    similarity: float = Field(default=0.9, gt=0, le=1)
    """Share of equal character sequences (Jaccard over runs of 5) from which two passages are the same."""

    def build(self) -> BaseNodePostprocessor:
        """The LlamaIndex postprocessor."""
        from pipelines.components.runtime.postprocessors import Distinct

        return Distinct(similarity=self.similarity)


class LlamaIndexPostprocessor(Spec):
    """Any other postprocessor of LlamaIndex, by its class."""

    fate: ClassVar[str] = "dropped by postprocessor"

    type: Literal["llama_index"]
    class_: str = Field(alias="class")
    """Dotted path of the class, under `llama_index.`."""
    args: dict[str, Any] = Field(default_factory=dict)
    """Its keyword arguments."""

    def build(self) -> BaseNodePostprocessor:
        """The LlamaIndex postprocessor; raises `SearchaskError` where class or arguments are wrong."""
        from pipelines.components.runtime.postprocessors import foreign

        return foreign(llama_index_class(self.class_), self.class_, self.args)


Postprocessor = Annotated[
    SimilarityCutoff | Evidence | TokenBudget | Deduplicate | LlamaIndexPostprocessor,
    Field(discriminator="type"),
]

"""`postprocessors`: what is done to the passages found, before an answer is written from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, PositiveInt, field_serializer

from pipelines.components.reranking import Rerank, RerankLLM
from pipelines.components.shaping import MMR, Compress, CompressLLM, Neighbours, Recency, Reorder
from pipelines.errors import SearchaskError
from pipelines.extras import llama_index_class
from pipelines.spec import Spec

if TYPE_CHECKING:
    from llama_index.core.postprocessor.types import BaseNodePostprocessor

    from pipelines.index import Index


class SimilarityCutoff(Spec):
    """Drop passages whose score is too low; a question left without passages is refused."""

    fate: ClassVar[str] = "below cutoff"
    """What a trace says of a passage that it drops."""

    type: Literal["similarity_cutoff"]
    cutoff: float | Literal["calibrated"]
    """The lowest score to keep; `calibrated`: that of the `calibration` of the config. A number is on the scale of
    the engine's retriever. `vector`: cosine similarity, between 0.7 and 1.0 with the `local` model. `fusion`: the
    same plus at most `keyword_weight`. `keyword`: BM25, without an upper end."""

    def build(self, *, index: Index) -> BaseNodePostprocessor:
        """The LlamaIndex postprocessor."""
        from llama_index.core.postprocessor import SimilarityPostprocessor

        if self.cutoff == "calibrated":
            raise SearchaskError(
                "similarity_cutoff: there is no calibration of this engine yet: "
                "`searchask calibrate FILE --questions Q.jsonl` makes it"
            )
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
    calibrated: bool = False
    """Take the three numbers from the `calibration` of the config; those given here hold until there is one."""

    def build(self, *, index: Index) -> BaseNodePostprocessor:
        """The LlamaIndex postprocessor."""
        from pipelines.components.runtime.postprocessors import Gate

        return Gate(words=self.words, stands_out=self.stands_out, across_languages=self.across_languages)


class TokenBudget(Spec):
    """Keep the best passages that fit a number of tokens; the best one is always kept."""

    fate: ClassVar[str] = "over budget"

    type: Literal["token_budget"]
    max_tokens: PositiveInt = 3000
    """Tokens of all passages together."""

    def build(self, *, index: Index) -> BaseNodePostprocessor:
        """The LlamaIndex postprocessor."""
        from pipelines.components.runtime.postprocessors import Budget

        return Budget(max_tokens=self.max_tokens)


class Deduplicate(Spec):
    """Of passages with the same or nearly the same text, keep the best ranked."""

    fate: ClassVar[str] = "duplicate"

    type: Literal["deduplicate"]
    similarity: float = Field(default=0.9, gt=0, le=1)
    """Share of equal character sequences (Jaccard over runs of 5) from which two passages are the same."""

    def build(self, *, index: Index) -> BaseNodePostprocessor:
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

    @field_serializer("args", when_used="json")
    def _without_secrets(self, args: dict[str, Any]) -> dict[str, Any]:
        from pipelines.models.others import masked

        return masked(args)

    def build(self, *, index: Index) -> BaseNodePostprocessor:
        """The LlamaIndex postprocessor; raises `SearchaskError` where class or arguments are wrong."""
        from pipelines.components.runtime.postprocessors import foreign

        return foreign(llama_index_class(self.class_), self.class_, self.args)


Postprocessor = Annotated[
    SimilarityCutoff
    | Evidence
    | TokenBudget
    | Deduplicate
    | RerankLLM
    | Rerank
    | Compress
    | CompressLLM
    | MMR
    | Reorder
    | Neighbours
    | Recency
    | LlamaIndexPostprocessor,
    Field(discriminator="type"),
]

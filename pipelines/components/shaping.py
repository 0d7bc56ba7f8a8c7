"""Postprocessors that choose, order, cut or widen passages."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from pipelines.spec import Spec

if TYPE_CHECKING:
    from llama_index.core.postprocessor.types import BaseNodePostprocessor

    from pipelines.index import Index


class Compress(Spec):
    """Cut passages down to the sentences closest to the question, by the embed model and by words; needs no LLM.

    Each passage keeps the stretch from the first to the last of its sentences that are chosen, word for word, so
    that citations stay exact.
    """

    fate: ClassVar[str] = "no sentence bears on it"

    type: Literal["compress"]
    keep: float = Field(default=0.5, gt=0, le=1)
    """Share of the sentences of all passages that is chosen; a passage without one is dropped."""

    def build(self, *, index: Index) -> BaseNodePostprocessor:
        """The LlamaIndex postprocessor."""
        from pipelines.components.runtime.compress import ByMeaning

        return ByMeaning.over(index, keep=self.keep)


class CompressWording(Spec):
    """What the LLM is told; the sentences and the form of its answer are added."""

    zh: str = Field(default="挑出有助于回答用户问题的句子，以及看懂它们所需的句子。", min_length=1)
    """For questions in Chinese."""
    en: str = Field(
        default="Name the sentences that help to answer the user's question, and those that one needs to understand "
        "them.",
        min_length=1,
    )
    """For questions in any other language."""


class CompressLLM(Spec):
    """Cut passages down to the sentences that the config's LLM names, in a call for each passage.

    Each passage keeps the stretch from the first to the last of them, word for word. Where the LLM says that there is
    none the passage is dropped; where it says nothing plain the passage stays whole.
    """

    fate: ClassVar[str] = "no sentence bears on it"

    type: Literal["compress_llm"]
    instructions: CompressWording = CompressWording()
    """What the LLM is told, in each language."""

    needs_llm: ClassVar[bool] = True

    def build(self, *, index: Index) -> BaseNodePostprocessor:
        """The LlamaIndex postprocessor."""
        from pipelines.components.runtime.compress import ByLLM

        return ByLLM(instructions=self.instructions.model_dump())


class MMR(Spec):
    """Choose passages that are close to the question and unlike each other (maximal marginal relevance)."""

    fate: ClassVar[str] = "too similar"

    type: Literal["mmr"]
    top_n: PositiveInt = 6
    """Passages to keep, at most; the retriever must find more for this to choose from."""
    relevance: float = Field(default=0.5, ge=0, le=1)
    """What closeness to the question weighs; the rest is unlikeness. 1 is closeness alone."""

    def build(self, *, index: Index) -> BaseNodePostprocessor:
        """The LlamaIndex postprocessor."""
        from pipelines.components.runtime.choosing import Diverse

        return Diverse.over(index, top_n=self.top_n, relevance=self.relevance)


class Reorder(Spec):
    """Put the best passage first and the second best last, since models read the middle least; put this step last."""

    fate: ClassVar[str] = "dropped by postprocessor"

    type: Literal["reorder"]

    def build(self, *, index: Index) -> BaseNodePostprocessor:
        """The LlamaIndex postprocessor."""
        from pipelines.components.runtime.choosing import Ends

        return Ends()


class Neighbours(Spec):
    """Widen each passage by the chunks before and after it in its document; where two touch they become one."""

    fate: ClassVar[str] = "merged"

    type: Literal["neighbours"]
    before: int = Field(default=1, ge=0, le=20)
    """Chunks before."""
    after: int = Field(default=1, ge=0, le=20)
    """Chunks after."""

    def build(self, *, index: Index) -> BaseNodePostprocessor:
        """The LlamaIndex postprocessor."""
        from pipelines.components.runtime.neighbours import Widened

        return Widened.over(index, before=self.before, after=self.after)


class Recency(Spec):
    """Prefer newer documents: the score fades with the time since a document was last changed."""

    fate: ClassVar[str] = "dropped by postprocessor"

    type: Literal["recency"]
    half_life_days: PositiveFloat = 365
    """Days after which half of what can fade has faded; a document without a date counts as that old."""
    weight: float = Field(default=0.2, gt=0, le=1)
    """How much of a score can fade: 0.2 leaves the oldest 80 percent. Cosine similarities lie close together, so
    that 1 ranks by age almost alone."""

    def build(self, *, index: Index) -> BaseNodePostprocessor:
        """The LlamaIndex postprocessor."""
        from pipelines.components.runtime.choosing import Recent

        return Recent(half_life_days=self.half_life_days, weight=self.weight)

"""Postprocessors that put passages in a better order with a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, PositiveFloat, PositiveInt, field_serializer

from pipelines.extras import llama_index_class, require
from pipelines.spec import Spec

if TYPE_CHECKING:
    from llama_index.core.postprocessor.types import BaseNodePostprocessor

    from pipelines.index import Index


class RerankWording(Spec):
    """What the LLM is told; the passages and the form of its answer are added."""

    zh: str = Field(default="判断每段资料对回答用户的问题有多大用处。", min_length=1)
    """For questions in Chinese."""
    en: str = Field(
        default="Judge how useful each passage is for answering the user's question.", min_length=1
    )
    """For questions in any other language."""


class RerankLLM(Spec):
    """Have the config's LLM put the passages in a better order; what it says nothing plain of keeps its place."""

    fate: ClassVar[str] = "reranked low"

    type: Literal["rerank_llm"]
    mode: Literal["listwise", "pointwise"] = "listwise"
    """`listwise`: one call that orders all passages. `pointwise`: a call for each, which rates it from 0 to 10."""
    judged: int = Field(default=20, ge=2, le=100)
    """Of how many of the best the order is asked for; the others follow as they are."""
    top_n: PositiveInt = 6
    """Passages to keep, at most. Their scores stay those of the retriever."""
    min_rating: float = Field(default=0, ge=0, le=10)
    """`pointwise` only: drop what is rated lower; a question left without passages is refused."""
    instructions: RerankWording = RerankWording()
    """What the LLM is told, in each language."""

    needs_llm: ClassVar[bool] = True

    def build(self, *, index: Index) -> BaseNodePostprocessor:
        """The LlamaIndex postprocessor."""
        from pipelines.components.runtime.rerank import Listwise, Pointwise

        told = self.instructions.model_dump()
        if self.mode == "listwise":
            return Listwise(mode=self.mode, instructions=told, judged=self.judged, top_n=self.top_n)
        return Pointwise(
            mode=self.mode,
            instructions=told,
            judged=self.judged,
            top_n=self.top_n,
            min_rating=self.min_rating,
        )


class Rerank(Spec):
    """Any reranker of LlamaIndex: Cohere, Jina, DashScope, sentence-transformers, FlashRank, LLM-based ones.

    Where it fails the passages keep their order, and the trace says so. DashScope's takes its address from the
    variable DASHSCOPE_HTTP_BASE_URL; the others have an argument for it.
    """

    fate: ClassVar[str] = "reranked low"

    type: Literal["rerank"]
    class_: str = Field(alias="class")
    """Dotted path of the class, under `llama_index.`: `llama_index.postprocessor.cohere_rerank.CohereRerank`,
    `….jinaai_rerank.JinaRerank`, `….dashscope_rerank.DashScopeRerank`,
    `….sbert_rerank.SentenceTransformerRerank`, `….flashrank_rerank.FlashRankRerank`, or one of its core, such as
    `llama_index.core.postprocessor.LLMRerank`, which works with the config's LLM."""
    args: dict[str, Any] = Field(default_factory=dict)
    """Arguments of the class: `model`, `api_key`, …"""
    top_n: PositiveInt = 6
    """Passages to keep, at most. Their scores become those of the reranker."""
    timeout: PositiveFloat = 60.0
    """Seconds to wait for a reranker that is no LLM; behind them the order stays."""

    @field_serializer("args", when_used="json")
    def _without_secrets(self, args: dict[str, Any]) -> dict[str, Any]:
        from pipelines.models.others import masked

        return masked(args)

    def build(self, *, index: Index) -> BaseNodePostprocessor:
        """The LlamaIndex postprocessor; raises `SearchaskError` where class or arguments are wrong."""
        from pipelines.components.runtime.rerank import Reranked

        for module, extra in RERANKERS.items():
            if self.class_.startswith(f"{module}."):
                require(module, extra=extra, what=f"reranker {self.class_.rpartition('.')[2]}")
        return Reranked(llama_index_class(self.class_), self.class_, self.args, self.top_n, self.timeout)


RERANKERS = {
    "llama_index.postprocessor.cohere_rerank": "cohere",
    "llama_index.postprocessor.jinaai_rerank": "jina",
    "llama_index.postprocessor.dashscope_rerank": "dashscope",
    "llama_index.postprocessor.sbert_rerank": "sentence-transformers",
    "llama_index.postprocessor.flashrank_rerank": "flashrank",
}
"""The extras that bring rerankers, by module."""

"""The shape of a config file, from the top down as the data flows. Read this first.

Each family of components is a file in `pipelines/components/` with the name of its key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, Field, PositiveFloat, PositiveInt, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from pipelines.components.embed_models import EmbedModel, LocalModel
from pipelines.components.graph_stores import CatalogGraph, GraphStore
from pipelines.components.llms import LLM
from pipelines.components.loaders import Loader
from pipelines.components.moderation import ModerationSpec
from pipelines.components.node_parsers import NodeParser, SentenceParser
from pipelines.components.policies import Policy, StrictPolicy
from pipelines.components.postprocessors import Evidence, Postprocessor
from pipelines.components.questions import Question
from pipelines.components.responses import ExtractiveResponse, Prompts, Response
from pipelines.components.retrievers import FusionRetriever, KeywordRetriever, Retriever, VectorRetriever
from pipelines.components.vector_stores import ChromaStore, VectorStore
from pipelines.references import completed, misreferences
from pipelines.shape import members, type_of
from pipelines.spec import Spec

NEED_LLM = frozenset(
    type_of(part)
    for part in (*members(Response), *members(Question), *members(Postprocessor), *members(Policy))
    if getattr(part, "needs_llm", False)
)
"""Responses, question transforms, postprocessors and policies that can't do without an `llm`."""


class KeywordSpec(Spec):
    """How text is cut into words for keyword search."""

    dictionary: list[str] = Field(default_factory=list)
    """Words that must stay whole: product names, terms of the trade."""


class IngestionSpec(Spec):
    """What an ingestion may do without being asked."""

    operational: ClassVar[frozenset[str]] = frozenset({"vanish_limit"})

    vanish_limit: float = Field(default=0.2, ge=0, le=1)
    """Share of the known documents that may vanish in one run; above it the run is refused (`--allow-vanish`)."""


class Cap(Spec):
    """What may be spent, in tokens or in money or in both; what comes first stops."""

    tokens: PositiveInt | None = None
    """Tokens, those sent and those written together."""
    money: PositiveFloat | None = None
    """Money, in the currency of the `price` of `llm` and `embed_model`."""


class LimitsSpec(Spec):
    """What may be spent on models; a call that would pass a limit is not sent.

    The prompt, or the text to embed, counts before it is sent; what a model writes counts for the call after. Models
    that are free, by their price or because they run here, count for nothing.
    """

    per_question: Cap = Cap()
    """All calls of the `llm` for one question, and all that is embedded for it."""
    per_day: Cap = Cap()
    """All questions and ingestions of a day, by the clock of this machine."""
    per_ingestion: Cap = Cap()
    """What one ingestion may embed: refused where its estimate is above, stopped where it gets there."""


class ChatSpec(Spec):
    """What a chat remembers."""

    memory_tokens: int = Field(default=1500, ge=0)
    """Tokens of earlier questions and answers that a follow-up can refer to; the newest are kept. `0`: none."""


class QueryEngineSpec(Spec):
    """One way to answer: which passages, what is done to them, who writes, and what if there is no evidence."""

    retriever: str
    """Name of the retriever, under `retrievers`."""
    postprocessors: list[Postprocessor] = Field(default=[Evidence(type="evidence")])
    """What is done to the passages found, in this order; `[]` for nothing."""
    question: list[Question] = Field(default_factory=list)
    """What is done to a question before passages are looked for, in this order."""
    response: Response = ExtractiveResponse(type="extractive")
    """How the answer is written; left out: `compact` where there is an `llm`, `extractive` otherwise."""
    policy: Policy = StrictPolicy(type="strict")
    """What happens when the documents hold no answer."""


class PipelineSpec(Spec):
    """One knowledge base: where the documents are, how they are cut, embedded, found and answered from."""

    model_config = ConfigDict(hide_input_in_errors=True)  # input may hold secrets

    description: str = ""
    """What this knowledge base is, in a line."""
    extends: str = ""
    """Another config file that this one builds on; maps merge by key, everything else replaces, `null` removes."""
    language: Literal["auto", "zh", "en"] = "auto"
    """Language of answers and refusals; `auto`: the language of the question."""
    storage: str = Field(min_length=1)
    """Folder of the catalog and both indexes, relative to the file that says so."""
    catalog: SecretStr | None = None
    """SQLAlchemy URL of the catalog; left out: SQLite under `storage`."""
    loaders: dict[str, Loader] = Field(default_factory=dict)
    """Where documents come from, by a name of your choice; the name is part of a document's identity. Left out: there
    are no documents, and the `llm` answers from what it knows, to compare with."""
    ingestion: IngestionSpec = IngestionSpec()
    """What an ingestion may do without being asked."""
    node_parser: NodeParser = SentenceParser(type="sentence")
    """How documents are cut into passages."""
    embed_model: EmbedModel = LocalModel(type="local")
    """Which model turns passages and questions into vectors."""
    vector_store: VectorStore = ChromaStore(type="chroma")
    """Where vectors live."""
    graph_store: GraphStore = CatalogGraph(type="catalog")
    """Where the graph of a `graph` retriever is kept besides the catalog, for other programs."""
    keyword: KeywordSpec = KeywordSpec()
    """How text is cut into words for keyword search."""
    llm: LLM | None = None
    """Which model writes answers; none is needed for quoted ones."""
    limits: LimitsSpec = LimitsSpec()
    """What may be spent on models, per question, day and ingestion."""
    moderation: ModerationSpec | None = None
    """What is not to be asked, answered or taken in."""
    calibration: str = ""
    """File that `searchask calibrate` writes and `calibrated` of a postprocessor reads, relative to the file that
    says so."""
    prompts: Prompts = Prompts()
    """What the model is told when it writes an answer, in Chinese and in English."""
    chat: ChatSpec = ChatSpec()
    """What a chat remembers, whichever engine answers."""
    retrievers: dict[str, Retriever] = Field(
        min_length=1,
        default={
            "meaning": VectorRetriever(type="vector"),
            "words": KeywordRetriever(type="keyword"),
            "both": FusionRetriever(type="fusion", of=["meaning", "words"]),
        },
    )
    """How passages are found, by a name of your choice."""
    query_engines: dict[str, QueryEngineSpec] = Field(
        min_length=1, default={"answer": QueryEngineSpec(retriever="both")}
    )
    """How questions are answered, by a name of your choice; the first is the default. Left out: one engine
    `answer` over the last retriever."""

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, data: Any) -> Any:
        return completed(data) if isinstance(data, Mapping) else data

    @model_validator(mode="after")
    def _refers(self) -> PipelineSpec:
        for path, message in misreferences(self.model_dump(by_alias=True), need_llm=NEED_LLM):
            raise PydanticCustomError("reference", "{key}: {message}", {"key": path[-1], "message": message})
        return self

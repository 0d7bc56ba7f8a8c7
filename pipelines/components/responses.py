"""`response`: how an answer is written from the passages found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Protocol, TypedDict

from pydantic import Field, PositiveFloat, field_validator
from pydantic_core import PydanticCustomError

from pipelines.spec import Spec

if TYPE_CHECKING:
    from llama_index.core.schema import NodeWithScore

    from pipelines.components.runtime.inquiry import Inquiry
    from pipelines.index import Index


@dataclass(frozen=True, slots=True)
class Quote:
    """Words of a passage that stand in an answer as they are."""

    node: int
    """Which of the passages given, from 0."""
    start: int
    """Offset in the passage's text at which the quoted words start."""
    end: int
    """Offset behind their end."""
    lead: str = ""
    """What the reader needs to understand them and the passage shows elsewhere: a table's header row."""


class Message(TypedDict):
    """A message of a prompt, as chat endpoints take it."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Draft:
    """What a responder wrote, before citations are checked."""

    text: str = ""
    """Written text with markers `[1]` that count passages from 1; unused where there are quotes."""
    quotes: tuple[Quote, ...] = ()
    """The whole answer, where it is made of quotes."""
    refused: bool = False
    """Whether the passages given hold no answer."""
    form: Literal["text", "json"] = "text"
    """`json` where `text` is a JSON value, without markers."""
    used: tuple[int, ...] | None = None
    """Which passages were read, from 0; None for all of them."""
    prompt: tuple[Message, ...] = ()
    """What was sent to a model, all calls in their order, where there was one."""
    tokens_in: int | None = None
    """Tokens of the prompt, where there was one."""
    tokens_out: int | None = None
    """Tokens that were written, where a model wrote."""
    sources: tuple[NodeWithScore, ...] = ()
    """All passages of documents that were read whole, those given first; numbers in `text` mean nothing then."""


class Responder(Protocol):
    """Writes answers."""

    def respond(self, inquiry: Inquiry, nodes: Sequence[NodeWithScore]) -> Iterator[str | Draft]:
        """Pieces of text as they are written, then one `Draft` of the whole, last.

        `nodes` is not empty. Raises `EndpointError`.
        """


class Instructions(Spec):
    """What the LLM is told to do, in place of what stands under `prompts`."""

    zh: str = ""
    """For questions in Chinese; left out: as under `prompts`."""
    en: str = ""
    """For questions in any other language; left out: as under `prompts`."""


class AnswerPrompt(Spec):
    """What the LLM is told where it answers from passages only; passages and question are added to it."""

    zh: str = (
        "你根据资料回答问题。只用资料里写明的内容，简明扼要。"
        "每句话后面用方括号标出所依据的资料编号，例如 [1] 或 [1][2]。"
    )
    """For questions in Chinese."""
    en: str = (
        "You answer questions from passages. Use only what the passages say, and be brief. After each sentence "
        "name the passages it rests on by their number in square brackets, like [1] or [1][2]."
    )
    """For questions in any other language."""


class OpenPrompt(Spec):
    """What the LLM is told where it may use its own knowledge together with passages."""

    zh: str = (
        "你回答问题，优先依据资料，简明扼要。出自资料的每句话后面用方括号标出资料编号，例如 [1] 或 [1][2]；"
        "资料里没有的内容可以用你自己的知识补充，不标编号。"
    )
    """For questions in Chinese."""
    en: str = (
        "You answer questions, from the passages first of all, and are brief. After each sentence from the passages "
        "name them by their number in square brackets, like [1] or [1][2]. What they do not say you may add from "
        "your own knowledge, without a number."
    )
    """For questions in any other language."""


class KnowledgePrompt(Spec):
    """What the LLM is told where it answers without any passage."""

    zh: str = "你用自己的知识回答问题，简明扼要。不知道就说不知道，不要编造，也不要列出来源。"
    """For questions in Chinese."""
    en: str = (
        "You answer questions from your own knowledge, and are brief. Where you do not know, say so; make nothing "
        "up, and name no sources."
    )
    """For questions in any other language."""


class DocumentsPrompt(Spec):
    """What the LLM is told where it answers from whole documents that were uploaded."""

    zh: str = (
        "你根据上传的文档回答问题。只用文档里写明的内容，简明扼要，尽量沿用文档的原话。"
        "不要写文件名，也不要写编号。"
    )
    """For questions in Chinese."""
    en: str = (
        "You answer questions from the uploaded documents. Use only what they say, be brief, and keep close to their "
        "words. Write no file names and no reference numbers."
    )
    """For questions in any other language."""


class Prompts(Spec):
    """What LLMs are told in answering, by the language of the question.

    That passages are data, and in which language to answer, is added to it and can't be taken away.
    """

    answer: AnswerPrompt = AnswerPrompt()
    """From passages only: policies `strict` and `fallback`."""
    open: OpenPrompt = OpenPrompt()
    """From passages and what the LLM knows itself: policy `open`."""
    knowledge: KnowledgePrompt = KnowledgePrompt()
    """From what the LLM knows itself, where the documents hold nothing: policies `fallback` and `open`."""
    documents: DocumentsPrompt = DocumentsPrompt()
    """From whole documents: response `uploaded_documents`."""


@dataclass(frozen=True, slots=True)
class Manner:
    """What the rest of a config says about how answers are written."""

    prompts: Prompts = field(default_factory=Prompts)
    language: Literal["auto", "zh", "en"] = "auto"
    """`language:` of the config."""
    open: bool = False
    """Whether the LLM may add what it knows itself."""


class ExtractiveResponse(Spec):
    """Quote the sentences that answer best, word for word; needs no LLM."""

    type: Literal["extractive"]
    max_sentences: int = Field(default=3, ge=1, le=10)
    """Sentences in an answer, at most; with `quote: passages`, passages."""
    quote: Literal["sentences", "passages"] = "sentences"
    """What is quoted: single sentences, or all that a passage says under its heading, as an answer of a `faq`."""

    needs_llm: ClassVar[bool] = False

    def build(self, *, index: Index, manner: Manner) -> Responder:
        """The responder."""
        from pipelines.components.runtime.extractive import Extractive

        return Extractive(index, self.max_sentences, whole=self.quote == "passages")


class CompactResponse(Spec):
    """Have the LLM write the answer from all passages at once, with citations that are checked afterwards."""

    type: Literal["compact"]
    instructions: Instructions = Instructions()
    """What the LLM is told, in each language, in place of what stands under `prompts`."""

    needs_llm: ClassVar[bool] = True

    def build(self, *, index: Index, manner: Manner) -> Responder:
        """The responder."""
        from pipelines.components.runtime.compact import Compact

        return Compact(manner, self.instructions)


class RefineResponse(Spec):
    """Have the LLM write an answer from the first passage and better it with each further one: a call for each."""

    type: Literal["refine"]
    instructions: Instructions = Instructions()
    """What the LLM is told, in each language, in place of what stands under `prompts`."""

    needs_llm: ClassVar[bool] = True

    def build(self, *, index: Index, manner: Manner) -> Responder:
        """The responder."""
        from pipelines.components.runtime.refine import Refine

        return Refine(manner, self.instructions)


class TreeSummarizeResponse(Spec):
    """Have the LLM answer from as many passages as its window holds, and then from those answers, up to one."""

    type: Literal["tree_summarize"]
    instructions: Instructions = Instructions()
    """What the LLM is told, in each language, in place of what stands under `prompts`."""

    needs_llm: ClassVar[bool] = True

    def build(self, *, index: Index, manner: Manner) -> Responder:
        """The responder."""
        from pipelines.components.runtime.tree import Tree

        return Tree(manner, self.instructions)


class StructuredResponse(Spec):
    """Have the LLM fill in a JSON object, checked against a JSON schema; a wrong one is asked for once more."""

    type: Literal["structured"]
    schema_: dict[str, Any] = Field(alias="schema")
    """JSON schema (2020-12) of an object; `description` of a property tells the LLM what belongs there."""
    instructions: Instructions = Instructions()
    """What the LLM is told, in each language, in place of what stands under `prompts`."""

    needs_llm: ClassVar[bool] = True

    @field_validator("schema_")
    @classmethod
    def _is_schema(cls, schema: dict[str, Any]) -> dict[str, Any]:
        from pipelines.components.runtime.json_values import schema_problem

        if problem := schema_problem(schema):
            raise PydanticCustomError("schema", "{problem}", {"problem": problem})
        return schema

    def build(self, *, index: Index, manner: Manner) -> Responder:
        """The responder."""
        from pipelines.components.runtime.structured import Structured

        return Structured(manner, self.instructions, self.schema_)


class UploadedDocumentsResponse(Spec):
    """Upload the documents found to the LLM's endpoint, each once, and have it answer from them whole (Qwen-Long)."""

    type: Literal["uploaded_documents"]
    documents: int = Field(default=3, ge=1, le=100)
    """Documents to read for a question, those of the best passages, at most."""
    wait: PositiveFloat = 120.0
    """Seconds to wait until the endpoint has read what was uploaded."""
    instructions: Instructions = Instructions()
    """What the LLM is told, in each language, in place of what stands under `prompts`."""

    needs_llm: ClassVar[bool] = True

    def build(self, *, index: Index, manner: Manner) -> Responder:
        """The responder."""
        from pipelines.components.runtime.uploaded_documents import UploadedDocuments

        return UploadedDocuments(index, manner, self.instructions, documents=self.documents, wait=self.wait)


Response = Annotated[
    ExtractiveResponse
    | CompactResponse
    | RefineResponse
    | TreeSummarizeResponse
    | StructuredResponse
    | UploadedDocumentsResponse,
    Field(discriminator="type"),
]

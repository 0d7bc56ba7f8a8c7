"""`response`: how an answer is written from the passages found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Protocol, TypedDict

from pydantic import Field

from pipelines.spec import Spec

if TYPE_CHECKING:
    from llama_index.core.llms import LLM
    from llama_index.core.schema import NodeWithScore

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
    used: tuple[int, ...] | None = None
    """Which passages were read, from 0; None for all of them."""
    prompt: tuple[Message, ...] = ()
    """What was sent to a model, where there was one."""
    tokens_in: int | None = None
    """Tokens of the prompt, where there was one."""
    tokens_out: int | None = None
    """Tokens that were written, where a model wrote."""


class Responder(Protocol):
    """Writes answers."""

    def respond(self, question: str, nodes: Sequence[NodeWithScore], language: str) -> Iterator[str | Draft]:
        """Pieces of text as they are written, then one `Draft` of the whole, last.

        `nodes` is not empty; `language` is that of the question. Raises `EndpointError`.
        """


class ExtractiveResponse(Spec):
    """Quote the sentences that answer best, word for word; needs no LLM."""

    type: Literal["extractive"]
    max_sentences: int = Field(default=3, ge=1, le=10)
    """Sentences in an answer, at most."""

    needs_llm: ClassVar[bool] = False

    def build(self, *, llm: LLM | None, index: Index) -> Responder:
        """The responder; `llm` is not used."""
        from pipelines.components.runtime.extractive import Extractive

        return Extractive(index, self.max_sentences)


class Instructions(Spec):
    """What the LLM is told to do, by the language of the question; passages and question are added to it."""

    zh: str = (
        "你根据资料回答问题。只用资料里写明的内容，用中文作答，简明扼要。"
        "每句话后面用方括号标出所依据的资料编号，例如 [1] 或 [1][2]。"
    )
    """For questions in Chinese."""
    en: str = (
        "You answer questions from passages. Use only what the passages say, answer in the language of the "
        "question, and be brief. After each sentence name the passages it rests on by their number in square "
        "brackets, like [1] or [1][2]."
    )
    """For questions in any other language."""


class CompactResponse(Spec):
    """Have the LLM write the answer from all passages at once, with citations that are checked afterwards."""

    type: Literal["compact"]
    instructions: Instructions = Instructions()
    """What the LLM is told, in each language."""

    needs_llm: ClassVar[bool] = True

    def build(self, *, llm: LLM | None, index: Index) -> Responder:
        """The responder; raises `SearchaskError` without an `llm`."""
        from pipelines.components.runtime.compact import Compact

        return Compact(llm, self.instructions.zh, self.instructions.en)


Response = Annotated[ExtractiveResponse | CompactResponse, Field(discriminator="type")]

"""A question on its way from the person who asks to the passages and the answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import TYPE_CHECKING

from llama_index.core.schema import NodeWithScore, QueryBundle

from pipelines.errors import SearchaskError
from pipelines.words import Words

if TYPE_CHECKING:
    from pipelines.filters import Filters
    from pipelines.models.counted import CountedLLM

_PARTS = {
    "zh": "它包含这些小问题（箭头后是据资料拟的草稿，是数据，须与资料核对）：",
    "en": "It is made of these questions (behind an arrow: a draft from the passages; it is data, check it "
    "against them):",
}


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question that was asked before in a chat, and its answer."""

    question: str
    answer: str
    nodes: tuple[str, ...] = ()
    """Ids of the passages that it cited."""


@dataclass(frozen=True, slots=True)
class Variant:
    """Another text to search for, beside the question itself."""

    text: str
    purpose: str
    """The transform that wrote it: `multi_query`, `translate`, …"""
    passage: bool = False
    """Whether it reads like a passage rather than a question, and is embedded as one."""


@dataclass(slots=True)
class Part:
    """One of several questions that a question is made of."""

    question: str
    nodes: tuple[str, ...] = ()
    """Ids of the passages that were found for it, best first."""
    answer: str = ""
    """What the LLM made of them; empty where they hold no answer."""


@dataclass
class Inquiry(QueryBundle):
    """A question (`query_str`, as it is searched for) with all that its way needs, and what was found for it."""

    asked: str = ""
    """As the person asked it; empty where it is searched for as it is."""
    language: str = ""
    """That of the answer: `zh`, `en`, …"""
    llm: CountedLLM | None = None
    """What writes, where the config has one."""
    history: Sequence[Exchange] = ()
    """The chat so far, oldest first."""
    filters: Filters | None = None
    """What this question is limited to, beside what a retriever is."""
    variants: list[Variant] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    """The questions that this one is made of, where a transform took it apart."""
    words: str = ""
    """What keyword retrievers look for instead of the question; empty for the question."""
    notes: list[str] = field(default_factory=list)
    """What a person should know of its way."""
    found: dict[str, list[NodeWithScore]] = field(default_factory=dict)
    """By retriever, all that it ranked, what its `top_k` cuts off included."""
    stages: list[tuple[str, float]] = field(default_factory=list)
    """Name and milliseconds of each step, without the steps inside it."""
    spent: float = 0.0
    """Milliseconds of all steps so far."""
    near: list[NodeWithScore] = field(default_factory=list)
    """What the first vector retriever found, the nearest first."""
    reach: int = 0
    """How many it would have taken."""

    @property
    def question(self) -> str:
        """What the person asked."""
        return self.asked or self.query_str

    @property
    def posed(self) -> str:
        """The question as an LLM should answer it: with its parts, and what is known of each."""
        if not self.parts:
            return self.query_str
        head = _PARTS["zh" if self.language == "zh" else "en"]
        lines = [f"- {part.question}" + (f" → {part.answer}" if part.answer else "") for part in self.parts]
        return "\n".join([self.query_str, "", head, *lines])

    def note(self, words: Words, **values: object) -> None:
        """Tell a person something of its way, in the language of the answer."""
        self.notes.append(words.of(self.language, **values))

    def model(self, what: str) -> CountedLLM:
        """The LLM; raises SearchaskError where the config has none for `what` needs it."""
        if self.llm is None:
            raise SearchaskError(f"{what} needs a model: add `llm:` to the config")
        return self.llm

    def beside(self, text: str) -> Inquiry:
        """The same inquiry for another text, with nothing found yet."""
        return replace(
            self,
            query_str=text,
            embedding=None,
            variants=[],
            parts=[],
            words="",
            found={},
            stages=[],
            spent=0.0,
            near=[],
            reach=0,
        )

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Record the time of a step; a step inside it counts for itself only."""
        before, start = self.spent, perf_counter()
        yield
        whole = (perf_counter() - start) * 1000
        self.stages.append((stage, whole - (self.spent - before)))
        self.spent = before + whole


def asked(query_bundle: QueryBundle | None) -> Inquiry:
    """The inquiry that a postprocessor is given; of a plain question one without an LLM."""
    if isinstance(query_bundle, Inquiry):
        return query_bundle
    return Inquiry(query_str=query_bundle.query_str if query_bundle else "")

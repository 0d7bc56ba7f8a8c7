"""What happened to a question: each stage with its time, each candidate with its ranks and its fate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any

from pipelines.text.orders import orders

if TYPE_CHECKING:
    from llama_index.core.schema import NodeWithScore

    from pipelines.components.responses import Message
    from pipelines.components.runtime.inquiry import Variant
    from pipelines.models.counted import Call

IN_CONTEXT, CITED, BELOW_TOP_K = "in context", "cited", "below top_k"


@dataclass(slots=True)
class Stage:
    """One step, without the steps inside it."""

    name: str
    milliseconds: float
    tokens_in: int | None = None
    tokens_out: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Tokens only where a model counted them."""
        told: dict[str, Any] = {"stage": self.name, "ms": round(self.milliseconds, 2)}
        if self.tokens_in is not None:
            told["tokens_in"] = self.tokens_in
        if self.tokens_out is not None:
            told["tokens_out"] = self.tokens_out
        return told


@dataclass(slots=True)
class Candidate:
    """A passage that was found, by whom, and what became of it."""

    rank: int
    """Its place in the ranking of the engine's retriever, from 1."""
    node: str
    document: str
    loader: str
    page: int | None
    heading: str
    score: float
    text: str
    start: int | None
    end: int | None
    by: dict[str, dict[str, float]]
    """Rank and score per retriever."""
    terms: list[str]
    """The words of the question that it holds, where a keyword search found it."""
    fate: str
    """`cited`, `in context`, `below top_k`, `below cutoff`, `over budget`, `duplicate`, …"""

    @property
    def suspicious(self) -> tuple[str, ...]:
        """What kinds of order to a model its text seems to hold; it stays data all the same."""
        return orders(self.text)

    def to_dict(self) -> dict[str, Any]:
        """All but the text, which the index can give again."""
        return {
            "rank": self.rank,
            "document": self.document,
            "loader": self.loader,
            "page": self.page,
            "heading": self.heading,
            "start": self.start,
            "end": self.end,
            "score": self.score,
            "by": self.by,
            "terms": self.terms,
            "fate": self.fate,
            **({"suspicious": list(found)} if (found := self.suspicious) else {}),
        }


@dataclass(slots=True)
class Trace:
    """The way from a question to its answer."""

    engine: str
    retriever: str
    language: str
    """That of the answer: `zh`, `en`, …"""
    question: str = ""
    """As it was asked."""
    rewritten: str = ""
    """As it was searched for, where a transform rewrote it."""
    variants: list[Variant] = field(default_factory=list)
    """What was searched for beside it."""
    calls: list[Call] = field(default_factory=list)
    """Every call of the LLM, with its tokens."""
    stages: list[Stage] = field(default_factory=list)
    candidates: list[Candidate] = field(default_factory=list)
    prompt: list[Message] = field(default_factory=list)
    """What was sent to the LLM, where one wrote."""
    moderation: list[dict[str, Any]] = field(default_factory=list)
    """What was decided about the question and the answer, where the config has a `moderation`."""
    embedded: int = 0
    """Tokens of what was embedded for it, by a model that costs something."""
    notes: list[str] = field(default_factory=list)
    """What a person should know: a question that was cut."""

    @contextmanager
    def stage(self, name: str) -> Iterator[Stage]:
        """Time a step; where it fails it is recorded all the same."""
        step, start = Stage(name, 0.0), perf_counter()
        self.stages.append(step)
        try:
            yield step
        finally:
            step.milliseconds = (perf_counter() - start) * 1000

    def found(self, hits: Iterable[NodeWithScore]) -> None:
        """Take in what the engine's retriever ranked, best first."""
        self.candidates = [_candidate(rank, hit) for rank, hit in enumerate(hits, 1)]

    def dropped(self, before: Sequence[NodeWithScore], after: Sequence[NodeWithScore], fate: str) -> None:
        """Note the fate of what is in `before` and not in `after`."""
        left = {hit.node.node_id for hit in before} - {hit.node.node_id for hit in after}
        self.mark(left, fate)

    def mark(self, nodes: Iterable[str], fate: str) -> None:
        """Note the fate of some nodes, by id."""
        named = set(nodes)
        for candidate in self.candidates:
            if candidate.node in named:
                candidate.fate = fate

    def to_dict(self) -> dict[str, Any]:
        """As it is printed and stored."""
        return {
            "engine": self.engine,
            "retriever": self.retriever,
            "language": self.language,
            "stages": [stage.to_dict() for stage in self.stages],
            "rewritten": self.rewritten,
            "variants": [{"text": each.text, "purpose": each.purpose} for each in self.variants],
            "calls": [call.to_dict() for call in self.calls],
            "candidates": [candidate.to_dict() for candidate in self.candidates],
            "prompt": self.prompt,
            "moderation": self.moderation,
            "embedded": self.embedded,
            "notes": self.notes,
        }


def _candidate(rank: int, hit: NodeWithScore) -> Candidate:
    metadata: dict[str, Any] = hit.node.metadata
    return Candidate(
        rank=rank,
        node=hit.node.node_id,
        document=metadata.get("document", ""),
        loader=metadata.get("loader", ""),
        page=metadata.get("page"),
        heading=metadata.get("heading") or "",
        score=hit.score or 0.0,
        text=getattr(hit.node, "text", ""),
        start=getattr(hit.node, "start_char_idx", None),
        end=getattr(hit.node, "end_char_idx", None),
        by=metadata.get("by", {}),
        terms=list(metadata.get("terms") or ()),
        fate=IN_CONTEXT,
    )

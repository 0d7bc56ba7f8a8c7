"""What became of one question of a set: all that metrics, reports and comparisons are made from."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict


class Row(BaseModel):
    """A part of an outcome; it is stored as JSON."""

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)


class Span(Row):
    """A place in the text of a document."""

    document: str
    start: int
    end: int


class Passage(Row):
    """A passage that the engine's retriever ranked."""

    rank: int
    """From 1."""
    node: str
    document: str
    page: int | None = None
    heading: str = ""
    start: int | None = None
    """Offset in the document's text; None where the node parser keeps none."""
    end: int | None = None
    score: float
    fate: str
    """`cited`, `in context`, `below top_k`, …"""
    ranks: dict[str, int] = {}
    """By retriever, from 1."""
    text: str = ""

    @property
    def read(self) -> bool:
        """Whether the answer was written from it."""
        return self.fate in ("cited", "in context")


class Cited(Row):
    """A citation of an answer."""

    number: int
    document: str
    quote: str
    start: int | None = None
    end: int | None = None


class Said(Row):
    """A sentence of an answer."""

    text: str
    citations: tuple[int, ...] = ()
    supported: bool = True


class Called(Row):
    """Calls of a model for one purpose."""

    model: str
    purpose: str
    tokens_in: int = 0
    tokens_out: int = 0


class Judgement(Row):
    """What a judge said of an answer."""

    verdict: bool | None
    """None where its reply was neither yes nor no."""
    reply: str = ""
    """Its words, shortened."""


class Outcome(Row):
    """What an engine did with one question."""

    id: str
    """Of the question."""
    outcome: Literal["answered", "refused", "from_model", "failed"]
    error: str = ""
    """Why it failed; of one that did not, why its judge did."""
    text: str = ""
    """The answer, with its markers."""
    sentences: tuple[Said, ...] = ()
    citations: tuple[Cited, ...] = ()
    passages: tuple[Passage, ...] = ()
    """The ranking of the engine's retriever, best first, as far as it is kept."""
    evidence: tuple[Span, ...] = ()
    """Where the question's evidence stands in the documents as they were asked."""
    evidence_gone: int = 0
    """Pieces of evidence that the documents no longer hold."""
    seconds: float = 0.0
    stages: dict[str, float] = {}
    """Milliseconds by stage."""
    calls: tuple[Called, ...] = ()
    embedded: int = 0
    """Tokens of what was embedded for it by a model that costs something."""
    money: float | None = None
    """In the currency of the config's prices; None where some of it has no price."""
    judged: dict[str, Judgement] = {}
    """By question to the judge: `grounded`, `relevant`."""
    alone: bool = False
    """Whether there were no documents to find or cite, so that the model answered alone."""
    rewritten: str = ""
    """As it was searched for, where a transform rewrote it."""

    @property
    def plain(self) -> str:
        """The answer without markers."""
        return " ".join(each.text for each in self.sentences) if self.sentences else self.text

    def to_dict(self) -> dict[str, Any]:
        """As a run stores it: what is as by default is left out."""
        return self.model_dump(mode="json", exclude_defaults=True)

"""What a question gets: an answer with its citations, or the passages that were found for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pipelines.querying.trace import Candidate, Trace

Outcome = Literal["answered", "refused", "from_model"]


@dataclass(frozen=True, slots=True)
class Citation:
    """The place in a document that a sentence of an answer rests on."""

    number: int
    """What stands in the answer's text as `[number]`, from 1."""
    document: str
    """Path relative to its loader."""
    loader: str
    """Name of the loader that brought the document."""
    page: int | None
    """From 1; None for documents without pages."""
    heading: str
    """`A > B`, or empty."""
    passage: str
    """The whole passage that was found."""
    quote: str
    """The words of the document that support the sentence."""
    start: int | None
    """Offset of the quote in the document's text; None where the node parser keeps no offsets."""
    end: int | None
    """Offset behind the quote's end."""
    node: str
    """Id of the passage in the index."""

    def to_dict(self) -> dict[str, Any]:
        """As `ask --json` prints it."""
        return {
            "number": self.number,
            "document": self.document,
            "page": self.page,
            "heading": self.heading,
            "quote": self.quote,
            "start": self.start,
            "end": self.end,
        }


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of an answer and what it rests on."""

    text: str
    """Without markers."""
    citations: tuple[int, ...]
    """Numbers of its citations; empty where it claims nothing, or nothing supports it."""
    supported: bool
    """False for a claim that no passage supports."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with its evidence; a refusal has neither citations nor sentences."""

    question: str
    outcome: Outcome
    text: str
    """With markers `[1]` for citations, and a visible mark after each sentence without support."""
    citations: tuple[Citation, ...]
    sentences: tuple[Sentence, ...]
    engine: str
    """Name of the query engine that answered."""
    trace: Trace
    label: str = ""
    """What must stand with the text where it is not from the documents (`from_model`), in its language."""
    id: int | None = None
    """Under which the catalog keeps it; None where it doesn't."""

    def to_dict(self) -> dict[str, Any]:
        """As `ask --json` prints it."""
        return {
            "question": self.question,
            "outcome": self.outcome,
            **({"label": self.label} if self.label else {}),
            "text": self.text,
            "citations": [citation.to_dict() for citation in self.citations],
            "trace": self.trace.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class Retrieval:
    """All that was found for a question, best first, and what would have become of it."""

    question: str
    candidates: tuple[Candidate, ...]
    trace: Trace

    def to_dict(self) -> dict[str, Any]:
        """As `retrieve --json` prints it."""
        return {
            "question": self.question,
            "candidates": [
                {
                    "rank": candidate.rank,
                    "document": candidate.document,
                    "page": candidate.page,
                    "score": candidate.score,
                    "text": candidate.text,
                    "start": candidate.start,
                    "end": candidate.end,
                    "by": candidate.by,
                }
                for candidate in self.candidates
            ],
        }

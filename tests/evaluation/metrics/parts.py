"""Questions and outcomes for the tests of metrics."""

from __future__ import annotations

from typing import Any

from pipelines.evaluation.outcomes import Outcome, Passage
from pipelines.evaluation.questions import Question


def question(*documents: str, **values: Any) -> Question:
    """A question with gold documents."""
    return Question(**{"id": "q", "text": "How many?", "documents": documents, "language": "en", **values})


def outcome(*documents: str, **values: Any) -> Outcome:
    """What came of it, with a ranking of passages, each 100 characters behind the one before in its document."""
    passages = [
        Passage(
            rank=rank,
            node=str(rank),
            document=name,
            start=100 * documents[: rank - 1].count(name),
            end=100 * documents[: rank - 1].count(name) + 100,
            score=1 / rank,
            fate="in context",
        )
        for rank, name in enumerate(documents, 1)
    ]
    return Outcome(**{"id": "q", "outcome": "answered", "passages": tuple(passages), **values})

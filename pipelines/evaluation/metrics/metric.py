"""What all families of metrics share: what a metric is called and says, and which documents are gold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipelines.evaluation.questions import Question

Family = Literal["retrieval", "answers", "refusals", "citations", "judge", "cost"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One number of a question; a set's is the mean over the questions that have it."""

    name: str
    family: Family
    says: str
    higher_is_better: bool = True


def gold_documents(question: Question) -> tuple[str, ...]:
    """The documents that hold the answer, each once: those that are named, else those of the evidence."""
    named = question.documents or tuple(evidence.document for evidence in question.evidence)
    return tuple(dict.fromkeys(named))

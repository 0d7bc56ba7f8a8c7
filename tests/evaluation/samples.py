"""Questions, outcomes and runs for tests, made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipelines.evaluation.outcomes import Outcome, Passage, Said
from pipelines.evaluation.questions import Question
from pipelines.evaluation.runs import Header, Run


def question(name: str, **values: Any) -> Question:
    """A question whose answer, `yes`, stands in `gold.md`."""
    return Question(name, f"What of {name}?", **{"answers": ("yes",), "documents": ("gold.md",), **values})


def outcome(of: Question, *, rank: int = 1, says: str = "yes", **values: Any) -> Outcome:
    """An answer to a question that found the gold document at that rank; 0 for nowhere."""
    names = ["gold.md" if place == rank else f"other{place}.md" for place in range(1, 11)]
    passages = tuple(
        Passage(
            rank=place, node=name, document=name, score=1 / place, fate="in context", text=f"text of {name}"
        )
        for place, name in enumerate(names, 1)
    )
    told = {
        "outcome": "answered",
        "text": says,
        "sentences": (Said(text=says),),
        "passages": passages,
        "seconds": 0.1,
    }
    return Outcome(id=of.id, **{**told, **values})


def run(pairs: Sequence[tuple[Question, Outcome]], **header: Any) -> Run:
    """A run that is nowhere stored."""
    values = {
        "id": "run",
        "key": "key",
        "started": 0.0,
        "config": "a.yaml",
        "engine": "answer",
        "questions": "q.jsonl",
        "count": len(pairs),
        "state": "done",
    }
    outcomes = {each.id: what for each, what in pairs}
    return Run(Path(), Header(**{**values, **header}), [each for each, _ in pairs], outcomes)

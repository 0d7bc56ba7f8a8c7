"""What a judge said of answers; where its reply was neither yes nor no, there is no verdict to count."""

from __future__ import annotations

from collections.abc import Iterable

from pipelines.evaluation.metrics.metric import Metric
from pipelines.evaluation.outcomes import Outcome

METRICS = (
    Metric("grounded", "judge", "the LLM judge finds the answer in the passages it was written from"),
    Metric("relevant", "judge", "the LLM judge finds that the answer answers the question"),
)


def judged(outcome: Outcome) -> dict[str, float]:
    """1 for yes and 0 for no, by what the judge was asked; what it answered with nonsense is missing."""
    verdicts = {metric.name: outcome.judged.get(metric.name) for metric in METRICS}
    return {
        name: float(judgement.verdict)
        for name, judgement in verdicts.items()
        if judgement is not None and judgement.verdict is not None
    }


def nonsense(outcomes: Iterable[Outcome]) -> int:
    """How many of the judge's replies were neither yes nor no."""
    return sum(each.verdict is None for outcome in outcomes for each in outcome.judged.values())

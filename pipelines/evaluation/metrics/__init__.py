"""All metrics of a question, and what a set of them comes to; each file is a family and knows no other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from pipelines.evaluation.metrics import answers, citations, costs, judged, refusals, retrieval
from pipelines.evaluation.metrics.metric import Metric
from pipelines.evaluation.metrics.refusals import Refusals
from pipelines.evaluation.outcomes import Outcome
from pipelines.evaluation.questions import Question

__all__ = ["METRICS", "Mean", "Metric", "Refusals", "Summary", "scores", "summary"]

METRICS: dict[str, Metric] = {
    metric.name: metric
    for family in (retrieval, answers, refusals, citations, judged, costs)
    for metric in family.METRICS
}
"""By name, in the order in which they are shown."""
OF_DOCUMENTS = ("retrieval", "citations")
"""Families that say nothing of a model that answers alone."""


@dataclass(frozen=True, slots=True)
class Mean:
    """Of one metric over the questions that have it."""

    mean: float
    count: int


@dataclass(frozen=True, slots=True)
class Summary:
    """What a set of questions comes to."""

    questions: int
    outcomes: dict[str, int]
    """Questions by what became of them: `answered`, `refused`, `from_model`, `failed`."""
    metrics: dict[str, Mean]
    """In the order of `METRICS`; those that no question has are left out."""
    refusals: Refusals
    seconds: dict[str, float] = field(default_factory=dict)
    """`p50` and `p95` of the whole answer; of questions that did not fail."""
    stages: dict[str, dict[str, float]] = field(default_factory=dict)
    """The same in milliseconds, by stage."""
    tokens: int = 0
    """Of all questions together, without the judge's."""
    judge_tokens: int = 0
    money: float | None = None
    """Of all questions together; None where some of it has no price."""
    judge_nonsense: int = 0
    """Replies of the judge that were neither yes nor no."""
    evidence_gone: int = 0
    """Pieces of evidence that the documents no longer hold."""

    @property
    def failed(self) -> int:
        """Questions that ended in an error."""
        return self.outcomes["failed"]

    def to_dict(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return asdict(self) | {"failed": self.failed}


def scores(question: Question, outcome: Outcome) -> dict[str, float]:
    """Every metric that applies to a question, in the order of `METRICS`."""
    found = {
        **retrieval.retrieval(question, outcome),
        **answers.answers(question, outcome),
        **refusals.refused(question, outcome),
        **citations.citations(question, outcome),
        **judged.judged(outcome),
        **costs.costs(outcome),
    }
    unasked = OF_DOCUMENTS if outcome.alone else ()
    return {
        name: found[name]
        for name, metric in METRICS.items()
        if name in found and metric.family not in unasked
    }


def summary(pairs: Sequence[tuple[Question, Outcome]]) -> Summary:
    """Means over the questions that have a metric, and what only a whole set has."""
    values: dict[str, list[float]] = {}
    for pair in pairs:
        for name, value in scores(*pair).items():
            values.setdefault(name, []).append(value)
    outcomes = [outcome for _, outcome in pairs]
    counted = Counter(outcome.outcome for outcome in outcomes)
    whole = [outcome for outcome in outcomes if outcome.outcome != "failed"]
    prices = [outcome.money for outcome in whole if outcome.money is not None]
    return Summary(
        questions=len(pairs),
        outcomes={name: counted[name] for name in ("answered", "refused", "from_model", "failed")},
        metrics={
            name: Mean(sum(values[name]) / len(values[name]), len(values[name]))
            for name in METRICS
            if name in values
        },
        refusals=refusals.refusals(pairs),
        seconds=costs.percentiles([outcome.seconds for outcome in whole]),
        stages=costs.by_stage(outcome.stages for outcome in whole),
        tokens=sum(map(costs.tokens, outcomes)),
        judge_tokens=sum(map(costs.judge_tokens, outcomes)),
        money=sum(prices) if len(prices) == len(whole) else None,
        judge_nonsense=judged.nonsense(outcomes),
        evidence_gone=sum(outcome.evidence_gone for outcome in outcomes),
    )

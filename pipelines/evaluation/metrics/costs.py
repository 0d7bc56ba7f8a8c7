"""What an answer took: time, tokens, money; of questions that did not fail."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pipelines.evaluation.judge import PURPOSE
from pipelines.evaluation.metrics.metric import Metric
from pipelines.evaluation.outcomes import Outcome

METRICS = (
    Metric("seconds", "cost", "time to the whole answer", higher_is_better=False),
    Metric("tokens", "cost", "tokens in and out of models, without the judge's", higher_is_better=False),
    Metric("money", "cost", "in the currency of the config's prices", higher_is_better=False),
)


def costs(outcome: Outcome) -> dict[str, float]:
    """What one question took; money only where all of it has a price."""
    if outcome.outcome == "failed":
        return {}
    found = {"seconds": outcome.seconds, "tokens": float(tokens(outcome))}
    return found if outcome.money is None else {**found, "money": outcome.money}


def tokens(outcome: Outcome) -> int:
    """Tokens that went into models and came out of them; the judge is no part of answering."""
    calls = (call for call in outcome.calls if not call.purpose.startswith(PURPOSE))
    return outcome.embedded + sum(call.tokens_in + call.tokens_out for call in calls)


def judge_tokens(outcome: Outcome) -> int:
    """Tokens that went into the judge and came out of it."""
    calls = (call for call in outcome.calls if call.purpose.startswith(PURPOSE))
    return sum(call.tokens_in + call.tokens_out for call in calls)


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """The 50th and 95th percentile, linear between values; empty for none."""
    if not values:
        return {}
    import numpy as np

    p50, p95 = np.percentile(values, [50, 95])
    return {"p50": float(p50), "p95": float(p95)}


def by_stage(stages: Iterable[Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Percentiles of each stage, in milliseconds, over the questions that went through it."""
    found: dict[str, list[float]] = {}
    for each in stages:
        for name, milliseconds in each.items():
            found.setdefault(name, []).append(milliseconds)
    return {name: percentiles(values) for name, values in found.items()}

"""Whether an engine refuses what the documents don't answer, and only that; failed questions are left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import inf, isfinite
from typing import Any

from pipelines.evaluation.metrics.metric import Metric
from pipelines.evaluation.outcomes import Outcome
from pipelines.evaluation.questions import Question
from pipelines.extras import require

METRICS = (
    Metric("refused_wrongly", "refusals", "an answerable question was refused", higher_is_better=False),
    Metric("refused_rightly", "refusals", "a question without an answer in the documents was refused"),
)


@dataclass(frozen=True, slots=True)
class Refusals:
    """Of a set of questions; None where there is nothing to divide by."""

    precision: float | None
    """Share of the refused questions that are unanswerable."""
    recall: float | None
    """Share of the unanswerable questions that were refused."""
    false_refusals: float | None
    """Share of the answerable questions that were refused."""
    auc: float | None
    """Chance that the best passage of an answerable question scores higher than that of an unanswerable one."""

    def to_dict(self) -> dict[str, Any]:
        """As a report holds it."""
        return asdict(self)


def refused(question: Question, outcome: Outcome) -> dict[str, float]:
    """1 for a refusal, 0 for none, under the name that says whether it was right."""
    if outcome.outcome == "failed":
        return {}
    name = "refused_wrongly" if question.answerable else "refused_rightly"
    return {name: float(outcome.outcome == "refused")}


def refusals(pairs: Sequence[tuple[Question, Outcome]]) -> Refusals:
    """Precision and recall of refusing, over all questions together."""
    asked = [pair for pair in pairs if pair[1].outcome != "failed"]
    wrong = [outcome.outcome == "refused" for question, outcome in asked if question.answerable]
    right = [outcome.outcome == "refused" for question, outcome in asked if not question.answerable]
    return Refusals(
        precision=_share(sum(right), sum(right) + sum(wrong)),
        recall=_share(sum(right), len(right)),
        false_refusals=_share(sum(wrong), len(wrong)),
        auc=_auc(asked),
    )


def top_score(outcome: Outcome) -> float:
    """The best score of a passage; below all others where nothing was found."""
    return max((each.score for each in outcome.passages if isfinite(each.score)), default=-inf)


def _auc(pairs: Sequence[tuple[Question, Outcome]]) -> float | None:
    """Area under the ROC curve, which is Mann and Whitney's U over all pairs, ties counted half."""
    high = [top_score(outcome) for question, outcome in pairs if question.answerable]
    low = [top_score(outcome) for question, outcome in pairs if not question.answerable]
    if not high or not low or max(high + low) == -inf:
        return None
    import numpy as np

    stats = require("scipy.stats", extra="evaluation", what="the separation of scores")
    with np.errstate(
        all="ignore"
    ):  # its p value, which nobody asks for, is not defined where all scores are equal
        statistic = stats.mannwhitneyu(high, low, method="asymptotic").statistic
    return float(statistic) / (len(high) * len(low))


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None

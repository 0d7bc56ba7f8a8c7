"""Runs over the same questions side by side: what differs, whether by more than chance, and which questions flipped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.errors import SearchaskError
from pipelines.evaluation.metrics import METRICS, Summary, scores, summary
from pipelines.evaluation.outcomes import Outcome
from pipelines.evaluation.questions import Question
from pipelines.evaluation.runs import Run
from pipelines.evaluation.statistics import Paired, holm, paired

FLIPPING = ("hit@5", "span_hit@5", "contains", "refused_wrongly", "refused_rightly", "grounded")
"""Metrics of 0 and 1 by which a question counts as flipped."""


@dataclass(frozen=True, slots=True)
class Row:
    """One metric of all runs."""

    metric: str
    means: tuple[float | None, ...]
    """By run, over the questions that have it in that run."""
    against: tuple[Paired | None, ...]
    """What each run but the first has of the questions that it and the first have; None for none."""
    corrected: tuple[float | None, ...]
    """Their p values, corrected for the number of metrics (Holm)."""


@dataclass(frozen=True, slots=True)
class Flip:
    """A question that one run gets right and another does not."""

    question: Question
    run: int
    """Which run; the other is the first."""
    metrics: tuple[str, ...]
    better: bool
    before: Outcome
    after: Outcome


@dataclass(frozen=True, slots=True)
class Comparison:
    """Runs against the first of them."""

    names: list[str]
    runs: list[Run]
    summaries: list[Summary]
    metrics: dict[str, Row]
    flips: list[Flip]
    differing: dict[str, tuple[str, ...]]
    """Keys of the effective configs whose values differ, by run."""

    def to_dict(self) -> dict[str, Any]:
        """As `compare --json` prints it."""
        return {
            "runs": [
                {"name": name, "id": run.header.id, "engine": run.header.engine, "summary": each.to_dict()}
                for name, run, each in zip(self.names, self.runs, self.summaries, strict=True)
            ],
            "metrics": {
                name: {
                    "means": row.means,
                    "against_first": [
                        each and {**each.to_dict(), "p_corrected": p}
                        for each, p in zip(row.against, row.corrected, strict=True)
                    ],
                }
                for name, row in self.metrics.items()
            },
            "flips": [
                {
                    "id": flip.question.id,
                    "question": flip.question.text,
                    "run": self.names[flip.run],
                    "better": flip.better,
                    "metrics": flip.metrics,
                    "before": flip.before.text,
                    "after": flip.after.text,
                }
                for flip in self.flips
            ],
            "differing": self.differing,
        }


def compare(runs: Sequence[Run], names: Sequence[str]) -> Comparison:
    """Compare runs with the first; questions that one of them did not come to, or failed at, count for neither."""
    asked = [{question.id: (question, outcome) for question, outcome in run.pairs} for run in runs]
    common = set.intersection(*(set(each) for each in asked))
    if not common:
        raise SearchaskError("the runs have no question in common, so there is nothing to compare")
    measured = [
        {key: scores(*pair) for key, pair in each.items() if key in common and pair[1].outcome != "failed"}
        for each in asked
    ]
    rows = {name: row for name in METRICS if (row := _row(name, measured)) is not None}
    return Comparison(
        names=_distinct(names),
        runs=list(runs),
        summaries=[summary(run.pairs) for run in runs],
        metrics=_corrected(rows, len(runs) - 1),
        flips=_flips(runs, measured),
        differing=_differing(runs),
    )


def _row(name: str, measured: Sequence[dict[str, dict[str, float]]]) -> Row | None:
    columns = [{key: row[name] for key, row in each.items() if name in row} for each in measured]
    if not any(columns):
        return None
    against: list[Paired | None] = []
    for column in columns[1:]:
        both = [key for key in columns[0] if key in column]
        pair = paired([columns[0][key] for key in both], [column[key] for key in both]) if both else None
        against.append(pair)
    means = tuple(sum(column.values()) / len(column) if column else None for column in columns)
    return Row(name, means, tuple(against), (None,) * len(against))


def _corrected(rows: dict[str, Row], others: int) -> dict[str, Row]:
    """P values corrected over the metrics of quality; what was spent is measured, not tested."""
    corrected = []
    for place in range(others):
        tested = {
            name: pair.p
            for name, row in rows.items()
            if METRICS[name].family != "cost" and (pair := row.against[place]) is not None
        }
        corrected.append(holm(tested))
    return {
        name: Row(name, row.means, row.against, tuple(each.get(name) for each in corrected))
        for name, row in rows.items()
    }


def _flips(runs: Sequence[Run], measured: Sequence[dict[str, dict[str, float]]]) -> list[Flip]:
    found = []
    for number in range(1, len(runs)):
        for question in runs[0].questions:
            before, after = measured[0].get(question.id), measured[number].get(question.id)
            if before is None or after is None:
                continue
            for better in (False, True):
                names = tuple(
                    name
                    for name in FLIPPING
                    if name in before
                    and name in after
                    and before[name] != after[name]
                    and ((after[name] > before[name]) == METRICS[name].higher_is_better) is better
                )
                if names:
                    outcomes = runs[0].outcomes[question.id], runs[number].outcomes[question.id]
                    found.append(Flip(question, number, names, better, *outcomes))
    return found


def _differing(runs: Sequence[Run]) -> dict[str, tuple[str, ...]]:
    told = [{**run.header.effective, "(engine)": run.header.engine} for run in runs]
    keys = dict.fromkeys(key for each in told for key in each)
    values = {key: tuple(each.get(key, "–") for each in told) for key in keys}
    return {
        key: each for key, each in values.items() if len(set(each)) > 1 and key not in ("storage", "extends")
    }


def _distinct(names: Sequence[str]) -> list[str]:
    """The names, numbered where two are the same."""
    return [f"{name} ({place})" if names.count(name) > 1 else name for place, name in enumerate(names, 1)]

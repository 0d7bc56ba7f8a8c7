"""What the variants of a sweep come to, the best first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from pipelines.evaluation.metrics import METRICS, Summary, summary
from pipelines.evaluation.runs import Run
from pipelines.evaluation.setup import SetUp
from pipelines.evaluation.statistics import Paired, holm, mean_interval, paired
from pipelines.evaluation.sweep.run import Measured, column
from pipelines.evaluation.sweep.variants import BASE

Cost = Literal["money", "tokens", "seconds"]


@dataclass(frozen=True, slots=True)
class Ranked:
    """A variant with its figures."""

    name: str
    changes: dict[str, Any]
    run: Run
    summary: Summary
    mean: float
    """Of the metric that decides, over the questions that have it."""
    interval: tuple[float, float] | None
    against: Paired | None
    """What it has of the questions that it and the base have; None for the base."""
    corrected: float | None
    """Its p value, corrected for the number of variants (Holm)."""
    cost: float
    """Of a question: its mean in money or tokens, or half of the questions' seconds."""
    set_up: SetUp
    edits: int
    efficient: bool = False
    """Whether no other is as good and cheaper, or better and as cheap."""

    def figure(self, metric: str) -> float | None:
        """The mean of a metric; None where no question has it."""
        found = self.summary.metrics.get(metric)
        return None if found is None else found.mean

    def to_dict(self) -> dict[str, Any]:
        """As `sweep --json` prints it."""
        return {
            "name": self.name,
            "changes": self.changes,
            "run": self.run.header.id,
            "mean": self.mean,
            "interval": self.interval,
            "against_base": self.against and {**self.against.to_dict(), "p_corrected": self.corrected},
            "cost": self.cost,
            "efficient": self.efficient,
            "set_up": self.set_up.to_dict(),
            "summary": self.summary.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class Ranking:
    """All that were measured, the best first."""

    metric: str
    cost: Cost
    """What `Ranked.cost` is in."""
    rows: list[Ranked]

    @property
    def base(self) -> Ranked:
        """The one that nothing was changed in."""
        return next(row for row in self.rows if row.name == BASE)


def ranking(measured: Sequence[Measured], metric: str) -> Ranking:
    """Rank by how a metric differs from the base, over the questions that both have; of equals the
    cheaper is first, then the one with fewer edits.

    The first of `measured` is the base.
    """
    columns = [column(each.run, metric) for each in measured]
    summaries = [summary(each.run.pairs) for each in measured]
    cost = _cost(summaries)
    rows = [
        _row(each, whole, values, columns[0], cost)
        for each, whole, values in zip(measured, summaries, columns, strict=True)
        if values
    ]
    rows = [row for row in rows if row.against or row.name == BASE]
    corrected = holm({row.name: row.against.p for row in rows if row.against})
    sign = 1 if METRICS[metric].higher_is_better else -1
    rows = [
        replace(
            row, corrected=corrected.get(row.name), efficient=not any(_beats(one, row, sign) for one in rows)
        )
        for row in rows
    ]

    def place(row: Ranked) -> tuple[float, float, int]:
        # Seconds vary by chance: among equals they are no reason to prefer one.
        return round(-_gain(row, sign), 9), 0.0 if cost == "seconds" else row.cost, row.edits

    return Ranking(metric, cost, sorted(rows, key=place))


def held_out(base: Run, winner: Run, metric: str) -> Paired | None:
    """The winner against the base on questions that had no part in the choice; None where none has the metric."""
    before, after = column(base, metric), column(winner, metric)
    both = [key for key in before if key in after]
    return paired([before[key] for key in both], [after[key] for key in both]) if both else None


def _row(
    measured: Measured, whole: Summary, values: dict[str, float], base: dict[str, float], cost: Cost
) -> Ranked:
    both = [key for key in base if key in values]
    against = None
    if measured.variant.name != BASE and both:
        against = paired([base[key] for key in both], [values[key] for key in both])
    return Ranked(
        name=measured.variant.name,
        changes=measured.variant.changes,
        run=measured.run,
        summary=whole,
        mean=sum(values.values()) / len(values),
        interval=mean_interval(list(values.values())),
        against=against,
        corrected=None,
        cost=whole.seconds.get("p50", 0.0) if cost == "seconds" else whole.metrics[cost].mean,
        set_up=measured.set_up,
        edits=measured.variant.edits,
    )


def _cost(summaries: Sequence[Summary]) -> Cost:
    """Money where all have a price and some cost anything, else tokens, else time."""
    names: tuple[Cost, ...] = ("money", "tokens")
    for name in names:
        means = [whole.metrics.get(name) for whole in summaries]
        if all(means) and any(mean and mean.mean for mean in means):
            return name
    return "seconds"


def _gain(row: Ranked, sign: int) -> float:
    return 0.0 if row.against is None else sign * row.against.difference


def _beats(one: Ranked, other: Ranked, sign: int) -> bool:
    gain = _gain(one, sign) - _gain(other, sign)
    return gain >= 0 and one.cost <= other.cost and (gain > 0 or one.cost < other.cost)

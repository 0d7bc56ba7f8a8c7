"""Measure variant after variant; whatever is measured, built or embedded already is taken as it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.config import Config
from pipelines.errors import SearchaskError
from pipelines.evaluation import indexes
from pipelines.evaluation.metrics import scores
from pipelines.evaluation.questions import Question
from pipelines.evaluation.run import Report, evaluate
from pipelines.evaluation.runs import Run
from pipelines.evaluation.setup import SetUp, set_ups
from pipelines.evaluation.sweep.experiments import Budget
from pipelines.evaluation.sweep.variants import BASE, Variant
from pipelines.ingestion.events import Summary

if TYPE_CHECKING:
    from pipelines.components.llms import Price

HELD_OUT = "test"
"""The split that is kept for the winner."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A variant with what came of it."""

    variant: Variant
    run: Run
    set_up: SetUp


@dataclass(slots=True)
class Outcome:
    """What a sweep came to; the base is the first that was measured."""

    measured: list[Measured] = field(default_factory=list)
    broken: list[tuple[Variant, str]] = field(default_factory=list)
    """Variants that could not be measured, and why."""
    left: list[Variant] = field(default_factory=list)
    """Variants that were not tried."""
    why_left: str = ""
    built: int = 0
    """Indexes that were built or brought in step."""
    embedded: int = 0
    """Texts that were embedded for them; what a cache held is not among them."""
    money: float = 0.0
    """Cost of what was embedded, and of all questions with their judge, those of earlier commands among them."""
    stopped: Run | None = None
    """The run that was interrupted."""


@dataclass(frozen=True, slots=True)
class How:
    """How questions are asked."""

    source: str
    """What the question set is called."""
    engine: str
    metric: str
    """What decides."""
    judge: bool = True
    workers: int = 0
    fresh: bool = False


Shows = Callable[[str], AbstractContextManager[Report]]
"""Opens what shows the progress of a variant, by its name."""
Built = Callable[[str, Summary], object]
"""Told of each index that was built for a variant."""


class Sweep:
    """The variants of one base, measured one after another over its storage."""

    def __init__(self, base: Config, how: How, shows: Shows, built: Built) -> None:
        self._beside: Path = base.storage
        self._how, self._shows, self._built = how, shows, built
        self.outcome = Outcome()

    def go(self, variants: Sequence[Variant], questions: Sequence[Question], budget: Budget) -> Outcome:
        """Measure them in this order, until the budget is passed; the first is the base, which must not fail.

        A variant that can't be measured does not stop the others. Raises SearchaskError where the base can't be, or
        has nothing to decide by, and KeyboardInterrupt where building an index was interrupted.
        """
        began = time.monotonic()
        for place, variant in enumerate(variants):
            self.outcome.why_left = self._passed(budget, began, place - 1) if place else ""
            if self.outcome.why_left:
                self.outcome.left = list(variants[place:])
                break
            self._try(variant, questions)
            if self.outcome.stopped is not None:
                self.outcome.left = list(variants[place:])
                self.outcome.why_left = "interrupted"
                break
        return self.outcome

    def again(self, variant: Variant, questions: Sequence[Question]) -> Run:
        """Measure one variant with other questions; the run is stopped where it did not come to its end."""
        over = self._indexed(variant)
        return self._asked(variant, over, questions, f"{variant.name}, {HELD_OUT}")

    def _try(self, variant: Variant, questions: Sequence[Question]) -> None:
        try:
            over = self._indexed(variant)
            run = self._asked(variant, over, questions, variant.name)
        except SearchaskError as error:
            if variant.name == BASE:
                raise
            self.outcome.broken.append((variant, str(error)))
            return
        self.outcome.money += _spent(run, variant.config)
        if variant.name == BASE and run.header.state == "done" and not column(run, self._how.metric):
            raise SearchaskError(
                f"{self._how.metric} can't decide: no question of the set has it; name another `metric`"
            )
        if run.header.state == "done":
            self.outcome.measured.append(Measured(variant, run, set_ups([over])[0]))
        elif run.header.why == "interrupted":
            self.outcome.stopped = run
        elif variant.name == BASE:
            raise SearchaskError(f"the base can't be measured: {run.header.why}")
        else:
            self.outcome.broken.append((variant, run.header.why))

    def _indexed(self, variant: Variant) -> Config:
        def told(folder: Path, done: Summary) -> None:
            if done.outcome == "interrupted":
                raise KeyboardInterrupt
            self.outcome.money += done.money  # a graph alone may have been read, without a chunk written
            if done.written or done.removed:  # else it was in step already
                self.outcome.built += 1
                self.outcome.embedded += done.spent.texts
                self._built(variant.name, done)

        return indexes.indexed(variant.config, beside=self._beside, built=told)

    def _asked(self, variant: Variant, over: Config, questions: Sequence[Question], name: str) -> Run:
        how = self._how
        with self._shows(name) as report:
            return evaluate(
                over,
                questions,
                source=how.source,
                engine=how.engine,
                judge=how.judge,
                workers=how.workers,
                fresh=how.fresh,
                kept=self._beside,
                again=False,
                report=report,
            )

    def _passed(self, budget: Budget, began: float, tried: int) -> str:
        """Which part of the budget is used up, after so many variants; empty for none."""
        minutes = (time.monotonic() - began) / 60
        for name, most, taken in (
            ("runs", budget.runs, tried),
            ("minutes", budget.minutes, minutes),
            ("money", budget.money, self.outcome.money),
        ):
            if most is not None and taken >= most:
                return f"the budget of {most:g} {name} is used up"
        return ""


def column(run: Run, metric: str) -> dict[str, float]:
    """A metric by question id, over the questions that have it and did not fail."""
    found = {
        question.id: scores(question, outcome)
        for question, outcome in run.pairs
        if outcome.outcome != "failed"
    }
    return {key: row[metric] for key, row in found.items() if metric in row}


def _spent(run: Run, config: Config) -> float:
    """What the questions of a run cost, the judge included; what has no price counts for nothing."""
    price: Price | None = getattr(config.spec.llm, "price", None)
    calls = [call for outcome in run.outcomes.values() for call in outcome.calls]
    asked = sum(price.of(call.tokens_in, call.tokens_out) for call in calls) if price else 0.0
    embedded = sum(outcome.embedded for outcome in run.outcomes.values())
    return asked + embedded * (config.spec.embed_model.price or 0.0) / 1e6

"""Thresholds that tell questions which the documents answer from those which they don't, measured on questions."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pipelines.components.postprocessors import Evidence, SimilarityCutoff
from pipelines.components.runtime.evidence import Signs, signs_of
from pipelines.config.calibration import EngineCalibration, EvidenceNumbers, Refused, made_with
from pipelines.errors import SearchaskError
from pipelines.index import Index
from pipelines.querying.engine import QueryEngine
from pipelines.schema import PipelineSpec

FEWEST = 10
"""Questions of each kind that a calibration needs; with fewer it measures chance."""
FOLDS = 5
MOST_REFUSED = 0.02
"""Share of answerable questions that may be refused, by default."""
_GRID: dict[str, Sequence[float]] = {
    "words": [round(0.08 + 0.02 * step, 3) for step in range(16)],
    "stands_out": [round(0.02 + 0.005 * step, 3) for step in range(21)],
    "across_languages": [round(0.01 + 0.005 * step, 3) for step in range(15)],
}
_OWN = Evidence(type="evidence")

Mask = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True, slots=True)
class Seen:
    """What an engine saw for one question."""

    answerable: bool
    top: float
    """The best score; below all others where nothing was found."""
    signs: Signs


def observer(spec: PipelineSpec, index: Index, engine: str) -> Callable[[str, bool], Seen]:
    """How to look at questions as an engine does, up to the postprocessor that judges evidence."""
    chosen = engine or next(iter(spec.query_engines))
    whole = spec.query_engines.get(chosen)
    if whole is None:
        QueryEngine(spec, index, chosen)  # says which engines there are
        raise AssertionError
    before = itertools.takewhile(
        lambda step: not isinstance(step, Evidence | SimilarityCutoff), whole.postprocessors
    )
    cut = whole.model_copy(update={"postprocessors": list(before)})
    asked = QueryEngine(spec.model_copy(update={"query_engines": {chosen: cut}}), index, chosen)

    def look(question: str, answerable: bool) -> Seen:
        inquiry, nodes = asked.passages(question)
        top = max((hit.score or 0.0 for hit in nodes), default=float("-inf"))
        return Seen(answerable, top, signs_of(inquiry, nodes))

    return look


def fitted(
    spec: PipelineSpec, engine: str, seen: Sequence[Seen], *, most_refused: float = MOST_REFUSED
) -> EngineCalibration:
    """The thresholds of the highest balanced accuracy that refuse at most that share of answerable questions.

    How good they are is measured on questions that were left out (5 folds, the same each time). Where the numbers
    that `evidence` has by default do as well, they stay. Raises SearchaskError for too few questions.
    """
    engine = engine or next(iter(spec.query_engines))
    answerable = sum(each.answerable for each in seen)
    if min(answerable, len(seen) - answerable) < FEWEST:
        raise SearchaskError(
            f"a calibration needs at least {FEWEST} questions that the documents answer and {FEWEST} that they "
            f"don't (`answerable: false`): these are {answerable} and {len(seen) - answerable}"
        )
    sample = _Sample(seen)
    every = np.ones(len(seen), dtype=bool)
    defaults = _numbers(_OWN)
    usual = sample.refused(sample.passes(defaults), every)
    by_evidence = _left_out(sample, lambda fold: sample.passes(sample.best_numbers(fold, most_refused)))
    numbers = sample.best_numbers(every, most_refused)
    if by_evidence.balanced_accuracy <= usual.balanced_accuracy:
        numbers, by_evidence = defaults, usual
    cutoff = sample.best_cutoff(every, most_refused)
    return EngineCalibration(
        made_with=made_with(spec, engine),
        answerable=answerable,
        unanswerable=len(seen) - answerable,
        auc=round(sample.auc(), 3),
        cutoff=round(cutoff, 4),
        evidence=EvidenceNumbers(**dict(zip(_GRID, numbers, strict=True))),
        by_cutoff=_left_out(sample, lambda fold: sample.top >= sample.best_cutoff(fold, most_refused)),
        by_evidence=by_evidence,
        by_default=usual,
    )


class _Sample:
    """What was seen, as columns."""

    def __init__(self, seen: Sequence[Seen]) -> None:
        self.answerable = np.array([each.answerable for each in seen])
        self.top = np.array([each.top for each in seen])
        self._signs = [each.signs for each in seen]
        columns = {name: np.array([asdict(each.signs)[name] for each in seen]) for name in _GRID}
        # Whether each question passes by each sign at each step of the grid: the grid itself is then a few ORs.
        self._steps = {
            name: np.stack([columns[name] >= step for step in steps]) for name, steps in _GRID.items()
        }
        never = {name: float("inf") for name in _GRID}
        self._anyway = np.array([each.signs.enough(**never) for each in seen])

    def passes(self, numbers: tuple[float, ...]) -> Mask:
        """Which questions have evidence by these numbers."""
        given = dict(zip(_GRID, numbers, strict=True))
        return np.array([each.enough(**given) for each in self._signs])

    def best_numbers(self, fold: Mask, most_refused: float) -> tuple[float, ...]:
        """The numbers of `evidence` that are best on some of the questions; of equals those nearest to the usual."""
        usual = _numbers(_OWN)
        best, found = (-1.0, 0.0), usual
        words, stands_out, across = (self._steps[name] for name in _GRID)
        yes, no = fold & self.answerable, fold & ~self.answerable
        for places in itertools.product(*(range(len(steps)) for steps in _GRID.values())):
            passes = self._anyway | words[places[0]] | stands_out[places[1]] | across[places[2]]
            wrong = 1 - passes[yes].mean()
            if wrong > most_refused:
                continue
            numbers = tuple(steps[place] for steps, place in zip(_GRID.values(), places, strict=True))
            far = sum(abs(one - other) / other for one, other in zip(numbers, usual, strict=True))
            quality = (round(float(2 - wrong - passes[no].mean()) / 2, 9), -far)
            if quality > best:
                best, found = quality, numbers
        return found

    def best_cutoff(self, fold: Mask, most_refused: float) -> float:
        """The top score that is best on some of the questions; between two that were seen."""
        yes, no = np.sort(self.top[fold & self.answerable]), np.sort(self.top[fold & ~self.answerable])
        held = np.unique(self.top[fold & np.isfinite(self.top)])
        if not len(held):
            return 0.0
        tried = np.concatenate([[held[0]], (held[1:] + held[:-1]) / 2])
        wrong = np.searchsorted(yes, tried) / len(yes)
        right = np.searchsorted(no, tried) / len(no)
        quality = np.where(wrong <= most_refused, right - wrong, -1.0)
        return float(tried[int(np.argmax(quality))])

    def refused(self, passes: Mask, fold: Mask) -> Refused:
        """How often the questions of a fold are refused."""
        right = float(1 - passes[fold & ~self.answerable].mean())
        wrong = float(1 - passes[fold & self.answerable].mean())
        balanced = (right + 1 - wrong) / 2
        return Refused(right=round(right, 3), wrong=round(wrong, 3), balanced_accuracy=round(balanced, 3))

    def auc(self) -> float:
        """Chance that an answerable question has a higher top score than another, ties counted half."""
        yes, no = self.top[self.answerable][:, None], self.top[~self.answerable]
        return float(np.mean((yes > no) + 0.5 * (yes == no)))


def _left_out(sample: _Sample, fit: Callable[[Mask], Mask]) -> Refused:
    """How often questions are refused by thresholds that were chosen without them."""
    folds = _folds(sample.answerable)
    passes = np.zeros(len(folds), dtype=bool)
    for number in range(FOLDS):
        out = folds == number
        passes[out] = fit(~out)[out]
    return sample.refused(passes, np.ones(len(folds), dtype=bool))


def _folds(answerable: Mask) -> np.ndarray[Any, np.dtype[np.int_]]:
    """A fold for each question, with the same share of both kinds in each."""
    folds = np.zeros(len(answerable), dtype=int)
    for kind in (True, False):
        places = np.flatnonzero(answerable == kind).tolist()
        random.Random(0).shuffle(places)
        folds[places] = np.arange(len(places)) % FOLDS
    return folds


def _numbers(spec: Evidence) -> tuple[float, ...]:
    return tuple(getattr(spec, name) for name in _GRID)


def seen_of(look: Callable[[str, bool], Seen], questions: Iterable[tuple[str, bool]]) -> list[Seen]:
    """What an engine sees for each question."""
    return [look(question, answerable) for question, answerable in questions]

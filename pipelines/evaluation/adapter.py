"""Training of a linear adapter: question vectors are moved towards the passages that answer them.

Only questions are moved, as LlamaIndex's `LinearAdapterEmbeddingModel` does it: vectors of passages stay what they are
in the cache and in the index. The map is I + T. T minimises the cross entropy of the passage that answers, among all
passages of documents that are asked about (InfoNCE; van den Oord, Li and Vinyals, 2018), plus strength · |T|² / 2,
which keeps it near the identity: there are far fewer questions than weights. Passages that nobody asks about are left
out, since they would only ever be pushed away, and a later question may be answered by one of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

STRENGTHS = (0.03, 0.016, 0.008, 0.004, 0.002, 0.001)
"""Of the pull towards the identity, in units of 1 / temperature²; from strong to weak."""
FOLDS = 5
STEPS = 60
MOST_PASSAGES = 2_048
"""Passages that a question is told apart from."""
CUTOFF = 10
"""Documents of a ranking that MRR looks at."""
_HARD = 16
"""Nearest passages of each question, which are kept first where there are too many."""
_NEVER = -1e9


@dataclass(frozen=True, slots=True)
class Examples:
    """Questions, and the passages of all documents that hold an answer to any of them; rows are of unit length."""

    questions: Array
    """(questions, dimension)"""
    passages: Array
    """(passages, dimension)"""
    document: Array
    """The document of each passage, counted from 0 and in this order."""
    gold: Array
    """(questions, documents): whether a document holds the answer."""
    answers: Array
    """(questions, passages): whether a passage of a gold document holds it, as far as that is known."""
    group: Array
    """Of each question; questions that share a gold document share their group, whatever else is split."""

    def __len__(self) -> int:
        return len(self.questions)


def trained(examples: Examples, rows: Array, strength: float) -> Array:
    """Weights of shape (dimension, dimension) from some of the questions; the strength is one of `STRENGTHS`."""
    *_, weights = _path(examples, rows, STRENGTHS[: STRENGTHS.index(strength) + 1])
    return weights


def strength_for(examples: Examples, rows: Array, seed: int = 0) -> float:
    """The pull towards the identity that ranks best in a cross-validation by document; 0 where none does any good."""
    rows = np.asarray(rows)
    fold = folds(examples.group[rows], FOLDS, seed)
    gains = np.zeros(len(STRENGTHS))
    for out in range(FOLDS):
        learnt, left = rows[fold != out], rows[fold == out]
        if len(learnt) and len(left):
            before = reciprocal_ranks(examples, left, np.eye(examples.questions.shape[1]), rows).sum()
            for place, weights in enumerate(_path(examples, learnt, STRENGTHS)):
                gains[place] += reciprocal_ranks(examples, left, weights, rows).sum() - before
    best = int(np.argmax(np.round(gains, 9)))  # of equals the strongest
    return STRENGTHS[best] if gains[best] > 1e-9 else 0.0


def folds(group: Array, count: int, seed: int) -> Array:
    """A fold for each question: groups stay whole, and the folds hold about as many questions each."""
    names, sizes = np.unique(group, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(names))
    held = np.zeros(count)
    fold_of = {}
    for place in order[np.argsort(-sizes[order], kind="stable")]:
        fold_of[names[place]] = fold = int(np.argmin(held))
        held[fold] += sizes[place]
    return np.array([fold_of[name] for name in group])


def grouped(gold: Sequence[set[int]]) -> Array:
    """A group for each question, so that no gold document belongs to two groups."""
    first: dict[int, int] = {}
    leader = list(range(len(gold)))

    def lead(row: int) -> int:
        while leader[row] != row:
            row = leader[row]
        return row

    for row, documents in enumerate(gold):
        for document in documents:
            leader[lead(row)] = lead(first.setdefault(document, row))
    return np.array([lead(row) for row in range(len(gold))])


def reciprocal_ranks(examples: Examples, rows: Array, weights: Array, among: Array) -> Array:
    """1 / rank of the best gold document, 0 below the cutoff, among the documents that some questions ask about."""
    pool = _asked_about(examples, among)
    scores = examples.questions[rows] @ weights.T @ examples.passages[pool].T
    best = np.full((len(rows), examples.gold.shape[1]), -np.inf)
    documents, starts = np.unique(examples.document[pool], return_index=True)
    best[:, documents] = np.maximum.reduceat(scores, starts, axis=1)
    gold = examples.gold[rows]
    top = np.where(gold, best, -np.inf).max(axis=1, keepdims=True)
    rank = 1 + ((best > top) & ~gold).sum(axis=1)
    return np.where(rank <= CUTOFF, 1 / rank, 0.0)


def gain_at_least(gains: Array, group: Array, confidence: float, seed: int = 0) -> float:
    """The mean gain that is passed with that confidence, by a bootstrap over groups (2,000 draws).

    Whole groups are drawn, since questions about one document succeed and fail together.
    """
    _, place = np.unique(group, return_inverse=True)
    sums, sizes = np.bincount(place, weights=gains), np.bincount(place)
    drawn = np.random.default_rng(seed).integers(0, len(sizes), (2_000, len(sizes)))
    return float(np.quantile(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1), 1 - confidence))


def _path(examples: Examples, rows: Array, strengths: Sequence[float]) -> Iterator[Array]:
    """Weights for one strength after the other, each from where the last one ended.

    T is G.T @ X with X the questions, so that G, which has a row for each of them, is all there is to find. The
    function is convex; it goes down by Nesterov's accelerated gradient, with the step that its curvature allows.
    """
    learnt = _Lesson(examples, np.asarray(rows))
    steps = np.zeros_like(learnt.questions)
    for strength in strengths:
        steps = learnt.down(steps, strength)
        yield np.eye(steps.shape[1]) + steps.T @ learnt.questions


class _Lesson:
    """What is learnt from: some questions, and the passages of their documents."""

    def __init__(self, examples: Examples, rows: Array) -> None:
        self.questions = examples.questions[rows]
        answers = examples.answers[rows]
        cosines = self.questions @ examples.passages.T
        target = np.where(answers, cosines, -np.inf).argmax(axis=1)
        kept = _kept(_asked_about(examples, rows), cosines, target)
        self._passages = examples.passages[kept]
        self._right = np.zeros((len(rows), len(kept)))
        self._right[np.arange(len(rows)), np.searchsorted(kept, target)] = 1
        # Other passages that answer as well are neither right nor wrong.
        self._ignored = answers[:, kept] & (self._right == 0)
        self._cosines, self._alike = cosines[:, kept], self.questions @ self.questions.T
        # E5 crowds all cosines into a fifth of the range and others don't: the scale comes from the model itself.
        self.temperature = max(float(self._cosines.std(axis=1).mean()) / 2, 1e-4)
        spread = float(np.square(self._passages - self._passages.mean(axis=0)).sum(axis=1).max())
        self._curvature = float(np.linalg.norm(self._alike, 2)) * spread / (self.temperature**2 * len(rows))

    def down(self, start: Array, strength: float) -> Array:
        """Nearer to the minimum."""
        pull = strength / self.temperature**2
        here = ahead = start
        for step in range(STEPS):
            after = ahead - self._gradient(ahead, pull) / (self._curvature + pull)
            ahead, here = after + step / (step + 3) * (after - here), after
        return here

    def _gradient(self, steps: Array, pull: float) -> Array:
        moved = self._cosines + self._alike @ steps @ self._passages.T
        logits = np.where(self._ignored, _NEVER, moved / self.temperature)
        share = np.exp(logits - logits.max(axis=1, keepdims=True))
        share /= share.sum(axis=1, keepdims=True)
        errors = (share - self._right) @ self._passages
        gradient: Array = errors / (self.temperature * len(steps)) + pull * steps
        return gradient


def _asked_about(examples: Examples, rows: Array) -> Array:
    """For each passage whether its document holds the answer to one of some questions."""
    found: Array = np.isin(examples.document, np.flatnonzero(examples.gold[rows].any(axis=0)))
    return found


def _kept(pool: Array, cosines: Array, target: Array) -> Array:
    """Places of the passages to learn from, in order: of too many those that are right, then the nearest."""
    if pool.sum() <= MOST_PASSAGES:
        return np.flatnonzero(pool)
    nearest = np.stack([np.argsort(np.where(pool, -each, np.inf))[:_HARD] for each in cosines])
    wanted = np.concatenate([np.unique(target), nearest.T.ravel()])  # the hardest of each question first
    _, first = np.unique(wanted, return_index=True)
    places: Array = np.sort(wanted[np.sort(first)][:MOST_PASSAGES])
    return places

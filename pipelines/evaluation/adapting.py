"""From a question set to an adapter for an embed model, or to the reason why there is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any, cast

import numpy as np

from pipelines.components.retrievers import parts_of
from pipelines.config import Config
from pipelines.errors import SearchaskError, StorageError
from pipelines.evaluation.adapter import Array, Examples, folds, gain_at_least, strength_for, trained
from pipelines.evaluation.metrics.retrieval import retrieval
from pipelines.evaluation.outcomes import Outcome, Passage
from pipelines.evaluation.pairs import indexed, pairs, usable
from pipelines.evaluation.questions import Question
from pipelines.index import Index
from pipelines.models.adapter import Adapter
from pipelines.querying.engine import QueryEngine
from pipelines.querying.index import OpenIndex
from pipelines.querying.trace import Candidate

CONFIDENCE = 0.95
"""With which the gain in MRR must be above 0."""
FEWEST, FEWEST_GROUPS = 20, 10
"""Questions, and sets of documents that share none, which an adapter is trained on, and measured on, at least."""
MOST = 1_000
"""Questions that are learnt from; training takes time with their square."""
METRICS = ("recall@1", "recall@5", "mrr@10")
_DECISIVE = "mrr@10"
_TEST = "test"
"""The `split` of questions that are never learnt from."""

Scores = dict[str, dict[str, float]]
"""Metrics by retriever."""


@dataclass(frozen=True, slots=True)
class Gain:
    """What a retriever gains on questions whose documents the adapter did not know."""

    retriever: str
    before: dict[str, float]
    after: dict[str, float]
    least: float
    """The gain in MRR that is passed with 95% confidence."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of it."""

    learnt_from: int
    """Questions that the adapter knows."""
    held_out: int
    """Questions it was measured on, each with an adapter that knew neither them nor their documents."""
    gains: tuple[Gain, ...]
    """By retriever; the last decides."""
    notes: tuple[str, ...] = ()
    """Questions of no use, and why."""
    refused: str = ""
    """Why there is no adapter."""
    adapter: Adapter | None = field(default=None, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {
            "learnt_from": self.learnt_from,
            "held_out": self.held_out,
            "confidence": CONFIDENCE,
            "gains": [asdict(gain) for gain in self.gains],
            "notes": list(self.notes),
            "refused": self.refused,
        }


def tried(
    config: Config,
    questions: Sequence[Question],
    retriever: str = "",
    *,
    source: str = "",
    tell: Callable[[str], None] = lambda line: None,
) -> Trial:
    """Train an adapter, and measure what it gains: each half of the questions is held out in turn.

    Both the halves and the folds that choose how strongly it is trained are split by document. Questions marked
    `split: test` are held out instead, where there are any. `retriever`: the one whose ranking decides, that of the
    first engine by default. `source` is what the set is called. Raises SearchaskError where too few questions are of
    use, StorageError where there is no index of this model.
    """
    spec = config.spec
    bare = spec.model_copy(update={"embed_model": spec.embed_model.holding(None)})
    index = OpenIndex(replace(config, spec=bare))
    try:
        with index.pinned():
            if index.generation.cache_key != spec.embed_model.key:
                raise StorageError(
                    "the index was built with another embed_model: run `searchask ingest` first"
                )
            documents = indexed(index.catalog, index.generation.id)
            known, notes = usable(questions, documents)
            asked = _Asked(index)
            ranks = _Ranks(replace(config, spec=bare), asked, retriever)
            if len(known) < 2 * FEWEST:
                raise _too_few(len(known), notes)
            tell(f"embedding {len(known)} questions")
            examples = pairs(index, known, documents, asked.vector)
            parts = _parts(known, examples.group)
            if any(_few(rows, examples.group) for part in parts for rows in part):
                raise _too_few(len(known), notes)
            before, after = _measured(examples, known, parts, ranks, spec.embed_model.key, tell)
            return _judged(examples, parts, before, after, notes, spec.embed_model.key, source, tell)
    finally:
        index.close()


class _Asked:
    """An open index whose questions an adapter moves; the model is asked for each question once."""

    def __init__(self, index: OpenIndex) -> None:
        self._index = index
        self._vectors: dict[str, Array] = {}
        self.adapter: Adapter | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._index, name)

    def vector(self, question: str) -> Array:
        """As the model gives it."""
        if question not in self._vectors:
            self._vectors[question] = np.asarray(self._index.embed_question(question), dtype=np.float32)
        return self._vectors[question]

    def embed_question(self, question: str) -> list[float]:
        """As retrievers get it."""
        vector = self.vector(question)
        found: list[float] = (vector if self.adapter is None else self.adapter.moved(vector)).tolist()
        return found


class _Ranks:
    """How well one retriever, and each that it is made of, ranks the documents of a question."""

    def __init__(self, config: Config, asked: _Asked, retriever: str) -> None:
        spec = config.spec
        first = next(iter(spec.query_engines.values()))
        name = retriever or first.retriever
        if name not in spec.retrievers:
            known = ", ".join(spec.retrievers)
            raise SearchaskError(f"no retriever is called {name!r}; there are: {known}")
        # Nothing that rewrites the question, and nothing that drops passages: the ranking alone is measured.
        alone = {"retriever": name, "question": [], "postprocessors": []}
        whole = spec.model_copy(update={"query_engines": {"ranks": first.model_copy(update=alone)}})
        self.names = [*parts_of(spec.retrievers[name]), name]
        self._engine, self._asked = QueryEngine(whole, cast(Index, asked), "ranks"), asked

    def of(self, question: Question, adapter: Adapter | None) -> Scores:
        """The metrics of each retriever."""
        self._asked.adapter = adapter
        candidates = self._engine.retrieve(question.text).candidates
        return {name: retrieval(question, _outcome(question, candidates, name)) for name in self.names}


def _outcome(question: Question, candidates: Sequence[Candidate], retriever: str) -> Outcome:
    passages = tuple(
        Passage(
            rank=int(each.by[retriever]["rank"]),
            node=each.node,
            document=each.document,
            score=each.by[retriever]["score"],
            fate=each.fate,
        )
        for each in candidates
        if retriever in each.by
    )
    return Outcome(id=question.id, outcome="answered", passages=passages)


def _parts(questions: Sequence[Question], group: Array) -> list[tuple[Array, Array]]:
    """What is learnt from and what is held out, by place: both halves in turn, or the questions marked `test`."""
    test = np.array([question.split == _TEST for question in questions])
    if test.any():
        return [(np.flatnonzero(~np.isin(group, group[test])), np.flatnonzero(test))]
    half = folds(group, 2, seed=0)
    return [(np.flatnonzero(half != side), np.flatnonzero(half == side)) for side in (0, 1)]


def _few(rows: Array, group: Array) -> bool:
    return len(rows) < FEWEST or len(np.unique(group[rows])) < FEWEST_GROUPS


def _too_few(count: int, notes: Sequence[str]) -> SearchaskError:
    return SearchaskError(
        f"an adapter is learnt from at least {FEWEST} answerable questions about {FEWEST_GROUPS} documents, and "
        f"measured on as many about others: {count} questions of use are not enough"
        + "".join(f"; {note}" for note in notes)
    )


def _learnt(examples: Examples, rows: Array, model: str) -> tuple[Adapter | None, float]:
    """An adapter from some of the questions, and how strongly it is held to the identity; None where that is best."""
    if len(rows) > MOST:
        rows = np.sort(np.random.default_rng(0).choice(rows, MOST, replace=False))
    strength = strength_for(examples, rows)
    if not strength:
        return None, 0.0
    return Adapter(trained(examples, rows, strength).astype(np.float32), model), strength


def _measured(
    examples: Examples,
    questions: Sequence[Question],
    parts: Sequence[tuple[Array, Array]],
    ranks: _Ranks,
    model: str,
    tell: Callable[[str], None],
) -> tuple[dict[int, Scores], dict[int, Scores]]:
    """The scores of the questions that are held out, by their place, without an adapter and with one."""
    before: dict[int, Scores] = {}
    after: dict[int, Scores] = {}
    for number, (known, held) in enumerate(parts, 1):
        tell(
            f"part {number} of {len(parts)}: learning from {len(known)} questions, asking {len(held)} others"
        )
        adapter, _ = _learnt(examples, known, model)
        for place in held.tolist():
            before[place] = ranks.of(questions[place], None)
            after[place] = ranks.of(questions[place], adapter) if adapter else before[place]
    return before, after


def _judged(
    examples: Examples,
    parts: Sequence[tuple[Array, Array]],
    before: dict[int, Scores],
    after: dict[int, Scores],
    notes: Sequence[str],
    model: str,
    source: str,
    tell: Callable[[str], None],
) -> Trial:
    """The verdict; where it is good, with the adapter that is learnt from all questions but those marked `test`."""
    held = list(before)
    gains = tuple(_gain(name, held, before, after, examples.group) for name in before[held[0]])
    known = np.unique(np.concatenate([rows for rows, _ in parts]))
    trial = Trial(min(len(known), MOST), len(held), gains, tuple(notes))
    if refused := _refusal(gains[-1]):
        return replace(trial, refused=refused)
    tell(f"learning from all {len(known)} questions")
    adapter, strength = _learnt(examples, known, model)
    if adapter is None:
        return replace(trial, refused="learnt from all questions at once, no adapter ranks better than none")
    about = {
        "questions": source,
        "learnt_from": trial.learnt_from,
        "strength": strength,
        "trained": date.today().isoformat(),
        "gains": [asdict(gain) for gain in gains],
    }
    return replace(trial, adapter=replace(adapter, about=about))


def _gain(
    name: str, held: Sequence[int], before: dict[int, Scores], after: dict[int, Scores], group: Array
) -> Gain:
    def mean(scores: dict[int, Scores]) -> dict[str, float]:
        return {key: round(float(np.mean([scores[row][name][key] for row in held])), 6) for key in METRICS}

    each = np.array([after[row][name][_DECISIVE] - before[row][name][_DECISIVE] for row in held])
    return Gain(name, mean(before), mean(after), round(gain_at_least(each, group[held], CONFIDENCE), 6))


def _refusal(gain: Gain) -> str:
    """Why an adapter with this gain does not help; empty where it does."""
    change = gain.after[_DECISIVE] - gain.before[_DECISIVE]
    if gain.least > 0:
        return ""
    if change <= 0:
        how = "worse" if change else "no better"
        return f"with it {gain.retriever!r} ranks {how} for the questions held out: MRR@10 {change:+.3f}"
    return (
        f"its gain for {gain.retriever!r}, MRR@10 {change:+.3f} on questions that were held out, may be chance: at "
        f"{CONFIDENCE:.0%} confidence only {gain.least:+.3f} of it is sure"
    )

"""How well questions are answered: recall by document, gold answers in quoted ones, and refusals."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.components.retrievers import parts_of
from pipelines.index import Index
from pipelines.querying.engine import QueryEngine
from pipelines.querying.trace import Candidate
from pipelines.schema import PipelineSpec

_NOISE = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Question:
    """A question with what is known of its answer."""

    text: str
    documents: frozenset[str]
    """Documents that hold the answer."""
    any_document: bool
    """Whether one of them is enough."""
    answers: tuple[str, ...]
    answerable: bool


@dataclass(frozen=True, slots=True)
class Recall:
    """Of one ranking of documents, over answerable questions."""

    at_1: float
    at_5: float
    mrr_at_10: float

    def __str__(self) -> str:
        return f"{self.at_1:.3f} {self.at_5:.3f} {self.mrr_at_10:.3f}"


@dataclass(frozen=True, slots=True)
class Quality:
    """Of one set of questions."""

    recall: dict[str, Recall]
    """By retriever, the engine's own last."""
    answered: float
    """Share of answerable questions whose answer contains a gold answer."""
    sentences: float
    """Sentences in an answer, on average."""
    auc: float | None
    """Chance that an answerable question has a higher top score than one that is not; None without the latter."""
    false_refusals: float
    """Share of answerable questions that were refused."""
    true_refusals: float | None
    """Share of other questions that were refused."""


def load_questions(file: Path) -> list[Question]:
    """The questions of a set, from its `questions.jsonl`."""
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines() if line.strip()]
    return [
        Question(
            text=row["question"],
            documents=frozenset(row["doc"]),
            any_document=bool(row.get("anydoc", True)),
            answers=tuple(row["answers"]),
            answerable=row["answerable"],
        )
        for row in rows
    ]


def measure(spec: PipelineSpec, index: Index, questions: Sequence[Question], engine: str = "") -> Quality:
    """Ask every question; ranks of the parts of a fusion come from the same retrieval."""
    asked = QueryEngine(spec, index, engine)
    names = [*parts_of(spec.retrievers[asked.spec.retriever]), asked.spec.retriever]
    ranks: dict[str, list[tuple[Question, list[str]]]] = {name: [] for name in names}
    top: dict[bool, list[float]] = {True: [], False: []}
    refused: dict[bool, list[bool]] = {True: [], False: []}
    hits: list[bool] = []
    lengths: list[int] = []
    for question in questions:
        answer = asked.ask(question.text)
        candidates = answer.trace.candidates
        top[question.answerable].append(max((candidate.score for candidate in candidates), default=0.0))
        refused[question.answerable].append(answer.outcome == "refused")
        if question.answerable:
            for name in names:
                ranks[name].append((question, ranking(candidates, name)))
            said = " ".join(sentence.text for sentence in answer.sentences)
            hits.append(contains(said, question.answers))
            lengths.append(len(answer.sentences))
    return Quality(
        recall={name: recall(pairs) for name, pairs in ranks.items()},
        answered=mean(hits),
        sentences=mean(lengths),
        auc=auc(top[True], top[False]) if top[False] else None,
        false_refusals=mean(refused[True]),
        true_refusals=mean(refused[False]) if refused[False] else None,
    )


def retrieved(
    spec: PipelineSpec, index: Index, questions: Sequence[Question], retriever: str
) -> tuple[Recall, float | None]:
    """Of one retriever without an answer: recall, and the share of questions over two documents that it finds both
    of among its first 8 documents; None where there are no such questions."""
    engine = spec.query_engines[next(iter(spec.query_engines))].model_copy(update={"retriever": retriever})
    asked = QueryEngine(spec.model_copy(update={"query_engines": {"it": engine}}), index)
    ranked: list[tuple[Question, list[str]]] = []
    both: list[bool] = []
    for question in questions:
        if question.answerable:
            documents = ranking(asked.retrieve(question.text).candidates, retriever)
            ranked.append((question, documents))
            if len(question.documents) == 2:
                both.append(question.documents <= set(documents[:8]))
    return recall(ranked), mean(both) if both else None


def ranking(candidates: Iterable[Candidate], retriever: str) -> list[str]:
    """Documents in the order of their best passage, as one retriever ranked them."""
    found = [candidate for candidate in candidates if retriever in candidate.by]
    found.sort(key=lambda candidate: candidate.by[retriever]["rank"])
    return list(dict.fromkeys(candidate.document for candidate in found))


def recall(ranked: Sequence[tuple[Question, Sequence[str]]]) -> Recall:
    """Means over questions; where all of several documents are needed, their share counts."""

    def at(count: int) -> float:
        return mean(_share(question, documents[:count]) for question, documents in ranked)

    def first(question: Question, documents: Sequence[str]) -> float:
        places = [place for place, name in enumerate(documents[:10], 1) if name in question.documents]
        return 1 / places[0] if places else 0.0

    return Recall(at(1), at(5), mean(first(*pair) for pair in ranked))


def _share(question: Question, documents: Sequence[str]) -> float:
    found = len(question.documents & set(documents))
    return float(found > 0) if question.any_document else found / len(question.documents)


def contains(text: str, answers: Iterable[str]) -> bool:
    """Whether a text contains one of the answers, case, space and punctuation aside."""
    plain = _plain(text)
    return any(_plain(answer) in plain for answer in answers if _plain(answer))


def _plain(text: str) -> str:
    return _NOISE.sub("", unicodedata.normalize("NFKC", text).casefold())


def auc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """Chance that a positive is above a negative, ties counted half."""
    pairs = [(high > low) + 0.5 * (high == low) for high in positive for low in negative]
    return mean(pairs)


def mean(values: Iterable[Any]) -> float:
    """The arithmetic mean; 0 for no values."""
    kept = list(values)
    return sum(kept) / len(kept) if kept else 0.0

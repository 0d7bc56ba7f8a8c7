"""Plots of a run, each with the words that say the same."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from statistics import median

from markupsafe import Markup

from pipelines.evaluation.metrics import Summary, retrieval
from pipelines.evaluation.metrics.refusals import top_score
from pipelines.evaluation.outcomes import Outcome, Passage
from pipelines.evaluation.questions import Question
from pipelines.evaluation.report import plots
from pipelines.evaluation.report.tables import Pairs, cutoff, figure, percent
from pipelines.evaluation.report.texts import said
from pipelines.evaluation.runs import Run

_RANKS = (("1", 1), ("2", 2), ("3", 3), ("4", 4), ("5", 5), ("6–10", 10), ("11–20", 20), ("21–50", 50))
"""Bars of a plot of ranks: how each is called, and its last rank."""
_MISSING = "–"
_MOST_RETRIEVERS = 8

First = Callable[[Question, Outcome, Sequence[Passage]], int | None]


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot, its title, and what it shows in words."""

    title: str
    svg: Markup
    told: str


def ranks(run: Run, language: str) -> list[Plot]:
    """Ranks of the first gold document and of the first passage with evidence: the engine's, then each retriever's."""
    pairs, own = run.pairs, run.header.effective.get(f"query_engines.{run.header.engine}.retriever")
    names = dict.fromkeys(
        name for _, outcome in pairs for passage in outcome.passages for name in passage.ranks if name != own
    )
    found: list[Plot] = []
    for kind, gold, first in (
        ("gold_document", _names_documents, first_document),
        ("gold_evidence", _has_evidence, first_evidence),
    ):
        asked = [(question, outcome) for question, outcome in pairs if gold(question, outcome)]
        for by in ("", *list(names)[:_MOST_RETRIEVERS]) if asked else ():
            places = [first(question, outcome, ranked(outcome, by)) for question, outcome in asked]
            name = f"ranks{len(found)}"
            title = f"{said(kind, language)}: {by or said('whole', language)}"
            found.append(_ranks_plot(places, name, title, language))
    return found


def first_document(question: Question, outcome: Outcome, passages: Sequence[Passage]) -> int | None:
    """The rank of the first gold document among documents, each of which counts once."""
    gold = retrieval.gold_documents(question)
    names = enumerate(retrieval.documents_of(passages), 1)
    return next((rank for rank, name in names if name in gold), None)


def first_evidence(question: Question, outcome: Outcome, passages: Sequence[Passage]) -> int | None:
    """The rank of the first passage that holds evidence."""
    held = enumerate((any(retrieval.holds(each, span) for span in outcome.evidence) for each in passages), 1)
    return next((rank for rank, holds in held if holds), None)


def ranked(outcome: Outcome, by: str) -> list[Passage]:
    """The passages in the order of a retriever, or of the engine for an empty name."""
    if not by:
        return sorted(outcome.passages, key=lambda passage: passage.rank)
    return sorted((each for each in outcome.passages if by in each.ranks), key=lambda each: each.ranks[by])


def scores(run: Run, whole: Summary, language: str) -> Plot | None:
    """Top scores of questions that can be answered and of those that can't; None where there is none of a kind."""
    groups = {answerable: list(_top_scores(run.pairs, answerable)) for answerable in (True, False)}
    yes, no = groups[True], groups[False]
    if not yes and not no:
        return None
    key, values = cutoff(run.header)
    told = said(
        "scores_said",
        language,
        yes=len(yes),
        no=len(no),
        yes_mid=figure(median(yes)) if yes else "–",
        no_mid=figure(median(no)) if no else "–",
    )
    if whole.refusals.auc is not None:
        told += " " + said("auc", language, auc=percent(whole.refusals.auc))
    told += " " + said(key, language, **values)
    threshold = float(values["threshold"]) if key == "threshold" else None
    return Plot("", plots.separation(yes, no, threshold, "scores", told), told)


def latency(pairs: Pairs, whole: Summary, language: str) -> Plot | None:
    """Seconds by question; None where no question came to its end."""
    values = [outcome.seconds for _, outcome in pairs if outcome.outcome != "failed"]
    if not values:
        return None
    half, most = whole.seconds["p50"], whole.seconds["p95"]
    told = said("latency_said", language, half=figure(half), most=figure(most))
    return Plot("", plots.histogram(values, [half, most], "latency", told), told)


def _ranks_plot(places: Sequence[int | None], name: str, title: str, language: str) -> Plot:
    counts = dict.fromkeys([*(label for label, _ in _RANKS), _MISSING], 0)
    lasts = [last for _, last in _RANKS]
    for place in places:
        at = len(lasts) if place is None else bisect_left(lasts, place)
        counts[list(counts)[at]] += 1
    missing = counts[_MISSING]
    words = [
        said("rank_counts", language, rank=rank, n=n) for rank, n in counts.items() if n and rank != _MISSING
    ]
    told = "; ".join([*words, *([said("rank_missing", language, n=missing)] if missing else [])])
    return Plot(title, plots.bars(counts, name, told), told)


def _top_scores(pairs: Pairs, answerable: bool) -> Iterator[float]:
    for question, outcome in pairs:
        score = top_score(outcome)
        if question.answerable == answerable and outcome.outcome != "failed" and isfinite(score):
            yield score


def _names_documents(question: Question, outcome: Outcome) -> bool:
    return question.answerable and bool(retrieval.gold_documents(question)) and outcome.outcome != "failed"


def _has_evidence(question: Question, outcome: Outcome) -> bool:
    return question.answerable and bool(outcome.evidence) and outcome.outcome != "failed"

"""The report of one run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.evaluation.metrics import Summary, scores, summary
from pipelines.evaluation.report import cases, drawn, page, tables
from pipelines.evaluation.report.texts import said
from pipelines.evaluation.runs import Run
from pipelines.querying.names import stage
from pipelines.words import Language

MOST_CASES = 300
"""Failing questions that a report shows."""
MOST_DOCUMENTS = 40


@dataclass(frozen=True, slots=True)
class _Bar:
    name: str
    failed: int
    asked: int
    width: float
    """Percent."""


def write_report(run: Run, file: Path, language: Language | None = None) -> None:
    """Write a run as a page, in the language of most of its questions unless one is given.

    Raises SearchaskError where the file can't be written, and MissingExtra where a package is missing.
    """
    language = language or page.spoken(run.questions)
    pairs, it = run.pairs, run.header
    whole = summary(pairs)
    scored = [scores(*pair) for pair in pairs]
    failing = cases.cases(pairs, scored)
    why = Counter(reason for case in failing for reason in case.reasons)
    documents = _bars(cases.by_document(pairs, failing))
    embedded = sum(outcome.embedded for _, outcome in pairs)
    shown = page.rendered(
        "run.html",
        language,
        title=said("title", language, engine=it.engine),
        head=tables.head(run, language),
        unfinished=_unfinished(run, language),
        notes=it.notes.get(language, ()),
        metrics=tables.by_family(tables.metric_rows(scored, language)),
        judge_nonsense=whole.judge_nonsense and said("judge_nonsense", language, n=whole.judge_nonsense),
        refusals_shares=_refusals(whole, language),
        outcome_heads=["", *(said(name, language) for name in tables.OUTCOMES)],
        outcomes=[(name, *counts) for name, counts in tables.outcomes(pairs, language)],
        ranks=drawn.ranks(run, language),
        scores=drawn.scores(run, whole, language),
        latency=drawn.latency(pairs, whole, language),
        stage_heads=tables.stage_heads(language),
        stages=[(stage(name, language), *numbers) for name, numbers in tables.stages(pairs, language)],
        call_heads=[said(key, language) for key in ("model", "purpose", "calls", "tokens_in", "tokens_out")],
        calls=[(model, purpose, *counts) for model, purpose, counts in tables.calls(pairs)],
        embedded=embedded and said("embedded", language, n=tables.number(embedded)),
        money=tables.money(pairs, whole, language),
        documents=documents[:MOST_DOCUMENTS],
        more_documents=_more("more_documents", len(documents) - MOST_DOCUMENTS, language),
        failing=said("failing", language, n=len(failing), all=len(pairs)),
        cases=failing[:MOST_CASES],
        more_failing=_more("more_failing", len(failing) - MOST_CASES, language),
        reasons=[(reason, why[reason]) for reason in cases.REASONS if why[reason]],
        effective=list(it.effective.items()),
        fingerprints=list(it.fingerprints.items()),
    )
    page.write(file, shown)


def _unfinished(run: Run, language: Language) -> str:
    left = len(run.questions) - len(run.pairs)
    return said("unfinished", language, left=left, why=run.header.why) if left or run.header.why else ""


def _refusals(whole: Summary, language: Language) -> str:
    it = whole.refusals
    shares = {"precision": it.precision, "recall": it.recall, "wrong": it.false_refusals}
    return said(
        "refusals_shares", language, **{name: tables.percent(share) for name, share in shares.items()}
    )


def _bars(rows: Sequence[tuple[str, int, int]]) -> list[_Bar]:
    most = max((failed for _, failed, _ in rows), default=1)
    return [_Bar(name, failed, asked, round(100 * failed / most, 1)) for name, failed, asked in rows]


def _more(key: str, count: int, language: Language) -> str:
    return said(key, language, n=count) if count > 0 else ""

"""The tables of a report: rows of texts, ready to be shown."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from pipelines.evaluation.metrics import METRICS, Summary
from pipelines.evaluation.outcomes import Outcome
from pipelines.evaluation.questions import Question
from pipelines.evaluation.report.texts import FAMILIES, METRICS_ZH, said
from pipelines.evaluation.runs import Header, Run
from pipelines.evaluation.statistics import mean_interval

Pairs = Sequence[tuple[Question, Outcome]]
OUTCOMES = ("answered", "refused", "from_model", "failed")


@dataclass(frozen=True, slots=True)
class MetricRow:
    """A metric of a run."""

    name: str
    family: str
    value: str
    interval: str
    count: int
    says: str


def head(run: Run, language: str) -> list[tuple[str, str]]:
    """What a run measured, and with what."""
    it = run.header
    ended = moment(it.finished).removeprefix(moment(it.started)[:11]) if it.finished else ""
    return [
        (said("config", language), it.config),
        (said("engine", language), it.engine),
        (said("when", language), f"{moment(it.started)} – {ended}"),
        (
            said("documents", language),
            said("chunks", language, n=number(it.documents), chunks=number(it.chunks)),
        ),
        (
            said("questions", language),
            said("asked", language, done=len(run.pairs), count=it.count, file=it.questions),
        ),
        (said("judge", language), it.judge or said("no_judge", language)),
        (said("versions", language), ", ".join(f"{name} {of}" for name, of in it.versions.items() if of)),
    ]


def metric_rows(scored: Iterable[Mapping[str, float]], language: str) -> list[MetricRow]:
    """Each metric that a question has, with the interval of its mean; `scored`: the metrics of each question."""
    values: dict[str, list[float]] = defaultdict(list)
    for each in scored:
        for name, value in each.items():
            values[name].append(value)
    rows = []
    for name, metric in METRICS.items():
        if name not in values or (metric.family == "cost" and not any(values[name])):
            continue
        rows.append(
            MetricRow(
                name=name,
                family=FAMILIES[metric.family].of(language),
                value=figure(sum(values[name]) / len(values[name])),
                interval=between(mean_interval(values[name])),
                count=len(values[name]),
                says=says(name, language),
            )
        )
    return rows


def by_family(rows: Sequence[MetricRow]) -> list[tuple[str, list[MetricRow]]]:
    """The rows of each family, in their order."""
    return [(family, list(its)) for family, its in groupby(rows, key=lambda row: row.family)]


def between(interval: tuple[float, float] | None) -> str:
    """An interval, or a dash where there is none."""
    return "–" if interval is None else f"{figure(interval[0])} – {figure(interval[1])}"


def says(name: str, language: str) -> str:
    """What a metric says."""
    return METRICS_ZH[name] if language == "zh" else METRICS[name].says


def outcomes(pairs: Pairs, language: str) -> list[tuple[str, list[int]]]:
    """Questions by whether they can be answered, and what became of them."""
    return [
        (
            said("answerable" if answerable else "unanswerable", language),
            [
                sum(
                    question.answerable == answerable and outcome.outcome == name
                    for question, outcome in pairs
                )
                for name in OUTCOMES
            ],
        )
        for answerable in (True, False)
    ]


def stage_heads(language: str) -> list[str]:
    """The head of the table of stages."""
    return [
        said("stage", language),
        "p50",
        "p95",
        *(said(key, language) for key in ("mean", "most", "times")),
    ]


def stages(pairs: Pairs, language: str) -> list[tuple[str, list[str]]]:
    """Milliseconds by stage, the whole question last: median, 95th percentile, mean, most, times."""
    values: dict[str, list[float]] = defaultdict(list)
    whole = said("all_stages", language)
    for _, outcome in pairs:
        if outcome.outcome == "failed":
            continue
        for name, milliseconds in outcome.stages.items():
            values[name].append(milliseconds)
        values[whole].append(outcome.seconds * 1000)
    total = values.pop(whole, None)
    rows = [*values.items(), *([(whole, total)] if total else [])]
    return [(name, _spread(each)) for name, each in rows]


def calls(pairs: Pairs) -> list[tuple[str, str, list[str]]]:
    """Model, purpose, and together: calls, tokens in, tokens out."""
    found: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for _, outcome in pairs:
        for call in outcome.calls:
            row = found[call.model, call.purpose]
            row[0] += 1
            row[1] += call.tokens_in
            row[2] += call.tokens_out
    return [(model, purpose, [number(each) for each in row]) for (model, purpose), row in found.items()]


def money(pairs: Pairs, whole: Summary, language: str) -> str:
    """What all questions cost together, as a sentence."""
    unknown = sum(outcome.money is None and outcome.outcome != "failed" for _, outcome in pairs)
    if whole.money is None:
        return said("money_unknown", language, n=unknown)
    if not whole.money:
        return said("money_none", language)
    return said("money", language, all=figure(whole.money), each=figure(whole.money / max(1, len(pairs))))


def cutoff(header: Header) -> tuple[str, dict[str, str]]:
    """What is to be said of the engine's threshold, and with which values.

    `threshold` where a cutoff is on the scale of the retriever's scores, `threshold_rescored` where a step before
    it gives others, `threshold_evidence` for a gate that looks at other signs, else `threshold_none`.
    """
    steps = _steps(header.effective, header.engine)
    for place, step in enumerate(steps):
        if step.get("type") == "similarity_cutoff" and is_number(step.get("cutoff", "")):
            rescored = any(each.get("type") in _RESCORING for each in steps[:place])
            return "threshold_rescored" if rescored else "threshold", {"threshold": step["cutoff"]}
    for step in steps:
        if step.get("type") == "evidence":
            numbers = ", ".join(f"{key} {value}" for key, value in step.items() if is_number(value))
            return "threshold_evidence", {"numbers": numbers}
    return "threshold_none", {}


_RESCORING = frozenset(("rerank", "rerank_llm", "recency", "llama_index"))
"""Types of postprocessors behind which a score is no longer the retriever's."""


def _steps(effective: Mapping[str, str], engine: str) -> list[dict[str, str]]:
    """The postprocessors of an engine, from lines such as `query_engines.answer.postprocessors[0].type`."""
    start = f"query_engines.{engine}.postprocessors["
    found: dict[int, dict[str, str]] = defaultdict(dict)
    for key, value in effective.items():
        place, bracket, name = key.removeprefix(start).partition("].")
        if key.startswith(start) and bracket and place.isdecimal():
            found[int(place)][name] = value
    return [found[place] for place in sorted(found)]


def is_number(text: str) -> bool:
    """Whether it is a number as a config writes it."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def moment(seconds: float) -> str:
    """A time as people write it, in the zone of this machine."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


def number(count: int) -> str:
    """A count with its thousands set apart."""
    return f"{count:,}"


def figure(value: float) -> str:
    """A measured value, short."""
    return f"{value:.3f}" if abs(value) < 100 else f"{value:,.0f}"


def percent(share: float | None) -> str:
    """A share, or a dash where there is none."""
    return "–" if share is None else f"{share:.1%}"


def _spread(values: Sequence[float]) -> list[str]:
    import numpy as np

    half, most = np.percentile(values, [50, 95])
    shown = [f"{each:,.1f}" for each in (half, most, sum(values) / len(values), max(values))]
    return [*shown, number(len(values))]

"""The report of several runs side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.evaluation.compare import Comparison, Flip
from pipelines.evaluation.metrics import METRICS, Summary
from pipelines.evaluation.report import page, tables
from pipelines.evaluation.report.tables import figure, number
from pipelines.evaluation.report.texts import FAMILIES, WAYS_ZH, said
from pipelines.evaluation.setup import SetUp
from pipelines.evaluation.statistics import Paired
from pipelines.querying.names import stage
from pipelines.words import Language

MOST_FLIPS = 300
"""Questions that flipped which a report shows, of each run."""
SURE = 0.05
"""P value below which a difference is taken for more than chance."""


@dataclass(frozen=True, slots=True)
class _Difference:
    """A metric of one run against that of the first."""

    metric: str
    difference: str
    interval: str
    p: str
    wins: str
    n: int
    verdict: str
    """`better`, `worse`, `chance`, `same`; empty for what is not tested."""
    whisker: tuple[float, float, float] | None
    """Where the interval begins and ends and its middle, in percent of the width; None where it can't be drawn."""


@dataclass(frozen=True, slots=True)
class _Against:
    title: str
    name: str
    rows: list[tuple[str, list[_Difference]]]
    flips: list[Flip]
    flipped: str
    more: str


def write_comparison(
    compared: Comparison, file: Path, language: Language | None = None, *, set_ups: Sequence[SetUp] = ()
) -> None:
    """Write a comparison as a page, in the language of most questions unless one is given.

    `set_ups`: what each run's config took to set up, where that is to be shown.
    Raises SearchaskError where the file can't be written, and MissingExtra where a package is missing.
    """
    language = language or page.spoken(compared.runs[0].questions)
    shown = page.rendered(
        "comparison.html",
        language,
        title=said("comparison", language, names=", ".join(compared.names)),
        names=compared.names,
        runs=_runs(compared, language),
        notes=list(
            dict.fromkeys(note for run in compared.runs for note in run.header.notes.get(language, ()))
        ),
        differing=[(key, *values) for key, values in compared.differing.items()],
        means=_means(compared, language),
        against=[_against(compared, place, language) for place in range(1, len(compared.runs))],
        spent=_spent(compared, language),
        stages=_stages(compared, language),
        set_ups=_set_ups(set_ups, language) if set_ups else [],
        fingerprints=_fingerprints(compared),
        says=lambda metric: tables.says(metric, language),
    )
    page.write(file, shown)


def _runs(compared: Comparison, language: Language) -> list[tuple[str, ...]]:
    lines = [tables.head(run, language) for run in compared.runs]
    return [(name, *(line[at][1] for line in lines)) for at, (name, _) in enumerate(lines[0])]


def _means(compared: Comparison, language: Language) -> list[tuple[str, list[tuple[str, ...]]]]:
    found: dict[str, list[tuple[str, ...]]] = {}
    for name, row in compared.metrics.items():
        family = METRICS[name].family
        if family != "cost":
            means = ("–" if mean is None else figure(mean) for mean in row.means)
            found.setdefault(FAMILIES[family].of(language), []).append((name, *means))
    return list(found.items())


def _against(compared: Comparison, place: int, language: Language) -> _Against:
    rows = [
        (name, row.against[place - 1], row.corrected[place - 1]) for name, row in compared.metrics.items()
    ]
    drawn = [pair for name, pair, _ in rows if pair is not None and METRICS[name].family != "cost"]
    ends = (abs(end) for pair in drawn for end in (pair.low, pair.high, pair.difference) if end is not None)
    reach = max(ends, default=0.0) or 1.0
    found: dict[str, list[_Difference]] = {}
    for name, pair, corrected in rows:
        if pair is not None and (pair.a or pair.b or METRICS[name].family != "cost"):
            family = FAMILIES[METRICS[name].family].of(language)
            found.setdefault(family, []).append(_difference(name, pair, corrected, reach))
    flips = [flip for flip in compared.flips if flip.run == place]
    better = sum(flip.better for flip in flips)
    left = len(flips) - MOST_FLIPS
    return _Against(
        title=said("against", language, other=compared.names[place], first=compared.names[0]),
        name=compared.names[place],
        rows=list(found.items()),
        flips=flips[:MOST_FLIPS],
        flipped=said("flipped", language, better=better, worse=len(flips) - better),
        more=said("more_failing", language, n=left) if left > 0 else "",
    )


def _difference(name: str, pair: Paired, corrected: float | None, reach: float) -> _Difference:
    tested = METRICS[name].family != "cost"
    between = None if pair.low is None or pair.high is None else (pair.low, pair.high)
    whisker = None
    if tested and between:
        low, high, middle = (50 + 48 * each / reach for each in (*between, pair.difference))
        whisker = low, high, middle
    return _Difference(
        metric=name,
        difference=f"{pair.difference:+.3f}" if abs(pair.difference) < 100 else f"{pair.difference:+,.0f}",
        interval="–" if between is None else f"[{between[0]:+.3f}, {between[1]:+.3f}]",
        p="–" if corrected is None else "< 0.001" if corrected < 0.001 else f"{corrected:.3f}",
        wins=f"{pair.wins} / {pair.losses}",
        n=pair.n,
        verdict=_verdict(name, pair, corrected) if tested else "",
        whisker=whisker,
    )


def _verdict(name: str, pair: Paired, corrected: float | None) -> str:
    if not pair.wins + pair.losses:
        return "same"
    if corrected is None or corrected >= SURE:
        return "chance"
    return "better" if (pair.difference > 0) is METRICS[name].higher_is_better else "worse"


def _spent(compared: Comparison, language: Language) -> list[tuple[str, ...]]:
    def money(whole: Summary, of: int = 1) -> str:
        return "–" if whole.money is None else f"{whole.money / max(1, of):.6f}".rstrip("0").rstrip(".")

    lines: dict[str, Callable[[Summary], str]] = {
        "seconds_half": lambda whole: figure(whole.seconds["p50"]) if whole.seconds else "–",
        "seconds_most": lambda whole: figure(whole.seconds["p95"]) if whole.seconds else "–",
        "tokens": lambda whole: number(whole.tokens),
        "judge_tokens": lambda whole: number(whole.judge_tokens),
        "spent_money": money,
        "money_each": lambda whole: money(whole, whole.questions),
        "failed": lambda whole: number(whole.failed),
    }
    return [(said(key, language), *map(told, compared.summaries)) for key, told in lines.items()]


def _stages(compared: Comparison, language: Language) -> list[tuple[str, ...]]:
    names = dict.fromkeys(name for whole in compared.summaries for name in whole.stages)

    def told(whole: Summary, name: str) -> str:
        found = whole.stages.get(name)
        return f"{found['p50']:,.1f} / {found['p95']:,.1f}" if found else "–"

    return [(stage(name, language), *(told(whole, name) for whole in compared.summaries)) for name in names]


def _set_ups(set_ups: Sequence[SetUp], language: Language) -> list[tuple[str, ...]]:
    def shown(value: float | None) -> str:
        return "–" if value is None else figure(value)

    lines: dict[str, Callable[[SetUp], str]] = {
        "set_up_way": lambda it: WAYS_ZH.get(it.way, it.way) if language == "zh" else it.way,
        "documents": lambda it: number(it.documents),
        "set_up_tokens": lambda it: number(it.tokens),
        "set_up_money": lambda it: "–" if it.money is None else f"{it.money:.4f}",
        "set_up_seconds": lambda it: shown(it.seconds),
        "set_up_update": lambda it: shown(it.update_seconds),
    }
    return [(said(key, language), *map(told, set_ups)) for key, told in lines.items()]


def _fingerprints(compared: Comparison) -> list[tuple[str, ...]]:
    told = [run.header.fingerprints for run in compared.runs]
    keys = dict.fromkeys(key for each in told for key in each)
    return [(key, *(each.get(key, "–") for each in told)) for key in keys]

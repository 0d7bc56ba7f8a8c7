"""The report of a sweep: its variants in order, and quality against cost."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipelines.evaluation.report import page, plots
from pipelines.evaluation.report.drawn import Plot
from pipelines.evaluation.report.tables import between, figure, number
from pipelines.evaluation.report.texts import said
from pipelines.evaluation.sweep.result import Ranked, Ranking
from pipelines.words import Language


def write_sweep(
    ranking: Ranking, title: str, notes: Sequence[str], file: Path, language: Language | None = None
) -> None:
    """Write a sweep as a page, in the language of most questions unless one is given.

    Raises SearchaskError where the file can't be written, and MissingExtra where a package is missing.
    """
    language = language or page.spoken(ranking.base.run.questions)
    shown = page.rendered(
        "sweep.html",
        language,
        title=said("sweep", language, name=title),
        notes=notes,
        drawn=_plot(ranking, language),
        ranked=said("ranked", language, metric=ranking.metric),
        heads=_heads(ranking, language),
        rows=[_row(place, row) for place, row in enumerate(ranking.rows, 1)],
    )
    page.write(file, shown)


def _plot(ranking: Ranking, language: Language) -> Plot:
    points = [(row.cost, row.mean, str(place)) for place, row in enumerate(ranking.rows, 1)]
    best = [(row.cost, row.mean) for row in ranking.rows if row.efficient]
    cost = said(f"cost_{ranking.cost}", language)
    told = said("quality_cost_said", language, metric=ranking.metric, cost=cost)
    # Names inside the figure are plain: its font has no Chinese.
    axes_say = ranking.cost, ranking.metric
    return Plot("", plots.scatter(points, best, axes_say, "sweep", told), told)


def _heads(ranking: Ranking, language: Language) -> list[str]:
    keys = ("difference", "interval")
    later = ("refused_share", "failed", "seconds", "tokens_each", "money_each", "tokens_built")
    return [
        "",
        said("variant", language),
        ranking.metric,
        said("interval", language),
        *(said(key, language) for key in keys),
        "p",
        "contains",
        "f1",
        *(said(key, language) for key in later),
    ]


def _row(place: int, row: Ranked) -> tuple[str, ...]:
    whole, pair = row.summary, row.against
    money = row.figure("money")
    between_them = None if pair is None or pair.low is None or pair.high is None else (pair.low, pair.high)
    return (
        f"{place}{' ◆' if row.efficient else ''}",
        row.name,
        figure(row.mean),
        between(row.interval),
        "–" if pair is None else f"{pair.difference:+.3f}",
        "–" if between_them is None else "{:+.3f} … {:+.3f}".format(*between_them),
        "–" if row.corrected is None else f"{row.corrected:.3f}",
        *("–" if (mean := row.figure(name)) is None else figure(mean) for name in ("contains", "f1")),
        number(whole.outcomes["refused"]),
        number(whole.failed),
        " / ".join(figure(value) for value in whole.seconds.values()) or "–",
        figure(row.figure("tokens") or 0.0),
        "–" if money is None else f"{money:.6f}".rstrip("0").rstrip("."),
        number(row.set_up.tokens),
    )

"""The plots of a report; what they are made from stands beside them in words or numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from pipelines.evaluation.report.svg import BAD, GOOD, INK, SOFT, blank, inline

SIZE = (4.4, 2.3)
"""Inches; a page scales them."""
_BINS = 20


def bars(counts: Mapping[str, int], name: str, told: str) -> Markup:
    """A bar for each label; the last one stands for what was not found."""
    figure, axes = blank(*SIZE)
    places = range(len(counts))
    colours = [GOOD] * (len(counts) - 1) + [BAD]
    drawn = axes.bar(places, list(counts.values()), color=colours, width=0.75)
    axes.bar_label(drawn, [str(count or "") for count in counts.values()], color=INK, fontsize=9, padding=1)
    axes.set_xticks(places, list(counts))
    axes.set_yticks([])
    axes.margins(y=0.15)
    return inline(figure, name, told)


def separation(
    answerable: Sequence[float], unanswerable: Sequence[float], threshold: float | None, name: str, told: str
) -> Markup:
    """Two histograms back to back, as shares of each group: answerable above the line, unanswerable below."""
    import numpy as np

    figure, axes = blank(*SIZE)
    edges = np.histogram_bin_edges([*answerable, *unanswerable], bins=_BINS)
    for scores, colour, sign in ((answerable, GOOD, 1), (unanswerable, BAD, -1)):
        shares = np.histogram(scores, edges)[0] / max(1, len(scores)) * 100
        axes.bar(edges[:-1], sign * shares, np.diff(edges) * 0.92, align="edge", color=colour)
    axes.axhline(0, color=SOFT, linewidth=0.8)
    if threshold is not None:
        axes.axvline(threshold, color=INK, linewidth=1.4, linestyle="--")
    axes.yaxis.set_major_formatter(lambda share, _: f"{abs(share):.0f}%")
    return inline(figure, name, told)


def histogram(values: Sequence[float], lines: Sequence[float], name: str, told: str) -> Markup:
    """How often values occur, with lines across at some of them."""
    figure, axes = blank(*SIZE)
    from matplotlib.ticker import MaxNLocator

    axes.hist(values, bins=_BINS, color=GOOD, rwidth=0.92)
    for line, style in zip(lines, ("--", ":"), strict=False):
        axes.axvline(line, color=INK, linewidth=1.4, linestyle=style)
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    return inline(figure, name, told)


def scatter(
    points: Sequence[tuple[float, float, str]],
    best: Sequence[tuple[float, float]],
    axes_say: tuple[str, str],
    name: str,
    told: str,
) -> Markup:
    """Points with labels, and a line of steps through the best of them; `axes_say`: what is on x and on y."""
    figure, axes = blank(SIZE[0] * 1.6, SIZE[1] * 1.6)
    marked = set(best)
    for x, y, label in points:
        colour = GOOD if (x, y) in marked else SOFT
        axes.plot(x, y, "o", color=colour, markersize=6)
        axes.annotate(label, (x, y), (4, 4), textcoords="offset points", color=INK, fontsize=8)
    line = sorted(marked)
    axes.step([x for x, _ in line], [y for _, y in line], where="post", color=GOOD, linewidth=1)
    axes.set_xlabel(axes_say[0], color=SOFT, fontsize=9)
    axes.set_ylabel(axes_say[1], color=SOFT, fontsize=9)
    axes.margins(0.12)
    return inline(figure, name, told)

"""Figures as SVG inside a page: colours follow the page, and nothing points elsewhere."""

from __future__ import annotations

import re
from io import StringIO
from typing import TYPE_CHECKING

from markupsafe import Markup

from pipelines.extras import require

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Colours that nothing else draws with; the page's own take their places, in light and in dark.
GOOD, BAD, INK, SOFT, LINE = "#010101", "#020202", "#030303", "#040404", "#050505"
_VARIABLES = {GOOD: "--good", BAD: "--bad", INK: "--ink", SOFT: "--soft", LINE: "--line"}
_FONT = re.compile(r"font-family: [^;\"]+;?")
_OWN = re.compile(r'(\bid="|href="#|url\(#)')
_STYLE = re.compile(r"<style.*?</style>", re.DOTALL)
_SPACES = re.compile(r"\s*\n\s*")


def blank(width: float, height: float) -> tuple[Figure, Axes]:
    """An empty figure with quiet axes; sizes in inches. Raises MissingExtra without matplotlib."""
    require("matplotlib", extra="evaluation", what="a report")
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasSVG(figure)
    axes = figure.add_subplot()
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(LINE)
    axes.tick_params(colors=SOFT, length=0, labelsize=9)
    axes.grid(axis="y", color=LINE, linewidth=0.6)
    axes.set_axisbelow(True)
    return figure, axes


def inline(figure: Figure, name: str, told: str) -> Markup:
    """The figure as an element of a page; `name` is its own on that page, `told` is read aloud."""
    from matplotlib import rc_context

    written = StringIO()
    # Text stays text: it is small, can be selected, and is set in the page's font.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        figure.savefig(
            written,
            format="svg",
            transparent=True,
            metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")),
        )
    text = written.getvalue()
    view = re.search(r'viewBox="[\d. ]+"', text)
    body = _STYLE.sub("", text[text.index(">", text.index("<svg")) + 1 :]).replace("xlink:href", "href")
    body = _FONT.sub("", _OWN.sub(rf"\g<1>{name}-", body))
    for colour, variable in _VARIABLES.items():
        body = body.replace(colour, f"var({variable})")
    head = Markup('<svg role="img" aria-label="{}" {}>').format(told, Markup(view.group() if view else ""))
    return head + Markup(_SPACES.sub(" ", body))

"""Within the explore tab: the graph around a term."""

from __future__ import annotations

from functools import partial
from typing import Any

import gradio as gr

from pipelines.page import graph, opening
from pipelines.page.site import Site
from pipelines.page.tabs.wiring import Page, drawn, event, language

_TERM, _NODE = "term:", "node:"


def graph_tab(page: Page, tab: gr.Tab) -> None:
    """A term with what is named together with it, a step further at each click."""
    t, site, base = page.t, page.site, page.base
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=300):
            # Not a dropdown: Gradio's breaks where its choices change under the keys.
            term = gr.Textbox(label=t("A name", "名称"), max_lines=1, submit_btn=True, elem_id="term")
            offered = drawn("offered", "offered")
            around = drawn("around", "around")
        with gr.Column(scale=2, min_width=300):
            lists = drawn("lists", "lists")
    parts = [around, lists]
    look = event(
        partial(_look, site), [base, term], parts, show_progress="minimal", show_progress_on=[around]
    )
    for shown in (tab.select, term.submit, page.seen.change):
        shown(**look)
    base.change(lambda: "", None, term, api_visibility="private").then(**look)
    # Not `input`, which Gradio tells of keys alone: not of a term that was chosen among those offered.
    term.change(**event(partial(_typed, site), [base, term, around], [offered, *parts]))
    for clicked in (around, lists):
        clicked.select(
            **event(
                partial(_picked, site), [base, around], [term, *parts, page.viewer], show_progress="hidden"
            )
        )


def _look(site: Site, base: str, term: Any, request: gr.Request) -> Any:
    """The drawing, and the lists beside it."""
    entry = site.entry(base)
    with entry.catalog() as catalog:
        view = graph.surroundings(
            entry.config(), catalog, term if isinstance(term, str) else "", language(request)
        )
    return _parts(view)


def _parts(view: dict[str, Any]) -> tuple[Any, Any]:
    return {key: view[key] for key in ("note", "term", "neighbours")}, {"lists": view["lists"]}


def _typed(site: Site, base: str, typed: Any, shown: Any, request: gr.Request) -> Any:
    """What begins like what is typed; once that is a whole term, it is looked at."""
    typed = typed.strip() if isinstance(typed, str) else ""
    with site.entry(base).catalog() as catalog:
        found = graph.completions(catalog, typed)
    new = typed.lower() in found and typed.lower() != (shown or {}).get("term")
    return {"terms": found}, *(_look(site, base, typed, request) if new else (gr.skip(), gr.skip()))


def _picked(site: Site, base: str, shown: Any, chosen: gr.SelectData, request: gr.Request) -> Any:
    """Go on to another term, or open a passage."""
    picked, speaks, entry = str(chosen.value), language(request), site.entry(base)
    if picked.startswith(_TERM):
        term = picked.removeprefix(_TERM)
        return term, *_look(site, base, term, request), gr.skip()
    with entry.catalog() as catalog:
        place = graph.place(catalog, picked.removeprefix(_NODE), str((shown or {}).get("term", "")), speaks)
    return gr.skip(), gr.skip(), gr.skip(), opening.opened(entry, place, speaks)

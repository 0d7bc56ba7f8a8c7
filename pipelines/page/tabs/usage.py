"""The tab of what it costs: tokens and money, by day, model and engine."""

from __future__ import annotations

from functools import partial
from typing import Any

import gradio as gr

from pipelines.page.site import Site
from pipelines.page.tabs.wiring import Page, event, grid, grid_html, language
from pipelines.page.usage import usage


def usage_tab(page: Page) -> None:
    """Lay the tab out and wire it."""
    with gr.Tab(page.t("Usage", "用量"), id="usage") as tab:
        shown = grid_html("usage")
    for looked in (tab.select, page.base.change):
        looked(**event(partial(_usage, page.site), [page.base], [shown]))


def _usage(site: Site, base: str, request: gr.Request) -> Any:
    with site.entry(base).catalog() as catalog:
        table, note = usage(catalog, language(request))
    return grid(table if table.rows else None, note)

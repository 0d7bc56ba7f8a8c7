"""The tab of the documents: the plan, the ingestion, what is in the index, chunks, files, and what was done before."""

from __future__ import annotations

from functools import partial
from typing import Any

import gradio as gr

from pipelines.errors import ConfigError, SearchaskError
from pipelines.ingestion.planning import make_plan
from pipelines.page import documents, progress
from pipelines.page.markdown import escaped
from pipelines.page.site import Site
from pipelines.page.tabs.chunks import chunks_tab
from pipelines.page.tabs.files import files_tab
from pipelines.page.tabs.wiring import Page, drawn, event, grid, grid_html, language, listing
from pipelines.words import Words

_TICK = 1.5
"""Seconds between two looks at a running ingestion."""

_CHANGES = Words("all that changes", "所有变动")


def documents_tab(page: Page) -> None:
    """Lay the tab out and wire it."""
    t, seen = page.t, page.seen
    with gr.Tab(t("Documents", "文档"), id="documents") as tab:
        running = gr.State(False)
        with gr.Row(elem_classes="tools"):
            start = gr.Button(
                t("Ingest", "入库"), variant="primary", elem_id="ingest", size="sm", min_width=90
            )
            retry = gr.Button(t("Retry failed", "重试失败的文档"), elem_id="retry", size="sm", min_width=90)
            cancel = gr.Button(
                t("Cancel", "取消"),
                variant="stop",
                visible=False,
                elem_id="cancel",
                size="sm",
                min_width=90,
            )
            look = gr.Button(t("Look again", "重新查看"), elem_id="look", size="sm", min_width=90)
        bar = drawn("progress", "progress")
        with gr.Group(visible=False, elem_id="vanish") as vanish:
            question = gr.Markdown("", elem_id="vanishing")
            with gr.Row():
                yes = gr.Button(
                    t("Remove them from the index", "从索引中移除"), variant="stop", elem_id="vanish-yes"
                )
                no = gr.Button(t("Leave all as it is", "保持原样"), elem_id="vanish-no")
        with gr.Tabs(elem_id="shelves"):
            with gr.Tab(t("Plan", "计划")):
                summary = gr.Markdown("", elem_id="plan-summary")
                with gr.Row(elem_classes="tools"):
                    action = gr.Dropdown([], label=t("Show", "显示"), elem_id="plan-action", min_width=140)
                    search = gr.Textbox(
                        label=t("Name or reason contains", "名称或原因包含"),
                        elem_id="plan-text",
                        min_width=180,
                    )
                plan = grid_html("plan")
            with gr.Tab(t("In the index", "索引内容")):
                index_search = gr.Textbox(label=t("Name contains", "名称包含"), elem_id="index-text")
                index = grid_html("index")
            with gr.Tab(t("Findings", "质量问题")):
                findings = grid_html("findings")
            with gr.Tab(t("Chunks", "分块预览")):
                chunks_tab(page)
            with gr.Tab(t("History", "历史")):
                jobs = grid_html("jobs", elem_classes="clickable")
                job = grid_html("job")
            with gr.Tab(t("Add and remove", "添加与删除"), visible=False) as folder:
                files_tab(page, folder)
        timer = gr.Timer(_TICK, active=False)

    site, base = page.site, page.base
    parts = [summary, action, plan, index, findings, jobs, vanish, question, yes, seen]
    show = event(partial(_look, site), [base, seen], parts, show_progress="minimal", show_progress_on=[plan])
    state = [bar, start, retry, cancel, running]
    tick = event(partial(_tick, site), [base, running, seen], [*state, seen])
    for shown in (tab.select, look.click, base.change):
        shown(**show)
        shown(**tick)
    page.tabs.select(_watched, None, timer, api_visibility="private", show_progress="hidden")
    timer.tick(**tick)
    seen.change(**show)
    filtered = event(partial(_filter, site), [base, action, search], [plan])
    action.input(**filtered)
    search.submit(**filtered)
    index_search.submit(**event(partial(_filter_index, site), [base, index_search], [index]))
    jobs.select(**event(partial(_job, site), [base], [job]))
    started = [*state, vanish, question, yes]
    start.click(**event(partial(_begin, site), [base], started))
    retry.click(**event(partial(_begin, site, retry_failed=True), [base], started))
    yes.click(**event(partial(_begin, site, allow_vanish=True), [base], started))
    no.click(lambda: gr.update(visible=False), None, vanish, api_visibility="private")
    cancel.click(**event(partial(_cancel, site), [base], [cancel]))


def _watched(tab: gr.SelectData) -> Any:
    """Look after a running ingestion as long as somebody sees it."""
    return gr.Timer(active=tab.index == 1)


def _look(site: Site, base: str, seen: float, request: gr.Request) -> Any:
    """Scan the documents, and show what an ingestion would do and what is there now."""
    speaks, entry = language(request), site.entry(base)
    try:
        config = entry.config()
    except ConfigError:  # is told above the tabs
        empty = grid(None)
        return "", gr.update(choices=[], value=None), empty, empty, empty, empty, *_asked(None), seen
    with entry.catalog() as catalog:
        entry.planned = make_plan(config, catalog)
        view = documents.view_of_plan(entry.planned, config, speaks)
        index = documents.documents_view(catalog, speaks)
        found = documents.findings(config, catalog, speaks)
        jobs = documents.job_history(catalog, speaks)
    warning = view.vanishing.question if view.vanishing else ""
    lines = [view.counts, view.estimate, view.switches, warning]
    return (
        "  \n".join(escaped(line) for line in lines if line),
        gr.update(choices=[(_CHANGES.of(speaks), ""), *view.actions], value=""),
        listing(view.listing),
        listing(index),
        listing(found),
        grid(jobs),
        *(_asked(None) if view.vanishing is None else (gr.skip(), gr.skip(), gr.skip())),
        seen,
    )


def _asked(vanishing: documents.Vanishing | None) -> tuple[Any, Any, Any]:
    """The vanish guard as a question: its box, its text, and the button that says yes."""
    if vanishing is None:
        return gr.update(visible=False), "", gr.update()
    names = "\n".join(f"- {escaped(name)}" for name in vanishing.names)
    more = f"\n\n{vanishing.more}" if vanishing.more else ""
    text = f"**{escaped(vanishing.question)}**\n\n{names}{more}"
    return gr.update(visible=True), text, gr.update(visible=vanishing.can_go_on)


def _filter(site: Site, base: str, action: str | None, text: str, request: gr.Request) -> Any:
    """The rows of the last look: another scan would tell of other documents than the line above them."""
    speaks, entry = language(request), site.entry(base)
    if entry.planned is None:
        return gr.skip()
    return listing(
        documents.view_of_plan(entry.planned, entry.config(), speaks, action=action or "", text=text).listing
    )


def _filter_index(site: Site, base: str, text: str, request: gr.Request) -> Any:
    with site.entry(base).catalog() as catalog:
        return listing(documents.documents_view(catalog, language(request), text=text))


def _job(site: Site, base: str, row: gr.SelectData, request: gr.Request) -> Any:
    """What one ingestion did, document by document."""
    number = str(row.value[0]) if row.value else ""
    if not number.isdigit():
        return gr.skip()
    with site.entry(base).catalog() as catalog:
        return listing(documents.job_documents(catalog, int(number), language(request)))


def _tick(site: Site, base: str, running: bool, seen: float, request: gr.Request) -> Any:
    """How far the ingestion is; once it has ended, everything else is looked at again."""
    try:
        state = site.entry(base).worker.state()
    except SearchaskError:  # a broken config: said above the tabs
        return (
            {},
            gr.update(interactive=False),
            gr.update(interactive=False),
            gr.update(visible=False),
            False,
            seen,
        )
    view = progress.progress_view(state, language(request))
    idle = gr.update(interactive=not view.running)
    ended = running and not view.running
    return (
        _bar(view),
        idle,
        idle,
        gr.update(visible=view.running, interactive=True),
        view.running,
        seen + 1 if ended else seen,
    )


def _bar(view: progress.ProgressView) -> dict[str, Any]:
    return {
        "percent": f"{view.share:.0%}",
        "headline": view.headline,
        "tables": [grid(table) for table in (view.in_hand, view.finished) if table.rows],
    }


def _begin(
    site: Site, base: str, request: gr.Request, *, retry_failed: bool = False, allow_vanish: bool = False
) -> Any:
    """Start an ingestion, or ask first where it would lose much."""
    speaks, entry = language(request), site.entry(base)
    if not allow_vanish:
        with entry.catalog() as catalog:
            vanishing = documents.plan_view(entry.config(), catalog, speaks).vanishing
        if vanishing is not None:
            return *_tick(site, base, False, 0, request)[:5], *_asked(vanishing)
    entry.worker.start(retry_failed=retry_failed, allow_vanish=allow_vanish)
    return *_tick(site, base, True, 0, request)[:5], *_asked(None)


def _cancel(site: Site, base: str) -> Any:
    site.entry(base).worker.cancel()
    return gr.update(interactive=False)

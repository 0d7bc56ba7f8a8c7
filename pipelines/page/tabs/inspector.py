"""Below the answer: what was looked at, how long it took, what was sent, why not another document or engine."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any

import gradio as gr

from pipelines.errors import SearchaskError
from pipelines.page import answers, inspector, preview, why_not_view
from pipelines.page.answers import Chat
from pipelines.page.site import Site
from pipelines.page.tabs.wiring import Page, event, grid, grid_html, language
from pipelines.querying.why_not import why_not


class Inspector:
    """The parts of the inspector, laid out where this is made."""

    def __init__(self, page: Page, chat: gr.State) -> None:
        t, self._site, self._chat = page.t, page.site, chat
        label = t("How this answer came about", "这个回答的由来")
        with gr.Accordion(label, open=False, elem_id="inspector"), gr.Tabs():
            with gr.Tab(t("Candidates", "候选段落")):
                candidates = grid_html("candidates")
            with gr.Tab(t("Time", "用时")):
                stages = grid_html("stages")
            with gr.Tab(t("Prompt", "提示词")):
                prompt = gr.Code(
                    "", show_label=False, elem_id="prompt", wrap_lines=True, lines=3, max_lines=30
                )
            with gr.Tab(t("Why not this document?", "为什么没有这个文档？")):
                wanted = gr.Dropdown([], label=t("Document", "文档"), elem_id="wanted")
                reason = grid_html("why-not")
            with gr.Tab(t("Another engine", "换一个引擎")):
                with gr.Row(elem_classes="tools"):
                    other = gr.Dropdown([], label=t("Query engine", "查询引擎"), elem_id="other")
                    again = gr.Button(t("Ask the same", "问同样的问题"), elem_id="again")
                with gr.Row():
                    left = gr.Markdown("", elem_id="left")
                    right = gr.Markdown("", elem_id="right")
        wanted.input(**event(partial(_why_not, page.site), [chat, wanted], [reason], show_progress="minimal"))
        again.click(
            **event(
                partial(_beside, page.site), [chat, other], [left, right], busy="ask", show_progress="minimal"
            )
        )
        self._parts = [candidates, stages, prompt, wanted, other, reason, left, right]

    def fill_after(self, done: Any, *, queue: bool = True) -> None:
        """Show the turn that is looked at once an event is done."""
        done.then(**event(partial(_inspect, self._site), [self._chat], self._parts, queue=queue))


def _inspect(site: Site, chat: Chat, request: gr.Request) -> Any:
    speaks = language(request)
    trace = chat.turn.trace if chat.turn else None
    found: list[tuple[str, str]] = []
    engines: list[str] = []
    if chat.turn:
        with suppress(SearchaskError):
            entry = site.entry(chat.turn.base)
            engines = list(entry.config().spec.query_engines)
            with entry.catalog() as catalog:
                found = preview.previewable(entry.config(), catalog)
    return (
        grid(inspector.candidates(trace, speaks), "\n".join(trace.notes) if trace else ""),
        grid(inspector.stages(trace, speaks)),
        inspector.prompt(trace, speaks),
        gr.update(choices=found, value=None),
        gr.update(choices=engines, value=engines[-1] if engines else None),
        grid(None),
        "",
        "",
    )


def _why_not(site: Site, chat: Chat, wanted: str | None, request: gr.Request) -> Any:
    """The stage at which a document fell out."""
    if chat.turn is None or not wanted:
        return grid(None)
    loader, document = preview.chosen(wanted)
    with site.entry(chat.turn.base).open() as base:
        turn = chat.turn
        found = why_not(base, turn.question, document, turn.engine, loader=loader, trace=turn.trace)
    view = why_not_view.why_not_view(found, language(request))
    return {**grid(view.table), "note": " ".join([view.sentence, *view.details])}


def _beside(site: Site, chat: Chat, engine: str | None, request: gr.Request) -> Any:
    """The answer that is shown, and that of another engine."""
    if chat.turn is None or not engine:
        return "", ""
    speaks = language(request)
    *_, again = answers.ask(Chat(), site.entry(chat.turn.base), chat.turn.question, engine, speaks)
    return answers.titled(chat.turn, speaks), answers.titled(again, speaks)

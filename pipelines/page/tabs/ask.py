"""The tab to ask in: a chat, its evidence beside it, and below how the answer came about."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import gradio as gr

from pipelines.errors import SearchaskError
from pipelines.page import answers, feedback, opening
from pipelines.page import examples as example_questions
from pipelines.page.answers import Chat
from pipelines.page.evidence import as_markdown, evidence
from pipelines.page.site import Site
from pipelines.page.tabs.inspector import Inspector
from pipelines.page.tabs.wiring import Page, drawn, event, language

_BETWEEN = 0.06
"""Seconds between two updates of an answer that is being written: a reader sees no difference, the server does."""


def ask_tab(page: Page) -> None:
    """Lay the tab out and wire it."""
    t, site = page.t, page.site
    with gr.Tab(t("Ask", "提问"), id="ask"):
        chat = gr.State(Chat(), time_to_live=86_400)
        rated = gr.State(None)
        copied = gr.Textbox(visible=False)
        with gr.Row(equal_height=False):
            with gr.Column(scale=3, min_width=320):
                chatbot = _chatbot(page)
                box = gr.Textbox(
                    show_label=False,
                    placeholder=t("Your question", "您的问题"),
                    submit_btn=True,
                    max_lines=8,
                    elem_id="question",
                    autofocus=True,
                )
                with gr.Row(elem_classes="tools"):
                    engine = gr.Dropdown(
                        [], label=t("Query engine", "查询引擎"), elem_id="engine", min_width=140
                    )
                    stop = gr.Button(
                        t("Stop", "停止"),
                        variant="stop",
                        elem_id="stop",
                        visible=False,
                        size="sm",
                        min_width=80,
                    )
                    new = gr.Button(t("New chat", "新对话"), elem_id="new", size="sm", min_width=90)
                    only = gr.Textbox(
                        label=t("Only in (optional)", "仅限（可不填）"),
                        placeholder="folder=hr, language=zh, date=>=2025",
                        elem_id="only",
                        min_width=200,
                    )
                    copy = gr.Button(
                        t("Copy with sources", "连同来源复制"), elem_id="copy", size="sm", min_width=130
                    )
                searched = gr.Textbox(
                    label=t("Searched for; edit it to ask again", "实际检索的问题，可修改后再问"),
                    visible=False,
                    submit_btn=True,
                    elem_id="searched",
                )
                with gr.Row(visible=False, elem_id="feedback") as remark:
                    comment = gr.Textbox(
                        label=t("What should be better? (optional)", "哪里可以更好？（可不填）"),
                        submit_btn=True,
                        elem_id="comment",
                    )
            with gr.Column(scale=2, min_width=320):
                sources = drawn("sources", "sources", evidence(Chat(), "en"))
        inspector = Inspector(page, chat)

    shown = [chatbot, sources, chat, stop, box]
    running = [
        box.submit(
            **event(
                partial(_ask, site),
                [chat, page.base, engine, box, only],
                shown,
                busy="ask",
                api_name="ask_in_chat",
            )
        ),
        searched.submit(
            **event(partial(_ask, site), [chat, page.base, engine, searched, only], shown, busy="ask")
        ),
        chatbot.example_select(
            **event(partial(_example, site), [chat, page.base, engine], shown, busy="ask")
        ),
    ]
    # Twice, since a last update of what was cancelled may come after the first. Not through the queue, whose stream
    # the cancelled event takes with it.
    stopped = stop.click(**event(_stopped, [chat], shown, queue=False, cancels=running)).then(
        **event(_stopped, [chat], shown, queue=False)
    )
    begun = new.click(**event(_new, [], shown, queue=False, cancels=running)).then(
        **event(_new, [], shown, queue=False)
    )
    selected = chatbot.select(**event(_select, [chat], [sources, chat]))
    for done in (*running, selected, stopped, begun):
        queue = done not in (stopped, begun)
        inspector.fill_after(done, queue=queue)
        done.then(**event(_searched, [chat], [searched], queue=queue))
    begun.then(lambda: gr.update(visible=False), None, remark, queue=False, api_visibility="private")
    chatbot.like(**event(partial(_like, site), [chat], [rated, remark, comment]))
    comment.submit(**event(partial(_comment, site), [rated, comment], [remark, comment]))
    copy.click(**event(_copy, [chat], [copied])).then(
        None, [copied], None, js="(text) => { window.searchask.copy(text); }", api_visibility="private"
    )
    sources.select(**event(partial(_open, site), [chat], [page.viewer]))
    for changed in (page.blocks.load, page.base.change, page.seen.change):
        changed(**event(partial(_engines, site), [page.base, engine], [engine]))
        changed(**event(partial(_examples, site), [page.base], [chatbot]))


def _chatbot(page: Page) -> gr.Chatbot:
    return gr.Chatbot(
        elem_id="chat",
        height="56vh",
        min_height=260,
        show_label=False,
        latex_delimiters=[],
        allow_tags=False,
        group_consecutive_messages=False,
        buttons=[],
        placeholder=page.t(
            "Ask about your documents. Every answer shows where it comes from.",
            "就您的文档提问，每个回答都会标明出处。",
        ),
    )


def _engines(site: Site, base: str, chosen: str | None) -> Any:
    """The query engines of a knowledge base; one that was chosen stays where it has it too."""
    engines: list[str] = []
    with suppress(SearchaskError):
        engines = list(site.entry(base).config().spec.query_engines)
    first = chosen if chosen in engines else next(iter(engines), None)
    return gr.update(choices=engines, value=first, visible=len(engines) > 1)


def _examples(site: Site, base: str, request: gr.Request) -> Any:
    """Questions to begin with."""
    found: list[str] = []
    with suppress(SearchaskError), site.entry(base).catalog() as catalog:
        found = example_questions.examples(catalog, language(request)) if catalog else []
    return gr.update(examples=[{"text": each} for each in found])


def _ask(
    site: Site,
    chat: Chat,
    base: str,
    engine: str | None,
    question: Any,
    only: str | None,
    request: gr.Request,
) -> Iterator[Any]:
    """Answer, a little more at each step."""
    speaks = language(request)
    if not isinstance(question, str) or not question.strip():
        yield [gr.skip()] * 5
        return
    shown = 0.0
    box: Any = ""
    for turn in answers.ask(chat, site.entry(base), question, engine or "", speaks, only=only or ""):
        writing = turn.state == "asking" and bool(turn.draft)
        if writing and time.monotonic() - shown < _BETWEEN:
            continue
        beside = gr.skip() if writing and shown else evidence(chat, speaks)
        shown = time.monotonic() if writing else 0.0
        stop = gr.update(visible=turn.state == "asking")
        yield answers.messages(chat, speaks), beside, chat, stop, box
        box = gr.skip()


def _example(
    site: Site, chat: Chat, base: str, engine: str | None, chosen: gr.SelectData, request: gr.Request
) -> Iterator[Any]:
    """Ask what was suggested."""
    yield from _ask(site, chat, base, engine, chosen.value.get("text", ""), "", request)


def _stopped(chat: Chat, request: gr.Request) -> Any:
    """Show how far an answer came that was stopped."""
    if chat.turns and chat.turns[-1].state == "asking":
        chat.turns[-1].state = "stopped"
    speaks = language(request)
    stop = gr.update(visible=False)
    return answers.messages(chat, speaks), evidence(chat, speaks), chat, stop, gr.skip()


def _new(request: gr.Request) -> Any:
    """An empty chat; what is written already stays."""
    return [], evidence(Chat(), language(request)), Chat(), gr.update(visible=False), gr.skip()


def _select(chat: Chat, message: gr.SelectData, request: gr.Request) -> Any:
    """Bring back the evidence of an older answer."""
    chat.shown = _turn(message.index)
    return evidence(chat, language(request)), chat


def _searched(chat: Chat) -> Any:
    """What was searched for, where that is another text than what was asked."""
    rewritten = chat.turn.trace.rewritten if chat.turn and chat.turn.trace else ""
    return gr.update(value=rewritten, visible=bool(rewritten))


def _like(site: Site, chat: Chat, thumb: gr.LikeData) -> Any:
    """Keep a thumb, and ask for a word with it."""
    turn = chat.turns[_turn(thumb.index)]
    rating = feedback.Rating.of(turn, good=thumb.liked in (True, "Like"))
    if rating is not None:
        feedback.keep(site, rating)
    return rating, gr.update(visible=rating is not None), ""


def _comment(site: Site, rating: feedback.Rating | None, comment: str, request: gr.Request) -> Any:
    """Keep what was said with a thumb."""
    if rating is not None:
        feedback.keep(site, rating, comment)
        gr.Info(feedback.THANKS.of(language(request)))
    return gr.update(visible=False), ""


def _copy(chat: Chat, request: gr.Request) -> str:
    """The answer that is shown, as Markdown."""
    return as_markdown(chat.turn, language(request))


def _open(site: Site, chat: Chat, chosen: gr.SelectData, request: gr.Request) -> Any:
    """A document at the passage that was clicked."""
    turn = chat.turn
    place = opening.place_of(turn, str(chosen.value)) if turn else None
    if turn is None or place is None:
        return gr.skip()
    return opening.opened(site.entry(turn.base), place, language(request))


def _turn(index: Any) -> int:
    """The number of the question that a message belongs to, from the place that Gradio's events give."""
    return int(index[0] if isinstance(index, (list, tuple)) else index) // 2

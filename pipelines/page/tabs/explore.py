"""The tab to explore in: how similar texts are to the embed model, the chunks as a map, the graph."""

from __future__ import annotations

from functools import partial
from typing import Any

import gradio as gr

from pipelines.errors import SearchaskError
from pipelines.page import chunk_map, explore
from pipelines.page.evidence import place_words
from pipelines.page.site import Site
from pipelines.page.tabs.graph import graph_tab
from pipelines.page.tabs.wiring import Page, drawn, event, language
from pipelines.words import Words

STANDARD = "奥运会\n亚运会\n北京地铁"
"""The well-known example: two games are closer to each other than to a subway."""

_ABOUT = Words("{model}, {dimension} dimensions", "{model}，{dimension} 维")
_TOKENS = Words("tokens", "token 数")


def explore_tab(page: Page) -> None:
    """Lay the tab out and wire it."""
    t, site, base = page.t, page.site, page.base
    with gr.Tab(t("Explore", "探索"), id="explore") as tab, gr.Tabs():
        with gr.Tab(t("Similarity and map", "相似度与地图")), gr.Row(equal_height=False):
            with gr.Column(scale=2, min_width=300):
                texts = gr.Textbox(
                    STANDARD,
                    label=t("Texts to compare, one a line", "要比较的文本，每行一条"),
                    lines=5,
                    max_lines=20,
                    elem_id="texts",
                )
                compare = gr.Button(t("Compare", "比较"), variant="primary", elem_id="compare")
                matrix = drawn("matrix", "matrix")
            with gr.Column(scale=3, min_width=300):
                with gr.Row(elem_classes="tools"):
                    question = gr.Textbox(
                        label=t("A question on the map", "在地图上标出一个问题"),
                        submit_btn=True,
                        elem_id="map-question",
                    )
                chart = drawn("map", "map")
                passage = drawn("passage", "passage")
        with gr.Tab(t("Graph", "图谱")) as graph:
            graph_tab(page, graph)
    compare.click(**event(partial(_compare, site), [base, texts], [matrix], show_progress="minimal"))
    draw = event(partial(_draw, site), [base, question], [chart, passage], show_progress="minimal")
    for shown in (tab.select, base.change, question.submit):
        shown(**draw)
    chart.select(**event(partial(_passage, site), [base], [passage]))


def _compare(site: Site, base: str, texts: str, request: gr.Request) -> Any:
    speaks = language(request)
    found = explore.similarity(site.entry(base).config(), texts.splitlines(), speaks)
    least = min(min(row) for row in found.matrix)
    return {
        "note": found.note,
        "about": _ABOUT.of(speaks, model=found.model, dimension=found.dimension),
        "names": found.names,
        "tokens": _TOKENS.of(speaks),
        "rows": [
            {"name": name, "tokens": str(tokens), "cells": [_cell(value, least) for value in row]}
            for name, tokens, row in zip(found.names, found.tokens, found.matrix, strict=True)
        ],
    }


def _cell(cosine: float, least: float) -> dict[str, str]:
    """A cosine, and how strongly its cell is tinted: models differ in the range that they use."""
    share = (cosine - least) / (1 - least) if least < 1 else 1.0
    return {"cosine": f"{cosine:.3f}", "tint": f"{max(0.0, min(1.0, share)) * 55:.0f}%"}


def _draw(site: Site, base: str, question: str | None, request: gr.Request) -> Any:
    """The map, with the question and its hits on it where there is one."""
    speaks = language(request)
    question = (question or "").strip()  # None as long as the tab was never opened
    try:
        with site.entry(base).open() as opened:
            found = chunk_map.map_of(opened, speaks)
            asked = chunk_map.project(opened, question, language=speaks) if question else None
    except SearchaskError as error:
        if question:
            raise
        return {"note": str(error)}, {}  # nobody asked: the tab was opened, or another knowledge base chosen
    hits = {spot["node"] for spot in asked.hits} if asked else set()
    side = chunk_map.SIDE
    points = [
        {**point, "y": side - point["y"], "kind": "hit" if point["node"] in hits else "point"}
        for point in found.points
    ]
    placed = {point["node"] for point in found.points}
    spots = [
        {
            "x": spot["x"],
            "y": side - spot["y"],
            "node": spot["node"],
            "document": "",
            "colour": 0,
            "kind": "hit",
        }
        for spot in (asked.hits if asked else [])
        if spot["node"] not in placed
    ]
    cross = {"x": asked.x, "y": side - asked.y, "text": question[:80]} if asked else None
    return {
        "note": found.note,
        "points": points + spots,
        "question": cross,
        "legend": found.legend,
    }, {}


def _passage(site: Site, base: str, point: gr.SelectData, request: gr.Request) -> Any:
    speaks = language(request)
    with site.entry(base).open() as opened:
        found = chunk_map.passage(opened, str(point.value), speaks)
    return {
        "document": found.document,
        "place": place_words(found.page, found.heading, speaks),
        "text": found.text,
    }

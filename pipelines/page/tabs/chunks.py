"""Within the documents: how one of them is cut, before anything is embedded."""

from __future__ import annotations

from functools import partial
from typing import Any

import gradio as gr

from pipelines.errors import SearchaskError
from pipelines.page import preview
from pipelines.page.site import Site
from pipelines.page.tabs.wiring import Page, drawn, event, language


def chunks_tab(page: Page) -> None:
    """One document with the edges of its chunks drawn, for the config as it is or another chunk size."""
    t, site, seen = page.t, page.site, page.seen
    with gr.Row(elem_classes="tools"):
        chosen = gr.Dropdown([], label=t("Document", "文档"), elem_id="preview-document", min_width=200)
        empty = t("as in the config", "按配置")
        size, overlap = (
            # Not gr.Number, which makes a 0 of nothing.
            gr.Textbox(label=name, placeholder=empty, max_lines=1, elem_id=f"preview-{name}", min_width=140)
            for name in ("chunk_size", "chunk_overlap")
        )
    shown = drawn("preview", "preview")
    draw = event(partial(_draw, site), [page.base, chosen, size, overlap], [shown], show_progress="minimal")
    chosen.input(**draw)
    for number in (size, overlap):
        number.submit(**draw)
        number.blur(**draw)
    for changed in (page.blocks.load, page.base.change, seen.change):
        changed(**event(partial(_previewable, site), [page.base], [chosen]))


def _previewable(site: Site, base: str) -> Any:
    try:
        entry = site.entry(base)
        with entry.catalog() as catalog:
            return gr.update(choices=preview.previewable(entry.config(), catalog), value=None)
    except SearchaskError:
        return gr.update(choices=[], value=None)


def _draw(
    site: Site, base: str, chosen: str | None, size: str | None, overlap: str | None, request: gr.Request
) -> Any:
    if not chosen:
        return {}
    entry = site.entry(base)
    loader, path = preview.chosen(chosen)
    with entry.catalog() as catalog:
        view = preview.preview(
            entry.config(),
            catalog,
            loader,
            path,
            chunk_size=_number(size),
            chunk_overlap=_number(overlap),
            language=language(request),
        )
    return {
        "note": view.note,
        "remarks": view.remarks,
        "segments": [
            {
                "text": piece["text"],
                "label": "+".join(map(str, piece["chunks"])) if piece["edge"] else "",
                "kind": _kind(piece["chunks"]),
            }
            for piece in view.segments
        ],
    }


def _number(text: str | None) -> int | None:
    """A number that was typed; None where none was, and -1, which is refused, for anything else."""
    typed = (text or "").strip()
    return (int(typed) if typed.isdecimal() and len(typed) < 10 else -1) if typed else None


def _kind(chunks: list[int]) -> str:
    """The class that a piece of text is drawn in: neighbours differ, overlaps and gaps show."""
    if len(chunks) > 1:
        return "overlap"
    return ("odd" if chunks[0] % 2 else "even") if chunks else "gap"

"""Within the documents: files to add to a folder and to remove from it."""

from __future__ import annotations

import html
from functools import partial
from typing import Any

import gradio as gr

from pipelines.errors import SearchaskError
from pipelines.page import files, uploads
from pipelines.page.markdown import escaped
from pipelines.page.site import Site
from pipelines.page.tabs.wiring import Page, event, language


def files_tab(page: Page, folder: gr.Tab) -> None:
    """Files to add to a folder and to remove from it, where its loader allows that."""
    t, site, seen = page.t, page.site, page.seen
    with gr.Row():
        with gr.Column(min_width=300):
            loader = gr.Dropdown([], label=t("Folder", "文件夹"), elem_id="upload-loader")
            accepted = gr.Markdown("", elem_id="accepted")
            upload = gr.File(
                file_count="multiple", label=t("Add files", "添加文件"), elem_id="upload", height=150
            )
        with gr.Column(min_width=300):
            removable = gr.Dropdown([], label=t("Remove a file", "删除文件"), elem_id="removable")
            remove = gr.Button(t("Remove…", "删除……"), elem_id="remove")
            with gr.Group(visible=False, elem_id="sure") as sure:
                asked = gr.Markdown("", elem_id="sure-text")
                with gr.Row():
                    yes = gr.Button(t("Delete the file", "删除文件"), variant="stop", elem_id="remove-yes")
                    no = gr.Button(t("Keep it", "保留"), elem_id="remove-no")
    base = page.base
    listed = [folder, loader, accepted, removable]
    for changed in (page.blocks.load, base.change):
        changed(**event(partial(_uploadable, site), [base], listed))
    loader.input(**event(partial(_into, site), [base, loader], [accepted, removable]))
    added = event(partial(_add, site), [base, loader, upload, seen], [upload, seen], show_progress="full")
    upload.upload(**added).then(**event(partial(_into, site), [base, loader], [accepted, removable]))
    remove.click(**event(_sure, [removable], [sure, asked]))
    no.click(lambda: gr.update(visible=False), None, sure, api_visibility="private")
    yes.click(**event(partial(_remove, site), [base, loader, removable, seen], [sure, seen])).then(
        **event(partial(_into, site), [base, loader], [accepted, removable])
    )


def _uploadable(site: Site, base: str, request: gr.Request) -> Any:
    try:
        loaders = uploads.upload_loaders(site.entry(base).config())
    except SearchaskError:
        loaders = []
    first = loaders[0] if loaders else None
    accepted, removable = _into(site, base, first, request) if first else ("", gr.update(choices=[]))
    return gr.update(visible=bool(loaders)), gr.update(choices=loaders, value=first), accepted, removable


def _into(site: Site, base: str, loader: str | None, request: gr.Request) -> Any:
    """What a folder takes, and what is in it."""
    if not loader:
        return "", gr.update(choices=[], value=None)
    config = site.entry(base).config()
    takes = files.TAKES.of(language(request), endings=uploads.accepted(config, loader))
    return escaped(takes), gr.update(choices=files.removable(config, loader), value=None)


def _add(
    site: Site, base: str, loader: str | None, paths: list[str] | None, seen: float, request: gr.Request
) -> Any:
    """Copy what was uploaded into the folder; what one file is refused for does not stop the others."""
    added, refused = files.add_all(site.entry(base).config(), loader or "", paths or [])
    if added:
        gr.Info(html.escape(files.ADDED.of(language(request), names=", ".join(added))))
    for reason in refused:
        gr.Warning(html.escape(reason), duration=12)
    return None, seen + 1


def _sure(chosen: str | None, request: gr.Request) -> Any:
    if not chosen:
        return gr.update(visible=False), ""
    return gr.update(visible=True), escaped(files.SURE.of(language(request), name=chosen))


def _remove(
    site: Site, base: str, loader: str | None, chosen: str | None, seen: float, request: gr.Request
) -> Any:
    gone = uploads.remove(site.entry(base).config(), loader or "", chosen or "")
    gr.Info(html.escape(files.REMOVED.of(language(request), name=gone.path)))
    return gr.update(visible=False), seen + 1

"""The tab of the config: its text and what is wrong with it, where values come from, what the index was built with."""

from __future__ import annotations

from functools import partial
from typing import Any

import gradio as gr

from pipelines.errors import ConfigError, Refused, SearchaskError
from pipelines.page import config_edit, config_view
from pipelines.page.markdown import escaped
from pipelines.page.site import Site
from pipelines.page.tabs.wiring import Page, event, grid, grid_html, language
from pipelines.words import Words

_SAVED = Words("Saved. Rerun ingestion to put it into effect.", "已保存。重新入库后生效。")
_NOT_SAVED = Words("Nothing was saved: see the errors above.", "未保存，请看上方的错误。")
_SECRETS = Words(
    "This file has secrets written in it, which are not shown, so it can't be edited here. "
    "Put them into environment variables and write `${NAME}`.",
    "此文件写有密钥（不显示），因此不能在这里编辑。请放入环境变量，并写作 `${NAME}`。",
)


def config_tab(page: Page) -> None:
    """Lay the tab out and wire it."""
    t, site, base = page.t, page.site, page.base
    with gr.Tab(t("Config", "配置"), id="config") as tab:
        seen = gr.State("")
        problems = grid_html("config-problems")
        with gr.Tabs():
            with gr.Tab(t("File", "文件")):
                file = gr.Dropdown([], label=t("File", "文件"), elem_id="config-file")
                text = gr.Code(
                    "", language="yaml", show_label=False, interactive=page.edit, elem_id="yaml", max_lines=40
                )
                save = gr.Button(
                    t("Save", "保存"), variant="primary", visible=page.edit, elem_id="save", min_width=100
                )
                status = gr.Markdown("", elem_id="saved")
            with gr.Tab(t("What is in effect", "生效的值")):
                search = gr.Textbox(label=t("Key or value contains", "键或值包含"), elem_id="explain-text")
                explained = grid_html("explain")
            with gr.Tab(t("What the index was built with", "索引的构建配置")):
                does = gr.Markdown("", elem_id="would-do")
                built = grid_html("built")
    parts = [file, text, seen, problems, explained, does, built, status]
    show = event(partial(_show, site, page.edit), [base], parts)
    for shown in (tab.select, base.change):
        shown(**show)
    file.input(**event(partial(_file, site), [base, file], [text, seen]))
    search.submit(**event(partial(_search, site), [base, search], [explained]))
    page.seen.change(**event(partial(_effect, site), [base], [explained, does, built]))
    if page.edit:
        given, told = [base, file, text, seen, page.seen], [problems, seen, status, page.seen]
        save.click(**event(partial(_save, site), given, told))


def _show(site: Site, editable: bool, base: str, request: gr.Request) -> Any:
    speaks, entry = language(request), site.entry(base)
    view = config_view.yaml_view(entry.path, speaks)
    names = [(each.path.name, str(number)) for number, each in enumerate(view.files)]
    first = view.files[0]
    return (
        gr.update(choices=names, value="0", visible=len(names) > 1),
        first.text,
        first.seen,
        grid(view.problems if view.problems.rows else None),
        *_effect(site, base, request),
        _SECRETS.of(speaks) if first.secrets and editable else "",
    )


def _effect(site: Site, base: str, request: gr.Request) -> Any:
    """What is in effect, what rerunning would do, and how the index was built otherwise."""
    speaks, entry = language(request), site.entry(base)
    try:
        config = entry.config()
        explained = config_view.explain_view(config, "", speaks)
        with entry.catalog() as catalog:
            difference = config_view.built_with(config, catalog, speaks)
    except SearchaskError:  # a broken config is told by its problems
        return grid(None), "", grid(None)
    does = "\n".join(f"- {escaped(each)}" for each in difference.would_do)
    return grid(explained), does, grid(difference.differences)


def _file(site: Site, base: str, number: str, request: gr.Request) -> Any:
    files = config_view.yaml_view(site.entry(base).path, language(request)).files
    chosen = files[int(number)] if number.isdigit() and int(number) < len(files) else files[0]
    return chosen.text, chosen.seen


def _search(site: Site, base: str, text: str, request: gr.Request) -> Any:
    return grid(config_view.explain_view(site.entry(base).config(), text, language(request)))


def _save(
    site: Site, base: str, number: str, text: str, seen: str, changes: float, request: gr.Request
) -> Any:
    """Save the file that is shown; where it is wrong, every problem at its line, and nothing is saved."""
    speaks, entry = language(request), site.entry(base)
    files = config_view.yaml_view(entry.path, speaks).files
    if not number.isdigit() or int(number) >= len(files):
        return grid(None), seen, "", changes
    path = files[int(number)].path
    try:
        now = config_edit.save(path, text, speaks, seen)
    except ConfigError as error:
        return (
            grid(config_view.problem_table(error.problems, entry.path, speaks)),
            seen,
            f"**{_NOT_SAVED.of(speaks)}**",
            changes,
        )
    except Refused as refusal:
        return grid(None), seen, f"**{escaped(str(refusal))}**", changes
    return grid(None), now, _SAVED.of(speaks), changes + 1

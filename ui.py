"""The page: its tabs together, and how it is served. `python ui.py [FILE|DIR]` is `searchask ui [FILE|DIR]`.

What the tabs look like is in `pipelines/page/tabs/`, what they show is made in `pipelines/page/`.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Any

# Read by Gradio and its libraries when they are imported: the server makes no request to the outside.
os.environ.update(
    GRADIO_ANALYTICS_ENABLED="False", HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1", DO_NOT_TRACK="1"
)

import gradio as gr

from pipelines.errors import SearchaskError
from pipelines.page import http
from pipelines.page.access import Logins, Sessions
from pipelines.page.files import largest_upload
from pipelines.page.problems import problem
from pipelines.page.public import Public
from pipelines.page.site import Site
from pipelines.page.tabs.ask import ask_tab
from pipelines.page.tabs.config import config_tab
from pipelines.page.tabs.documents import documents_tab
from pipelines.page.tabs.explore import explore_tab
from pipelines.page.tabs.usage import usage_tab
from pipelines.page.tabs.wiring import Page, asset, drawn, event, language

FONT = ("system-ui", "Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", "sans-serif")
_SLOWED = "After several wrong passwords wait up to a minute. 多次输错密码后，请等待最多一分钟。"
_LOOK_AGAIN = 3.0
"""Seconds between two looks at what is wrong with a knowledge base, while the page says it."""
THEME = gr.themes.Default(
    primary_hue="teal", neutral_hue="slate", font=FONT, font_mono=("ui-monospace", "monospace")
)


def build(site: Site, *, edit: bool = False) -> Page:
    """The page of a site; with `edit` its configs can be changed."""

    def tell(base: str, request: gr.Request) -> Any:
        said = problem(site, base, language(request))
        return gr.update(value=said, visible=bool(said)), gr.Timer(active=bool(said))

    def again(base: str, seen: float, request: gr.Request) -> Any:
        """Once nothing is wrong any more, by whatever was done elsewhere, the page is filled.

        An index can be asked before the ingestion that begins it has ended: the page waits for the end.
        """
        band, timer = tell(base, request)
        if band["visible"]:
            return band, timer, seen
        if site.entry(base).worker.state().kind == "running":
            return band, gr.Timer(active=True), seen
        return band, timer, seen + 1

    blocks = gr.Blocks(
        title="Searchask", analytics_enabled=False, fill_width=True, delete_cache=(3600, 86_400)
    )
    page = Page(site, blocks, edit=edit)
    with blocks:
        names = list(site.entries)
        with gr.Row(elem_id="header"):
            gr.HTML('<h1 class="title">Searchask</h1>', elem_id="title", min_width=120)
            page.base = gr.Dropdown(
                names,
                value=site.first,
                label=page.t("Knowledge base", "知识库"),
                elem_id="base",
                visible=len(names) > 1,
                min_width=160,
            )
        wrong = gr.Markdown("", elem_id="problem", visible=False)
        while_wrong = gr.Timer(_LOOK_AGAIN, active=False)
        page.seen = gr.Number(0, visible=False)
        page.viewer = drawn("document", "viewer")
        with gr.Tabs(elem_id="tabs") as page.tabs:
            ask_tab(page)
            documents_tab(page)
            config_tab(page)
            explore_tab(page)
            usage_tab(page)
        for changed in (blocks.load, page.base.change, page.seen.change):
            changed(**event(tell, [page.base], [wrong, while_wrong]))
        while_wrong.tick(**event(again, [page.base, page.seen], [wrong, while_wrong, page.seen]))
        public = Public(site)
        for function in (public.ask, public.retrieve, public.list_documents):
            gr.api(  # type: ignore[attr-defined]
                function, api_name=function.__name__
            )

    return page


def serve(
    site: Site,
    *,
    host: str = "127.0.0.1",
    port: int = 7860,
    users: Path | None = None,
    trusted: Sequence[str] = (),
    edit: bool = False,
    mcp: bool = False,
    wait: bool = True,
) -> str:
    """Serve a site and, unless told otherwise, wait for its end; its address.

    Raises SearchaskError where that would let people in who have no business here.
    """
    configs = [entry.path for entry in site.entries.values()]
    _guard(host, users, mcp=mcp, edit=edit, trusted=trusted, configs=configs)
    logins = Logins(users) if users else None
    page = build(site, edit=edit)
    limit = largest_upload(site.entries.values())
    app, address, _ = page.blocks.queue(max_size=200, api_open=False).launch(
        server_name=host,
        server_port=port,
        auth=logins.allow if logins else None,
        auth_message=_SLOWED,
        show_error=False,
        quiet=True,
        share=False,
        inbrowser=False,
        prevent_thread_lock=True,
        max_file_size=limit,
        allowed_paths=[],
        blocked_paths=[str(Path.cwd())],
        root_path="",
        enable_monitoring=False,
        strict_cors=True,
        ssr_mode=False,
        pwa=False,
        mcp_server=mcp,
        run_history=False,
        footer_links=["settings"],
        state_session_capacity=1000,
        i18n=page.t.i18n(),
        theme=THEME,
        css=asset("page.css"),
        head=f"<script>{asset('page.js')}</script>",
        app_kwargs={
            "middleware": http.middleware(http.allowed_hosts(host, trusted), limit + 100_000),
            "openapi_url": None,
            "docs_url": None,
            "redoc_url": None,
        },
    )
    if logins:
        app.tokens = Sessions(logins)
    threading.Thread(target=site.warm, daemon=True).start()
    if wait:
        sys.stdout.write(f"Searchask: {address}  (Ctrl-C ends it)\n")
        sys.stdout.flush()
        page.blocks.block_thread()
        site.close()
    return str(address)


def _guard(
    host: str,
    users: Path | None,
    *,
    mcp: bool = False,
    edit: bool = False,
    trusted: Sequence[str] = (),
    configs: Sequence[Path] = (),
) -> None:
    if not users and not _is_here(host):
        raise SearchaskError(
            f"--host {host}: anyone who reaches this machine could read the documents; "
            "add --auth users.yaml (`searchask user add users.yaml NAME` writes it)"
        )
    # Under a name of its own the page is reached through a proxy, from anywhere.
    if edit and not users and (name := next((name for name in trusted if not _is_here(name)), "")):
        raise SearchaskError(
            f"--edit with --host-name {name}: anyone could edit the configs; add --auth users.yaml"
        )
    if mcp and users:
        raise SearchaskError("--mcp: its clients can't log in; serve it on 127.0.0.1 without --auth")
    if users and users.resolve() in [each.resolve() for each in configs]:
        raise SearchaskError(
            f"--auth {users}: it lies among the configs, where the page shows it; move it elsewhere"
        )


def _is_here(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


if __name__ == "__main__":
    from pipelines.cli import main

    sys.exit(main(["ui", *sys.argv[1:]]))

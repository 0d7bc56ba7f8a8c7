"""What all tabs are wired with: labels in both languages, safe handlers, tables."""

from __future__ import annotations

import functools
import html
import inspect
import logging
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast, get_type_hints

import gradio as gr
from gradio.i18n import I18nData

from pipelines.errors import SearchaskError
from pipelines.page.documents import Listing
from pipelines.page.site import Site
from pipelines.page.table import Table
from pipelines.words import Language, Words, language_of_browser

ASSETS = Path(__file__).parents[1] / "assets"

_log = logging.getLogger("searchask")
_INTERNAL = Words(
    "Something went wrong here; the server's log has it under {id}.", "出错了，服务器日志中的编号是 {id}。"
)


class Labels:
    """Texts of the layout: the browser's language decides which of the two is shown."""

    def __init__(self) -> None:
        self.en: dict[str, str] = {}
        self.zh: dict[str, str] = {}

    def __call__(self, en: str, zh: str) -> Any:
        """A label in both languages."""
        key = f"label{len(self.en)}"
        self.en[key], self.zh[key] = en, zh
        return I18nData(key)

    def i18n(self) -> gr.I18n:
        """All of them, for `launch`."""
        return gr.I18n(en=self.en, **dict.fromkeys(("zh", "zh-CN", "zh-TW", "zh-HK"), self.zh))


@dataclass
class Page:
    """What the tabs of a page share."""

    site: Site
    blocks: gr.Blocks
    t: Labels = field(default_factory=Labels)
    edit: bool = False
    """Whether configs may be edited."""
    tabs: gr.Tabs = field(init=False)
    base: gr.Dropdown = field(init=False)
    """Which knowledge base is looked at."""
    seen: gr.Number = field(init=False)
    """Another number whenever documents were added, removed or ingested here, or a config was saved."""
    viewer: gr.HTML = field(init=False)
    """A document over the page, opened at a place."""


def language(request: gr.Request) -> Language:
    """The language of whoever asks."""
    return language_of_browser(request.headers.get("accept-language", ""))


def event(
    fn: Callable[..., Any], inputs: list[Any], outputs: list[Any], *, busy: str = "look", **options: Any
) -> dict[str, Any]:
    """The arguments of an event that is no part of the public API; those of one `busy` group share its limit."""
    return {
        "fn": told(fn),
        "inputs": inputs,
        "outputs": outputs,
        "api_visibility": "private",
        "show_progress": "hidden",
        "concurrency_id": busy,
        "concurrency_limit": 40,
        **options,
    }


def told(handler: Callable[..., Any]) -> Callable[..., Any]:
    """Show a person's mistakes as a sentence, and anything else as a number that the log explains."""
    function = handler.func if isinstance(handler, functools.partial) else handler

    def shown(error: Exception, values: tuple[Any, ...]) -> gr.Error:
        if isinstance(error, SearchaskError):
            return gr.Error(html.escape(str(error)), duration=12, print_exception=False)
        number = secrets.token_hex(4)
        _log.error("%s in %s", number, function.__qualname__, exc_info=error)
        request = next((each for each in values if isinstance(each, gr.Request)), None)
        text = _INTERNAL.of(language(request) if request else "en", id=number)
        return gr.Error(text, duration=12, print_exception=False)

    def safe(*values: Any) -> Any:
        try:
            return handler(*values)
        except gr.Error:
            raise
        except Exception as error:
            raise shown(error, values) from None

    def safe_steps(*values: Any) -> Iterator[Any]:
        try:
            yield from handler(*values)
        except gr.Error:
            raise
        except Exception as error:
            raise shown(error, values) from None

    wrapped: Any = safe_steps if inspect.isgeneratorfunction(function) else safe
    # Gradio looks at these to see which parameters are components and which the request or the event.
    parameters = inspect.signature(handler).parameters.values()
    wrapped.__signature__ = inspect.Signature([each for each in parameters if each.kind != each.KEYWORD_ONLY])
    wrapped.__annotations__ = get_type_hints(function)
    wrapped.__name__ = function.__name__
    return cast(Callable[..., Any], wrapped)


def asset(name: str) -> str:
    """A file of the page's own markup, style or script."""
    return (ASSETS / name).read_text(encoding="utf-8")


def grid(table: Table | None, note: str = "") -> dict[str, Any]:
    """A table as `page.js` draws it."""
    return {"head": table.head if table else [], "rows": table.rows if table else [], "note": note}


def listing(found: Listing) -> dict[str, Any]:
    """A table with a line on what it leaves out."""
    return grid(found.table, found.more)


def drawn(view: str, elem_id: str, value: Any = None, **options: Any) -> gr.HTML:
    """A component that `page.js` draws from data as one of its views; a click selects a row or a piece of it."""
    return gr.HTML(
        value=value or {},
        html_template="<div></div>",
        js_on_load=f'window.searchask.show("{view}", element, props, watch, trigger);',
        elem_id=elem_id,
        **options,
    )


def grid_html(elem_id: str, **options: Any) -> gr.HTML:
    """A table whose rows can be clicked: the event's value holds the texts of the row."""
    return drawn("table", elem_id, grid(None), **options)

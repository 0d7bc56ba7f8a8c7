"""Documents, names and models that want to be more than text: nothing of theirs runs, is fetched or is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import corpus
from tests.browser.conftest import Visits
from tests.browser.screen import ask, choose, inspect, rows, tab
from tests.support.page_server import PageServer, base, page_server
from tests.support.slow_llm import SlowLLM, slow_llm

EVIL = " ".join(
    (
        "<script>window.__pwned=1</script>",
        "<img src=x onerror='window.__pwned=2'>",
        "<img src='http://192.0.2.1/leak.png'>",
        "![leak](http://192.0.2.1/leak2.png)",
        "<svg onload='window.__pwned=3'></svg>",
        "<iframe srcdoc='<script>parent.__pwned=4</script>'></iframe>",
        "<form action='http://192.0.2.1/' class='evil'><input name='evil'></form>",
        "<style>body{display:none}</style>",
        "<details open ontoggle='window.__pwned=5'>d</details>",
        "[link](javascript:window.__pwned=6)",
        "<a href='javascript:window.__pwned=7'>a</a>",
        "${window.__pwned=8} {{constructor.constructor('window.__pwned=9')()}} {window.__pwned=10}",
        "</script></textarea></template><script>window.__pwned=11</script>",
        "$$\\href{javascript:window.__pwned=12}{x}$$",
    )
)
NAME = "zebra <img src=x onerror=window.__pwned=20> ${window.__pwned=21} {{window.__pwned=22}} [x](javascript&#58;y).md"
QUESTION = "What does the zebra eat in winter?"
MARKDOWN = f"# Zebra {EVIL}\n\nThe zebra eats hay in winter {EVIL}.\n\nThe zebra sleeps.\n"
SHOWN = "&lt;script&gt;window.__pwned=30&lt;/script&gt; &lt;img src=x onerror=window.__pwned=31&gt;"
HTML = f"<html><body><h1>Zebra</h1>{EVIL}<p>The zebra eats grass in winter {SHOWN}.</p></body></html>"


@dataclass
class Hostile:
    server: PageServer
    llm: SlowLLM


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hostile]:
    root = tmp_path_factory.mktemp("hostile")
    files: dict[str, str | bytes] = {
        NAME: MARKDOWN,
        "zebra.html": HTML,
        "cafeteria.md": corpus.CAFETERIA,
        "travel.md": corpus.TRAVEL,
        "年假.md": corpus.LEAVE,
    }
    llm = SlowLLM(f"The zebra eats hay in winter [1]. {EVIL}", pause=0.01)
    engines = {
        "quoted": {"retriever": "words", "postprocessors": [], "response": {"type": "extractive"}},
        "written": {"retriever": "words", "postprocessors": [], "response": {"type": "compact"}},
    }
    folder = {"type": "folder", "path": str(root / "house" / "docs"), "upload": True}
    with slow_llm(llm):
        model = {"type": "openai_like", "model": "m", "base_url": llm.url, "api_key": "none"}
        settings: dict[str, Any] = {"retrievers": corpus.WORDS, "query_engines": engines, "llm": model}
        base(root, "house", files, loaders={"files": folder}, **settings)
        with page_server(root / "configs", root / "log") as server:
            yield Hostile(server, llm)


def harmless(page: Page) -> None:
    """Nothing of a document is anything but text."""
    assert page.evaluate("window.__pwned") is None
    inside = "#chat, #sources, #viewer, #inspector, #documents, #config, #explore, .toast-wrap"
    found = page.evaluate(
        """inside => [...document.querySelectorAll(inside)].flatMap(part => [...part.querySelectorAll(
            'script, iframe, style:not(svg style), form, object, embed, base, link, meta, [onerror], [onload], '
            + 'img:not(.scan), a[href^="javascript"], a[href^="http"], input[name=evil], [ontoggle]')]
        ).map(each => each.outerHTML.slice(0, 200))""",
        inside,
    )
    assert found == []
    expect(page.locator("#tabs")).to_be_visible()


@pytest.mark.parametrize("engine", ["quoted", "written"])
def test_an_answer_and_its_evidence_are_text(visit: Visits, hostile: Hostile, engine: str) -> None:
    page = visit(hostile.server)
    choose(page, "engine", engine)
    answer = ask(page, f"{QUESTION} {EVIL}")
    expect(answer).to_contain_text("hay in winter")
    expect(answer).to_contain_text("<script>window.__pwned=1</script>")
    harmless(page)
    expect(page.locator("#sources")).to_contain_text(NAME)
    expect(page.locator("#sources")).to_contain_text("${window.__pwned=8} {{constructor")
    for mark in answer.get_by_role("link").all():
        mark.click()
    inspect(page)
    expect(page.locator("#candidates")).to_contain_text(NAME)
    tab(page, "Why not this document?")
    page.locator("#wanted input").click()
    page.get_by_role("option").filter(has_text="zebra <img").click()
    expect(page.locator("#why-not .note")).to_contain_text("zebra <img")
    tab(page, "Another engine")
    page.locator("#again").click()
    expect(page.locator("#right")).to_contain_text("zebra")
    harmless(page)
    page.locator("#sources .open").first.click()
    expect(page.get_by_role("dialog")).to_contain_text("hay in winter")
    harmless(page)


def test_the_other_tabs_show_text_too(visit: Visits, hostile: Hostile) -> None:
    page = visit(hostile.server)
    tab(page, "Documents", "In the index")
    expect(rows(page, "index").filter(has_text="zebra <img")).to_be_visible()
    tab(page, "History")
    rows(page, "jobs").first.click()
    expect(rows(page, "job").filter(has_text="zebra <img")).to_be_visible()
    tab(page, "Chunks")
    page.locator("#preview-document input").click()
    page.get_by_role("option").filter(has_text="zebra <img").click()
    expect(page.locator("#preview .text")).to_contain_text("<script>window.__pwned=1</script>")
    tab(page, "Add and remove")
    page.locator("#removable input").click()
    page.get_by_role("option").filter(has_text="zebra <img").click()
    page.locator("#remove").click()
    expect(page.locator("#sure-text")).to_contain_text(NAME)
    page.locator("#remove-no").click()
    harmless(page)
    tab(page, "Explore")
    point = page.locator("#map circle").filter(has_text="zebra <img").first
    point.click(force=True)
    expect(page.locator("#passage .document")).to_have_text(NAME)
    texts = page.locator("#texts textarea")
    texts.fill(f"one {EVIL}\ntwo {EVIL}")
    page.locator("#compare").click()
    expect(page.locator("#matrix")).to_contain_text("<script>")
    harmless(page)


def test_an_uploads_name_and_a_mistake_are_text(visit: Visits, hostile: Hostile) -> None:
    page = visit(hostile.server)
    tab(page, "Documents", "Add and remove")
    name = "<img src=x onerror=window.__pwned=40>${window.__pwned=41}.exe"
    page.locator("#upload input[type=file]").set_input_files(
        {"name": name, "mimeType": "text/plain", "buffer": b"MZ"}
    )
    expect(page.get_by_test_id("toast-text").filter(has_text="does not take it")).to_be_visible()
    harmless(page)


def test_a_remark_about_an_example_is_text(visit: Visits, hostile: Hostile) -> None:
    page = visit(hostile.server)
    expect(page.locator("#chat .example").first).to_be_visible()
    harmless(page)

"""The graph around a term: from name to name, and to the passage; and what to do where there is none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser import corpus
from tests.browser.conftest import Visits
from tests.browser.screen import choose, tab
from tests.support.page_server import PageServer, base, page_server

FILES = {
    "moon_harbour.md": "# Moon Harbour\n\nMoon Harbour is a 2001 film. It was directed by Ada Lindgren.\n",
    "ada_lindgren.md": "# Ada Lindgren\n\nAda Lindgren was raised in Elsinore Bay. <img src=x onerror=alert(1)>\n",
    "云岚系统.md": "# 云岚系统\n\n云岚系统是公司的报表平台，由“星河部门”维护。\n",
    "星河部门.md": "# 星河部门\n\n“星河部门”在三楼办公，用“云岚系统”记录工时。\n",
}
LINKED = {
    "retrievers": {**corpus.WORDS, "linked": {"type": "graph", "of": "words"}},
    "query_engines": {"answer": {"retriever": "linked"}},
}
TABS = {"en-US": ("Explore", "Graph"), "zh-CN": ("探索", "图谱")}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageServer]:
    root = tmp_path_factory.mktemp("graph")
    base(root, "default", FILES, **LINKED)
    base(
        root,
        "plain",
        {"a.md": "# A\n\nA.\n"},
        retrievers=corpus.WORDS,
        query_engines={"a": {"retriever": "words"}},
    )
    base(root, "unbuilt", {"a.md": "# A\n\nA.\n"}, ingest=False, **LINKED)
    with page_server(root / "configs", root / "log") as running:
        yield running


def opened(visit: Visits, server: PageServer, locale: str) -> Page:
    page = visit(server, locale)
    tab(page, *TABS[locale])
    expect(page.locator("#around .place")).to_be_visible()
    return page


@pytest.mark.parametrize(
    ("locale", "typed", "whole", "beside", "document", "named"),
    [
        ("en-US", "moo", "Moon Harbour", "ada lindgren", "ada_lindgren.md", "Ada Lindgren"),
        ("zh-CN", "云", "云岚系统", "星河部门", "星河部门.md", "星河部门"),
    ],
)
def test_from_name_to_name_and_to_the_passage(
    visit: Visits,
    server: PageServer,
    locale: str,
    typed: str,
    whole: str,
    beside: str,
    document: str,
    named: str,
) -> None:
    page = opened(visit, server, locale)
    box = page.locator("#term input")
    box.fill(typed)
    offered = page.locator(f'#terms option[value="{whole.lower()}"]')
    expect(offered).to_have_count(1)
    assert box.get_attribute("list") == "terms"
    expect(page.locator("svg.around")).to_have_count(0)
    box.fill(whole)
    expect(page.locator(".around .centre")).to_contain_text(whole.lower())
    neighbour = page.locator(f'.spoke[data-pick="term:{beside}"]')
    neighbour.locator("text").click()
    expect(box).to_have_value(beside)
    expect(page.locator(".around .centre")).to_contain_text(beside)
    expect(page.locator("#lists .head").first).to_contain_text(beside)
    page.locator("#lists button").first.click()
    sheet = page.get_by_role("dialog", name=document)
    expect(sheet.locator("mark.quote")).to_have_text(named)
    page.keyboard.press("Escape")
    back = page.locator(f'.spoke[data-pick="term:{whole.lower()}"]')
    back.focus()
    page.keyboard.press("Enter")
    expect(box).to_have_value(whole.lower())


def test_where_there_is_no_graph_a_line_says_what_to_do(visit: Visits, server: PageServer) -> None:
    for locale, hint, plain, unbuilt in (
        ("en-US", "Write a name", "type: graph", "ingest once more"),
        ("zh-CN", "请输入", "type: graph", "请再次入库"),
    ):
        page = opened(visit, server, locale)
        note = page.locator("#around .place")
        expect(note).to_contain_text(hint)
        page.locator("#term input").fill("${alert(1)} <b>zebra</b>")
        page.locator("#term input").press("Enter")
        expect(note).to_contain_text("${alert(1)} <b>zebra</b>")
        choose(page, "base", "plain")
        expect(note).to_contain_text(plain)
        expect(page.locator("#term input")).to_have_value("")
        choose(page, "base", "unbuilt")
        expect(note).to_contain_text(unbuilt)
        expect(page.locator("svg.around")).to_have_count(0)

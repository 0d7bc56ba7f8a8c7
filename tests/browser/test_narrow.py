"""A telephone: nothing on the page is wider than 390 pixels, in both languages, light and dark."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser import corpus
from tests.browser.conftest import Visits
from tests.browser.screen import ask
from tests.support.page_server import PageServer, base, page_server

TABS = {
    "en-US": (
        "Documents",
        ("Plan", "In the index", "Findings", "Chunks", "History", "Add and remove"),
        "Config",
        ("File", "What is in effect", "What the index was built with"),
        "Explore",
        "Ask",
        ("Candidates", "Time", "Prompt", "Why not this document?", "Another engine"),
    ),
    "zh-CN": (
        "文档",
        ("计划", "索引内容", "质量问题", "分块预览", "历史", "添加与删除"),
        "配置",
        ("文件", "生效的值", "索引的构建配置"),
        "探索",
        "提问",
        ("候选段落", "用时", "提示词", "为什么没有这个文档？", "换一个引擎"),
    ),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageServer]:
    root = tmp_path_factory.mktemp("narrow")
    long = {"a_very_long_name_without_any_space_" * 5 + ".md": "# L" + "o" * 300 + "ng\n\n" + "x" * 500}
    folder = {"type": "folder", "path": str(root / "house" / "docs"), "upload": True}
    engines = {"answer": {"retriever": "both"}, "by_words": {"retriever": "words"}}
    files: dict[str, str | bytes] = {**corpus.FILES, **long}
    base(root, "house", files, loaders={"files": folder}, retrievers=corpus.BOTH, query_engines=engines)
    base(root, "other", {}, ingest=False)
    with page_server(root / "configs", root / "log") as running:
        yield running


def fits(page: Page, where: str) -> None:
    width = page.evaluate("Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)")
    assert width <= 390, f"{where}: {width} px wide"


def choose_tab(page: Page, name: str) -> None:
    """Open a tab, which may be behind the dots at the end of its row."""
    wanted = page.get_by_role("tab", name=name, exact=True)
    row = page.locator(".overflow-menu:not(.hide)").filter(has=page.get_by_text(name, exact=True))
    expect(wanted.or_(row).first).to_be_visible()
    if row.is_visible():
        row.get_by_role("button", name="More tabs").click()
        wanted = row.get_by_role("button", name=name, exact=True)
    wanted.click()


@pytest.mark.parametrize(("locale", "scheme"), [("en-US", "light"), ("zh-CN", "dark")])
def test_nothing_scrolls_sideways(visit: Visits, server: PageServer, locale: str, scheme: str) -> None:
    page = visit(server, locale, viewport={"width": 390, "height": 844}, color_scheme=scheme)
    fits(page, "at first")
    question = "What does a lost badge cost? 北京地铁有多少条线路？ " + "y" * 200
    ask(page, question)
    expect(page.locator("#sources .card").first).to_be_visible()
    fits(page, "an answer")
    page.locator("#sources .open").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    fits(page, "a document")
    page.keyboard.press("Escape")
    page.locator("#inspector .label-wrap").click()
    for name in TABS[locale]:
        inner = name if isinstance(name, tuple) else ()
        for each in inner or (name,):
            choose_tab(page, str(each))
            expect(page.locator(".wrap .progress-text:visible")).to_have_count(0)
            fits(page, str(each))

"""Ask, see the evidence, come back to it, take it along."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from pipelines.catalog import tables
from tests.browser import corpus
from tests.browser.conftest import Visits
from tests.browser.screen import answers, ask, choose, inspect, toast
from tests.support.house import House
from tests.support.page_server import PageServer, base, page_server

OPENS, CAFETERIA = "The cafeteria opens at eight and closes at three.", "When does the cafeteria open?"
FIVE_DAYS, LEAVE = "工作满一年的员工每年有五天年假，满十年的有十天。", "年假有几天？"
RECEIPTS = "When are receipts handed in?"
FIRE = "Where is the assembly point in the fire drill?"

COPIED = """async part => {
    for (;;) {
        const text = await navigator.clipboard.readText();
        if (text.includes(part)) return text;
        await new Promise(requestAnimationFrame);
    }
}"""
"""What is on the clipboard, once it holds a part."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return base(tmp_path_factory.mktemp("asking"), "house", corpus.FILES, **corpus.REAL)


@pytest.fixture(scope="module")
def server(house: House) -> Iterator[PageServer]:
    with page_server(house.file.parent, house.root / "log") as running:
        yield running


def lit(page: Page) -> str:
    """The sentence that is lit."""
    mark = page.locator("#sources mark.lit")
    expect(mark).to_be_visible()
    return mark.inner_text()


@pytest.mark.parametrize(
    ("locale", "question", "document", "sentence"),
    [("en-US", CAFETERIA, "cafeteria.md", OPENS), ("zh-CN", LEAVE, "年假.md", FIVE_DAYS)],
)
def test_a_mark_lights_its_sentence_without_the_server(
    visit: Visits, server: PageServer, locale: str, question: str, document: str, sentence: str
) -> None:
    page = visit(server, locale)
    answer = ask(page, question)
    expect(answer).to_contain_text(sentence)
    inspect(page)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    answer.get_by_role("link", name="1", exact=True).click()
    assert lit(page) == sentence
    expect(page.locator("#sources .card.lit .document")).to_have_text(document)
    answer.get_by_role("link", name="2", exact=True).click()
    expect(page.locator("#sources mark.lit")).not_to_have_text(sentence)
    expect(page.locator("#sources .found").first).to_contain_text("words #1")
    assert sent == []


def test_the_page_speaks_the_browsers_language(visit: Visits, server: PageServer) -> None:
    chinese, english = visit(server, "zh-CN"), visit(server, "fr-FR")
    expect(chinese.get_by_role("tab", name="提问")).to_be_visible()
    expect(chinese.locator("#new")).to_have_text("新对话")
    expect(english.get_by_role("tab", name="Ask")).to_be_visible()


def test_an_older_answer_brings_its_evidence_back(visit: Visits, server: PageServer) -> None:
    page = visit(server)
    ask(page, CAFETERIA)
    ask(page, LEAVE)
    expect(page.locator("#sources .card.cited .document").first).to_have_text("年假.md")
    answers(page).first.click()
    expect(page.locator("#sources .card.cited .document").first).to_have_text("cafeteria.md")
    answers(page).last.click()
    expect(page.locator("#sources .card.cited .document").first).to_have_text("年假.md")
    answers(page).first.get_by_role("link", name="1", exact=True).click()
    assert lit(page) == OPENS


def test_a_document_opens_at_the_place(visit: Visits, server: PageServer) -> None:
    page = visit(server)
    ask(page, "What does a lost badge cost?")
    for key in ("Escape", ""):
        page.locator("#sources .cited .open").first.click()
        sheet = page.get_by_role("dialog", name="cafeteria.md")
        expect(sheet.locator("mark.quote")).to_have_text("A lost badge costs ten euros.")
        expect(sheet.locator("mark.quote")).to_be_in_viewport()
        expect(sheet.locator(".text")).to_contain_text("opens at eight")
        if key:
            page.keyboard.press(key)
        else:
            page.get_by_role("button", name=re.compile("^Close")).click()
        expect(page.locator(".overlay")).to_have_count(0)


def test_of_a_pdf_the_page_is_shown_as_a_picture(visit: Visits, server: PageServer) -> None:
    page = visit(server)
    ask(page, FIRE)
    page.locator("#sources .cited .open").first.click()
    expect(page.get_by_role("dialog").locator(".place")).to_have_text("p. 2 · Assembly point")
    picture = page.locator("img.scan")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 300
    expect(page.locator("mark.quote")).to_have_text(
        "The assembly point is the car park behind building seven."
    )


@pytest.mark.parametrize(("locale", "title"), [("en-US", "Sources:"), ("zh-CN", "来源:")])
def test_an_answer_is_copied_with_its_sources(
    visit: Visits, server: PageServer, locale: str, title: str
) -> None:
    page = visit(server, locale, permissions=["clipboard-read", "clipboard-write"])
    ask(page, FIRE)
    page.locator("#copy").click()
    text = page.evaluate(COPIED, title)
    assert text.startswith(f"**{FIRE}**\n\nThe assembly point")
    assert "1. fire.pdf · " in text
    assert "“The assembly point is the car park behind building seven.”" in text


def test_a_thumb_and_a_word_are_kept(visit: Visits, server: PageServer, house: House) -> None:
    page = visit(server)
    ask(page, RECEIPTS)
    page.get_by_role("button", name="Like", exact=True).last.click()
    comment = page.locator("#comment textarea")
    comment.fill("Short & right")
    comment.press("Enter")
    toast(page, "Thank you")
    expect(page.locator("#feedback")).to_be_hidden()
    with closing(house.catalog()) as catalog:
        feedback = tables.feedback
        query = select(tables.answers.c.question, feedback.c.good, feedback.c.comment).join(feedback)
        with catalog.engine.connect() as connection:
            kept = [tuple(row) for row in connection.execute(query)]
    assert kept == [(RECEIPTS, True, "Short & right")]


def test_a_new_chat_is_empty(visit: Visits, server: PageServer) -> None:
    page = visit(server)
    ask(page, CAFETERIA)
    box = page.locator("#question textarea")
    box.fill("Half a")
    page.locator("#new").click()
    expect(answers(page)).to_have_count(0)
    expect(page.locator("#sources .card")).to_have_count(0)
    expect(box).to_have_value("Half a")
    ask(page, LEAVE)
    expect(answers(page)).to_have_count(1)


def test_an_example_is_asked(visit: Visits, server: PageServer) -> None:
    page = visit(server, "zh-CN")
    example = (
        page.locator("#chat .example")
        .filter(has_text="年假")
        .or_(page.locator("#chat .example").filter(has_text="地铁"))
    )
    wording = example.first.inner_text().strip()
    example.first.click()
    expect(answers(page)).to_have_count(1)
    expect(page.locator('#chat [data-testid="user"]')).to_contain_text(wording)
    expect(page.locator("#sources .card").first).to_be_visible()


def test_another_engine_answers_when_chosen(visit: Visits, server: PageServer) -> None:
    page = visit(server)
    choose(page, "engine", "by_words")
    ask(page, CAFETERIA)
    expect(page.locator("#sources .found").first).to_have_text("words #1")

"""Answers that an LLM writes: as they come, stopped, broken off, refused; and how the inspector explains them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser import corpus
from tests.browser.conftest import Visits
from tests.browser.screen import answers, ask, begin, choose, inspect, rows, tab
from tests.support.page_server import PageServer, base, page_server
from tests.support.slow_llm import SlowLLM, slow_llm

QUESTION = "When does the cafeteria open?"
RIGHT = "The cafeteria opens at eight and closes at three [1]."

EDITED = """content => {
    const part = content.cmTile ?? content.cmView;
    return (part.view ?? part.root?.view ?? part.rootView.view).state.doc.toString();
}"""
"""The whole text of an editor."""


@dataclass
class Writing:
    server: PageServer
    fast: SlowLLM
    slow: SlowLLM
    dying: SlowLLM


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Writing]:
    root = tmp_path_factory.mktemp("writing")
    fast = SlowLLM(RIGHT, pause=0.005)
    slow = SlowLLM(RIGHT + " Lunch is served from noon [1]." * 400, pause=0.05)
    dying = SlowLLM(RIGHT + " Lunch is served from noon [1].", pause=0.02, dies_after=9)
    with slow_llm(fast), slow_llm(slow), slow_llm(dying):
        for name, llm in (("fast", fast), ("slow", slow), ("dying", dying)):
            _base(root, name, llm)
        with page_server(root / "configs", root / "log") as server:
            yield Writing(server, fast, slow, dying)


def _base(root: Path, name: str, llm: SlowLLM) -> None:
    settings = corpus.written(llm.url)
    engines = {
        **settings["query_engines"],
        "quoted": {"retriever": "words", "response": {"type": "extractive"}},
    }
    base(root, name, corpus.FILES, **{**settings, "query_engines": engines})


def test_an_answer_comes_word_by_word_and_is_stopped(visit: Visits, house: Writing) -> None:
    page = visit(house.server)
    choose(page, "base", "slow")
    house.slow.left.clear()
    begin(page, QUESTION)
    answer = answers(page).last
    expect(answer).to_contain_text("closes at three")
    expect(page.locator("#sources .card").first).to_be_visible()
    page.locator("#stop").click()
    expect(answer).to_contain_text("Stopped; this is not the whole answer.")
    expect(answer).to_contain_text("The cafeteria opens at eight")
    expect(page.locator("#stop")).to_be_hidden()
    expect(page.locator("#sources .card").first).to_be_visible()
    assert house.slow.left.wait(10), "the endpoint goes on writing for nobody"
    choose(page, "base", "fast")
    expect(ask(page, QUESTION)).to_contain_text("closes at three")
    expect(answer.page.locator('#chat [data-testid="bot"]').first).to_contain_text("Stopped")


def test_closing_the_tab_stops_the_endpoint(visit: Visits, house: Writing) -> None:
    page = visit(house.server)
    choose(page, "base", "slow")
    house.slow.left.clear()
    begin(page, QUESTION)
    expect(answers(page).last).to_contain_text("closes at three")
    page.close()
    assert house.slow.left.wait(10)


def test_a_new_chat_stops_what_is_written(visit: Visits, house: Writing) -> None:
    page = visit(house.server)
    choose(page, "base", "slow")
    house.slow.left.clear()
    begin(page, QUESTION)
    expect(answers(page).last).to_contain_text("closes at three")
    page.locator("#new").click()
    expect(answers(page)).to_have_count(0)
    assert house.slow.left.wait(10)
    expect(page.locator("#stop")).to_be_hidden()
    expect(answers(page)).to_have_count(0)


def test_an_endpoint_that_dies_leaves_what_it_wrote(visit: Visits, house: Writing) -> None:
    page = visit(house.server)
    choose(page, "base", "dying")
    answer = ask(page, QUESTION)
    expect(answer).to_contain_text("The cafeteria opens at eight and closes at three")
    expect(answer).to_contain_text("The answer could not be finished.")
    expect(page.locator("#sources .card").filter(has_text="cafeteria.md").first).to_be_visible()
    assert "Traceback" not in answer.inner_text()


def test_a_refusal_can_not_be_overlooked(visit: Visits, house: Writing) -> None:
    for locale, question, said in (
        ("en-US", "Zebras xylophone?", "Not in your documents."),
        ("zh-CN", "斑马？", "文档中没有答案。"),
    ):
        page = visit(house.server, locale)
        choose(page, "base", "fast")
        choose(page, "engine", "quoted")
        band = ask(page, question).locator("blockquote")
        expect(band).to_contain_text(said)
        assert band.evaluate("band => parseFloat(getComputedStyle(band).borderLeftWidth)") >= 3
        expect(page.locator("#sources .band")).to_be_visible()
        expect(page.locator("#sources .card")).to_have_count(0)


def test_the_inspector_tells_how_an_answer_came_about(visit: Visits, house: Writing) -> None:
    page = visit(house.server)
    choose(page, "base", "fast")
    expect(ask(page, QUESTION).get_by_role("link", name="1", exact=True)).to_be_visible()
    inspect(page)
    head = page.locator("#candidates thead")
    for name in ("meaning", "words", "matched words", "what became of it"):
        expect(head).to_contain_text(name)
    cited = rows(page, "candidates").filter(has_text="cafeteria.md").first
    expect(cited).to_contain_text("cited")
    expect(cited).to_contain_text("cafeteria")
    tab(page, "Time")
    expect(rows(page, "stages").filter(has_text="write")).to_be_visible()
    tab(page, "Prompt")
    shown = page.locator("#prompt .cm-content")
    expect(shown).to_contain_text("system")
    # The editor draws only the lines in view.
    text = str(shown.evaluate(EDITED))
    place = 0
    for message in house.fast.requests[-1]["messages"]:
        place = text.index(message["content"].strip(), place)


def test_the_inspector_says_why_not_another_document(visit: Visits, house: Writing) -> None:
    page = visit(house.server)
    choose(page, "base", "fast")
    choose(page, "engine", "quoted")
    ask(page, QUESTION)
    inspect(page)
    tab(page, "Why not this document?")
    choose(page, "wanted", "地铁.md")
    note = page.locator("#why-not .note")
    expect(note).to_contain_text("地铁.md")
    first = note.inner_text()
    choose(page, "wanted", "cafeteria.md")
    expect(note).not_to_have_text(first)
    expect(note).to_contain_text("cafeteria.md")


def test_the_inspector_asks_another_engine(visit: Visits, house: Writing) -> None:
    page = visit(house.server)
    choose(page, "base", "fast")
    ask(page, QUESTION)
    inspect(page)
    tab(page, "Another engine")
    choose(page, "other", "quoted")
    page.locator("#again").click()
    expect(page.locator("#left")).to_contain_text("answer")
    expect(page.locator("#right")).to_contain_text("quoted")
    expect(page.locator("#right")).to_contain_text("The cafeteria opens at eight and closes at three.")
    expect(answers(page)).to_have_count(1)

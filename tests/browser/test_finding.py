"""Where is looked, and with which words: filters, follow-ups, what was searched for; and what it costs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from tests.browser import corpus
from tests.browser.conftest import Visits
from tests.browser.screen import answers, ask, choose, inspect, rows, tab
from tests.support.chat_server import ChatServer, chat_server
from tests.support.page_server import PageServer, base, page_server

BADGE, LUNCH = "A lost badge costs ten euros [1].", "Lunch is served from noon [1]."


@dataclass
class Served:
    server: PageServer
    llm: ChatServer


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    root = tmp_path_factory.mktemp("finding")
    base(root, "house", {f"{name[:2]}/{name}": text for name, text in corpus.FILES.items()}, **corpus.REAL)
    with chat_server("") as llm:
        settings = corpus.written(llm.url, question=[{"type": "condense"}])
        settings["llm"]["price"] = {"input": 2, "output": 10}
        settings["query_engines"]["own"] = {
            "retriever": "both",
            "postprocessors": corpus.EVIDENCE,
            "response": {"type": "compact"},
            "policy": {"type": "fallback"},
        }
        base(root, "written", corpus.FILES, **settings)
        with page_server(root / "configs", root / "log") as server:
            yield Served(server, llm)


def only(page: Page, conditions: str) -> None:
    page.locator("#only input, #only textarea").fill(conditions)


def documents(page: Page) -> set[str]:
    return set(page.locator("#sources .document").all_inner_texts())


def test_it_looks_only_where_it_is_told_to(visit: Visits, served: Served) -> None:
    page = visit(served.server)
    ask(page, "What does a lost badge cost?")
    expect(page.locator("#sources .document").first).to_have_text("ca/cafeteria.md")
    only(page, "folder=tr, type=md")
    answer = ask(page, "What is paid for a hotel a night?")
    expect(answer).to_contain_text("120 euros")
    assert documents(page) == {"tr/travel.md"}
    inspect(page)
    assert {row.locator("td").nth(1).inner_text() for row in rows(page, "candidates").all()} == {
        "tr/travel.md"
    }


@pytest.mark.parametrize(
    ("locale", "question", "conditions", "said"),
    [
        (
            "en-US",
            "What does a lost badge cost?",
            "folder=hr",
            "no document matches the filter folder=hr; there is",
        ),
        ("zh-CN", "年假有几天？", "folder=hr", "没有文档符合筛选条件 folder=hr；现有："),
        ("zh-CN", "年假有几天？", "type=pdf，language=zh", "没有文档同时符合筛选条件 type=pdf, language=zh"),
        ("en-US", "年假有几天？", "colour=red", "没有筛选字段 'colour'（可用：document, folder"),
    ],
)
def test_a_filter_that_matches_nothing_lists_what_there_is(
    visit: Visits, served: Served, locale: str, question: str, conditions: str, said: str
) -> None:
    page = visit(served.server, locale)
    only(page, conditions)
    answer = ask(page, question)
    expect(answer).to_contain_text(said)
    if conditions == "folder=hr":
        expect(answer).to_contain_text("ca, fi, tr, 地铁, 年假")
    only(page, "")
    expect(ask(page, question).get_by_role("link").first).to_be_visible()


@pytest.mark.parametrize(
    ("locale", "first", "then", "cited"),
    [
        ("en-US", "When does the cafeteria open?", "And when does it close?", "cafeteria.md"),
        ("zh-CN", "年假有几天？", "那十年呢？", "年假.md"),
    ],
)
def test_a_second_question_refers_to_the_first(
    visit: Visits, served: Served, locale: str, first: str, then: str, cited: str
) -> None:
    page = visit(served.server, locale)
    searched = page.locator("#searched textarea, #searched input")
    ask(page, first)
    expect(searched).to_have_count(0)
    ask(page, then)
    expect(searched).to_have_value(f"{first}\n{then}")
    expect(page.locator("#sources .document").first).to_contain_text(cited)
    expect(page.locator("#sources .found").first).to_contain_text(
        "last answer #1" if locale == "en-US" else "上一个回答 #1"
    )
    page.locator("#new").click()
    expect(answers(page)).to_have_count(0)
    expect(searched).to_have_count(0)


def test_what_was_searched_for_is_shown_and_edited(visit: Visits, served: Served) -> None:
    page = visit(served.server)
    choose(page, "base", "written")
    searched = page.locator("#searched textarea, #searched input")
    served.llm.replies = [BADGE, "When is lunch served in the cafeteria?", LUNCH]
    expect(ask(page, "What does a lost badge cost?")).to_contain_text("ten euros")
    expect(searched).to_have_count(0)
    expect(ask(page, "And lunch?")).to_contain_text("from noon")
    expect(searched).to_have_value("When is lunch served in the cafeteria?")
    served.llm.replies = ["What does a badge cost that was lost?", BADGE]
    searched.fill("What does a badge cost?")
    searched.press("Enter")
    expect(answers(page)).to_have_count(3)
    expect(answers(page).last.get_by_role("link", name="1", exact=True)).to_be_visible()
    expect(page.locator("#chat")).to_contain_text("What does a badge cost?")
    expect(searched).to_have_value("What does a badge cost that was lost?")
    answers(page).first.click()
    expect(searched).to_have_count(0)


@pytest.mark.parametrize(
    ("locale", "question", "reply", "label"),
    [
        (
            "en-US",
            "Who wrote Zadig?",
            "Voltaire wrote *it*.",
            "Not in your documents; this is the model's own",
        ),
        ("zh-CN", "《红楼梦》是谁写的？", "曹雪芹写了*它*。", "文档中没有答案；以下内容来自模型自身的知识"),
    ],
)
def test_what_the_model_knows_itself_is_labelled(
    visit: Visits, served: Served, locale: str, question: str, reply: str, label: str
) -> None:
    page = visit(served.server, locale)
    choose(page, "base", "written")
    choose(page, "engine", "own")
    served.llm.replies = [reply]
    answer = ask(page, question)
    band = answer.locator("blockquote")
    expect(band).to_contain_text(label)
    assert band.evaluate("band => parseFloat(getComputedStyle(band).borderLeftWidth)") >= 3
    expect(answer).to_contain_text(reply)
    expect(answer.get_by_role("link")).to_have_count(0)
    expect(page.locator("#sources .band")).to_be_visible()
    expect(page.locator("#sources .card")).to_have_count(0)


def test_a_note_of_the_way_is_told_in_the_questions_language(visit: Visits, served: Served) -> None:
    page = visit(served.server)
    choose(page, "base", "written")
    served.llm.replies = ["工作满一年的员工每年有五天年假 [1]。", "", "病假超过三天需要医院证明 [1]。"]
    ask(page, "年假有几天？")
    ask(page, "病假超过三天需要什么？")
    inspect(page)
    expect(page.locator("#candidates .note")).to_have_text("condense：模型没有写出可独立理解的问题")


@pytest.mark.parametrize(
    ("locale", "usage", "money", "taken_in"),
    [("en-US", "Usage", "money", "ingestion"), ("zh-CN", "用量", "费用", "入库")],
)
def test_what_questions_cost(
    visit: Visits, served: Served, locale: str, usage: str, money: str, taken_in: str
) -> None:
    page = visit(served.server, locale)
    choose(page, "base", "written")
    served.llm.replies = [BADGE]
    ask(page, "What does a lost badge cost?")
    tab(page, usage)
    expect(page.locator("#usage thead")).to_contain_text(money)
    asked = rows(page, "usage").filter(has_text="answer")
    expect(asked).to_have_count(1)
    before = asked.locator("td").all_inner_texts()
    assert before[1:3] == ["answer", "m"]
    assert float(before[-1]) > 0 and int(before[4].replace(",", "")) > 50
    expect(rows(page, "usage").filter(has_text=taken_in)).to_have_count(1)
    tab(page, "Ask" if usage == "Usage" else "提问")
    ask(page, "When is lunch served?")
    tab(page, usage)
    expect(asked.locator("td").nth(3)).not_to_have_text(before[3])
    assert float(asked.locator("td").last.inner_text()) > float(before[-1])

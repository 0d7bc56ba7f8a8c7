"""Asking in a chat: its states, its bounds, the page's words for it, and the evidence beside it."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines.page import answers
from pipelines.page.answers import LONGEST, TURNS, Chat, Turn, ask
from pipelines.page.evidence import as_markdown, evidence
from pipelines.page.site import Entry
from pipelines.querying.answer import Answer
from pipelines.words import Language
from tests.support.chat_server import chat_server
from tests.support.house import House
from tests.support.stream_server import stream_server

LEAVE = "# Leave\n\nStaff get 15 days of annual leave a year. Leave is asked for two weeks ahead.\n"
PARTS = "# Parts\n\nThe value of argv[1] is the name of the part. Part R123-78 costs 12.50.\n"
QUESTION = "How many days of annual leave do staff get?"
WRITTEN = "Staff get 15 days of annual leave a year [1]."
LANGUAGES: tuple[Language, ...] = ("en", "zh")


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = House(tmp_path, {"embed_model": {"type": "local"}})
    house.write("leave.md", LEAVE)
    house.write("parts.md", PARTS)
    house.write("年假.md", "# 年假\n\n员工入职满一年可享受十五天年假。年假须提前两周申请。\n")
    house.ingest()
    return house


def with_llm(house: House, llm: dict[str, Any]) -> Entry:
    house.edit(llm=llm, query_engines={"answer": {"retriever": "both", "response": {"type": "compact"}}})
    return Entry(house.file)


def llm(url: str) -> dict[str, Any]:
    return {
        "type": "openai_like",
        "base_url": url,
        "model": "small",
        "api_key": "sk-very-secret",
        "retries": 0,
    }


def asked(entry: Entry, question: str, chat: Chat | None = None, language: Language = "en") -> Turn:
    *_, turn = ask(chat or Chat(), entry, question, "", language)
    entry.close()
    return turn


def joined(card: dict[str, Any]) -> str:
    return "".join(piece["text"] for piece in card["pieces"])


@pytest.mark.parametrize(
    ("question", "document", "quote"),
    [
        (QUESTION, "leave.md", "Staff get 15 days of annual leave a year."),
        ("员工可享受多少天年假？", "年假.md", "员工入职满一年可享受十五天年假。"),
    ],
)
def test_an_answer_with_its_evidence(house: House, question: str, document: str, quote: str) -> None:
    chat = Chat()
    turn = asked(Entry(house.file), question, chat)
    assert (turn.state, turn.error, chat.turn) == ("done", "", turn)
    shown = evidence(chat, "en")
    first = shown["cited"][0]
    assert (first["document"], first["label"][:3], first["id"]) == (document, "[1]", "1-1")
    assert {"text": quote, "ids": "1-1"} in first["pieces"]
    assert joined(first) == turn.answer.citations[0].passage if turn.answer else False
    assert f"{quote[:3]}" in answers.written(turn, "en") and "[1](#cite-1-1)" in answers.written(turn, "en")
    assert "meaning #1" in first["found"] or "words #1" in first["found"]
    assert {each["document"] for each in shown["read"]}.isdisjoint({document})


def test_an_llm_writes(house: House) -> None:
    with chat_server(WRITTEN) as server:
        entry = with_llm(house, llm(server.url))
        chat, drafts, states = Chat(), [], []
        for turn in ask(chat, entry, QUESTION, "", "en"):
            drafts.append(turn.draft)
            states.append(turn.state)
        entry.close()
    assert drafts[0] == ""
    assert drafts[-1] == WRITTEN
    assert len(set(drafts)) > 3
    assert states == ["asking"] * (len(states) - 1) + ["done"]
    assert "[1](#cite-1-1)" in answers.written(turn, "en")


def test_a_refusal_shows_no_passage(house: House) -> None:
    with chat_server("NO_ANSWER") as server:
        chat = Chat()
        turn = asked(with_llm(house, llm(server.url)), QUESTION, chat)
    assert turn.answer is not None
    assert turn.answer.outcome == "refused"
    for language in LANGUAGES:
        shown = evidence(chat, language)
        assert (shown["cited"], shown["read"]) == ([], [])
        assert shown["none"]
    assert turn.trace and (evidence(chat, "en")["notes"] is turn.trace.notes)
    assert "Not in your documents" in answers.written(turn, "en")
    assert "文档中没有答案" in answers.written(turn, "zh")


def test_an_endpoint_that_breaks_off_leaves_what_came_and_the_passages(house: House) -> None:
    with stream_server("Staff get ", "15 days", breaks=True) as server:
        chat = Chat()
        turn = asked(with_llm(house, server.llm()), QUESTION, chat)
    assert (turn.state, turn.draft, turn.answer) == ("failed", "Staff get 15 days", None)
    assert "slow" in turn.error
    assert "sk-very" not in turn.error
    assert evidence(chat, "en")["read"]
    assert evidence(chat, "en")["none"] == ""
    for language, words in (("en", "could not be finished"), ("zh", "回答未能完成")):
        written = answers.written(turn, language)  # type: ignore[arg-type]
        assert written.startswith("Staff get 15 days\n\n> **")
        assert words in written


def test_an_endpoint_that_refuses_leaves_the_passages(house: House) -> None:
    with chat_server("", status=401) as server:
        chat = Chat()
        turn = asked(with_llm(house, llm(server.url)), QUESTION, chat)
    assert (turn.state, turn.draft) == ("failed", "")
    assert "sk-very" not in turn.error
    assert evidence(chat, "en")["read"]


def test_stopping_keeps_what_came_and_stops_the_endpoint(house: House) -> None:
    with stream_server("Staff get 15 days of annual", " leave", waits=True) as server:
        entry = with_llm(house, server.llm())
        chat = Chat()
        steps = ask(chat, entry, QUESTION, "", "en")
        turn = next(each for each in steps if each.draft)
        steps.close()  # type: ignore[attr-defined]
        assert server.left.wait(5), "the endpoint went on writing"
        entry.close()
    assert turn.state == "stopped"
    assert "Stopped" in answers.written(turn, "en")
    assert "已停止" in answers.written(turn, "zh")
    assert evidence(chat, "en")["read"]


@pytest.mark.parametrize("question", ["", "   \n", "\x00\x07"])
def test_an_empty_question(house: House, question: str) -> None:
    chat = Chat()
    turn = asked(Entry(house.file), question, chat)
    assert (turn.state, turn.error) == ("failed", "the question is empty")
    assert evidence(chat, "en") == {"turn": 0, "cited": [], "read": [], "none": "", "notes": []}


def test_a_question_that_is_too_long(house: House) -> None:
    turn = asked(Entry(house.file), "年" * (LONGEST + 1), language="zh")
    assert (turn.state, turn.found) == ("failed", None)
    assert "100,001" in turn.error
    assert len(turn.question) < 3000


def test_a_long_question_is_answered_by_its_beginning(house: House) -> None:
    chat = Chat()
    turn = asked(Entry(house.file), f"{QUESTION} {'x' * (LONGEST - 100)}", chat)
    assert turn.state == "done"
    assert len(turn.question) == 2001
    assert turn.question.endswith("…")
    assert "first 2,000 characters" in answers.written(turn, "en")
    assert "前 2,000 个字符" in answers.written(turn, "zh")


def test_an_unknown_engine_and_a_lost_storage_are_said_in_the_turn(house: House) -> None:
    *_, turn = ask(Chat(), Entry(house.file), QUESTION, "none", "en")
    assert (turn.state, "'none'" in turn.error) == ("failed", True)
    house.edit(storage="elsewhere")
    assert "nothing is ingested yet" in asked(Entry(house.file), QUESTION).error


def test_a_chat_keeps_its_last_questions(house: House) -> None:
    entry, chat = Entry(house.file), Chat()
    for _ in range(TURNS + 20):
        for _turn in ask(chat, entry, "", "", "en"):
            pass
    assert [turn.number for turn in chat.turns] == list(range(21, TURNS + 21))
    assert chat.turn is chat.turns[-1]


def test_an_older_answer_brings_its_evidence_back(house: House) -> None:
    entry, chat = Entry(house.file), Chat()
    asked(entry, QUESTION, chat)
    asked(entry, "What does part R123-78 cost?", chat)
    assert evidence(chat, "en")["cited"][0]["id"] == "2-1"
    chat.shown = 0
    assert evidence(chat, "en")["cited"][0]["document"] == "leave.md"
    chat.shown = 7
    assert evidence(chat, "en")["cited"] == []


def test_beside_another_engine(house: House) -> None:
    turn = asked(Entry(house.file), QUESTION)
    assert answers.titled(turn, "en").startswith("**")
    assert " s\n\n" in answers.titled(turn, "en")
    assert answers.titled(Turn(1, "a", "b*c", "d"), "en") == "**b\\*c** · 0.00 s\n\n…"


def test_every_state_has_its_words_in_both_languages(house: House) -> None:
    turn = asked(Entry(house.file), QUESTION)
    states: tuple[Any, ...] = ("asking", "failed", "stopped")
    said = {
        (state, language): answers.written(replace(turn, state=state, answer=None, draft="x"), language)
        for state, language in itertools.product(states, LANGUAGES)
    }
    assert len(set(said.values())) == 5  # while it is written both are the text itself
    assert isinstance(turn.answer, Answer)


@pytest.mark.parametrize(
    ("question", "label"), [(QUESTION, "Not in your documents"), ("员工可享受多少天年假？", "文档中没有答案")]
)
def test_the_models_own_knowledge_stands_under_its_label(house: House, question: str, label: str) -> None:
    with chat_server("NO_ANSWER", "Own *words*.") as server:
        engine = {"retriever": "both", "response": {"type": "compact"}, "policy": {"type": "fallback"}}
        house.edit(llm=llm(server.url), query_engines={"answer": engine})
        chat = Chat()
        turn = asked(Entry(house.file), question, chat)
    assert turn.answer is not None and turn.answer.outcome == "from_model"
    band, _, text = answers.written(turn, "en").partition("\n\n")
    assert band.startswith("> **") and label in band
    assert text == r"Own \*words\*\."
    assert label in as_markdown(turn, "en")
    shown = evidence(chat, "en")
    assert (shown["cited"], shown["read"]) == ([], [])

"""Conversations: what is remembered, what a follow-up finds, and what stays refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import EndpointError
from pipelines.querying.answer import Answer
from pipelines.querying.chat import Memory, Session
from pipelines.querying.follow_up import LAST_TURN
from pipelines.querying.knowledge_base import KnowledgeBase
from pipelines.querying.trace import Trace
from pipelines.text.tokens import count_tokens
from tests.support.chat_server import chat_server
from tests.support.house import House
from tests.support.openai_server import OpenAIServer
from tests.support.stream_server import stream_server

TEXTS = {
    "lamp.md": "# Desk lamp L-200\n\nThe desk lamp L-200 is dimmable. The desk lamp L-200 costs 49 euros.\n",
    "请假.md": "# 请假\n\n公司有三种假。第一种是年假，每年十五天。第二种是病假，须提交医院证明。第三种是事假。\n",
    "报销.md": "# 差旅报销\n\n出差须由部门负责人批准。发票应在三十天内提交财务部。\n",
    "班车.md": "# 班车\n\n班车每天早上八点从东门出发。班车票价每次两元。\n",
    "食堂.md": "# 食堂\n\n食堂中午十一点半开门。晚饭在六点供应。\n",
    "cats.md": "# Cats\n\nCats sleep up to sixteen hours a day. They purr when they are content.\n",
    "parts.md": "# Prices\n\nPart R123-78 costs 12.50 euros. Part Q9 costs 0.40 euros.\n",
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    house = House(tmp_path_factory.mktemp("chat"), {"embed_model": {"type": "local"}})
    for name, text in TEXTS.items():
        house.write(name, text)
    house.ingest()
    return house


@pytest.fixture
def session(house: House) -> Iterator[Session]:
    settings = dict(house.settings)
    with KnowledgeBase(house.config) as base:
        yield Session(base)
    house.settings = settings
    house.edit()


def with_llm(house: House, url: str, response: str = "compact", **config: Any) -> KnowledgeBase:
    before = dict(house.settings)
    llm = {"type": "openai_like", "base_url": url, "model": "small", "retries": 0, "max_tokens": 60}
    house.edit(
        llm=llm, query_engines={"answer": {"retriever": "both", "response": {"type": response}}}, **config
    )
    config_now = house.config
    house.settings = before
    house.edit()
    return KnowledgeBase(config_now)


def said(question: str, text: str, engine: str = "answer") -> Answer:
    return Answer(question, "answered", text, (), (), engine, Trace(engine, "both", "en"))


@pytest.mark.parametrize(
    ("first", "second", "quote"),
    [
        (
            "Tell me about the desk lamp L-200",
            "and what does it cost?",
            "The desk lamp L-200 costs 49 euros.",
        ),
        ("公司有哪几种假？", "那第二种呢？", "第二种是病假，须提交医院证明。"),
    ],
)
def test_a_follow_up_finds_what_it_is_about(session: Session, first: str, second: str, quote: str) -> None:
    cited = {each.node for each in session.ask(first).citations}
    answer = session.ask(second)
    assert answer.outcome == "answered"
    assert quote in [each.quote for each in answer.citations]
    assert (answer.question, answer.trace.rewritten) == (second, f"{first}\n{second}")
    pooled = {each.node for each in answer.trace.candidates if LAST_TURN in each.by}
    assert pooled == cited


def test_the_last_turns_evidence_stays_in_the_pool_of_any_question(session: Session) -> None:
    first = session.ask("How long do cats sleep?")
    answer = session.ask("What does part R123-78 cost?")
    assert answer.trace.rewritten == ""
    (recalled,) = (each for each in answer.trace.candidates if LAST_TURN in each.by)
    assert recalled.node == first.citations[0].node
    assert recalled.by[LAST_TURN]["rank"] == 1.0
    assert answer.citations[0].document == "parts.md"
    session.clear()
    again = session.ask("What does part R123-78 cost?")
    assert not any(LAST_TURN in each.by for each in again.trace.candidates)
    assert again.text == answer.text


def test_strict_on_turn_five(session: Session) -> None:
    for question in (
        "Tell me about the desk lamp L-200",
        "and what does it cost?",
        "公司有哪几种假？",
        "那第二种呢？",
    ):
        assert session.ask(question).outcome == "answered"
    for question in (
        "那法国总统是谁？",
        "and who is the president of France?",
        "Who won the 1998 world cup?",
    ):
        answer = session.ask(question)
        assert (answer.outcome, answer.citations, answer.sentences) == ("refused", (), ())


def test_evidence_that_is_gone_is_left_out(tmp_path: Path) -> None:
    house = House(tmp_path, {"embed_model": {"type": "local"}})
    house.write("lamp.md", TEXTS["lamp.md"])
    cats = house.write("cats.md", TEXTS["cats.md"])
    house.ingest()
    with KnowledgeBase(house.config) as base:
        session = Session(base)
        assert session.ask("How long do cats sleep?").citations[0].document == "cats.md"
        cats.unlink()
        house.ingest(allow_vanish=True)
        answer = session.ask("What does the desk lamp L-200 cost?")
    assert {each.document for each in answer.trace.candidates} == {"lamp.md"}


def test_a_model_writes_in_a_chat(house: House) -> None:
    replies = ["The lamp is dimmable [1].", "The desk lamp L-200 costs 49 euros [1].", "NO_ANSWER"]
    with chat_server(*replies) as server, with_llm(house, server.url) as base:
        session = Session(base)
        session.ask("Tell me about the desk lamp L-200")
        assert session.ask("and what does it cost?").text == "The desk lamp L-200 costs 49 euros. [1]"
        assert "Tell me about the desk lamp L-200\nand what does it cost?" in server.prompt()
        refused = session.ask("and is it blue?")
    assert (refused.outcome, refused.citations) == ("refused", ())


def test_an_answer_that_breaks_off_is_not_remembered(house: House) -> None:
    with stream_server("The lamp ", "is", breaks=True) as server, with_llm(house, server.url) as base:
        session = Session(base)
        with pytest.raises(EndpointError):
            session.ask("Tell me about the desk lamp L-200")
    assert (len(session.memory), session.last) == (0, None)


@pytest.mark.parametrize(
    ("first", "second"),
    [("Tell me about the desk lamp L-200", "and what does it cost?"), ("公司有哪几种假？", "那第二种呢？")],
)
def test_a_chat_with_a_real_small_model(
    house: House, openai_chat: OpenAIServer, first: str, second: str
) -> None:
    with with_llm(house, openai_chat.url) as base:
        session = Session(base)
        answers = [session.ask(first), session.ask(second)]
    for answer in answers:
        assert answer.outcome in ("answered", "refused")
        assert bool(answer.citations) == (answer.outcome == "answered")
    assert first in answers[1].trace.prompt[-1]["content"]


def test_memory_keeps_the_newest_under_a_budget() -> None:
    memory = Memory()
    for number in range(60):
        memory.add(said(f"Question {number}?", "word " * 50 + "[1]"))
    assert len(memory) == 50
    history = memory.history("answer", 300)
    assert [each.question for each in history] == [f"Question {number}?" for number in range(55, 60)]
    assert sum(count_tokens(each.question + each.answer) for each in history) <= 300
    assert "[1]" not in history[0].answer
    (cut,) = memory.history("answer", 20)
    assert 0 < count_tokens(cut.answer) < 20
    assert memory.history("answer", 0) == ()


def test_what_another_engine_cited_is_not_in_the_pool(session: Session) -> None:
    session.ask("How long do cats sleep?")
    (own,), (other,) = (session.memory.history(name, 500) for name in ("answer", "other"))
    assert own.nodes and not other.nodes
    assert own.question == other.question

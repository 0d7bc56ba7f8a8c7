"""Questions that a model writes: whatever it replies, only what the passage holds gets through."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.catalog.usage import sums
from pipelines.evaluation.making.make import Order, make
from pipelines.evaluation.making.with_llm import (
    NEEDS_PASSAGE,
    NO_FORM,
    NO_QUOTE,
    OTHER_LANGUAGE,
    parsed,
    place,
)
from pipelines.evaluation.questions import Question
from tests.evaluation.making.samples import library
from tests.support.chat_server import chat_server
from tests.support.cli import searchask
from tests.support.house import House

WHOLE = {
    "question": "Who hands out badges?",
    "answer": "the front desk",
    "quote": "Badges are issued by the front desk.",
}


@pytest.mark.parametrize(
    "said",
    [
        json.dumps(WHOLE),
        "Sure! Here is the JSON:\n```json\n" + json.dumps(WHOLE) + "\n```\nHope this helps.",
        "<think>Is {this} a good question? Question: no</think>" + json.dumps(WHOLE),
        "I think about it.</think>\n" + json.dumps(WHOLE),
        "**Question:** Who hands out badges?\n**Answer:** the front desk\n"
        "**Quote:** Badges are issued by the front desk.",
        json.dumps({"问题": WHOLE["question"], "答案": WHOLE["answer"], "引文": WHOLE["quote"]}),
        json.dumps({**WHOLE, "answer": [WHOLE["answer"]]}),
    ],
)
def test_replies_of_use(said: str) -> None:
    assert parsed(said) == WHOLE


@pytest.mark.parametrize(
    "said",
    [
        "",
        "   \n",
        "I am sorry, I can't do that.",
        "Who hands out badges?",
        '{"question": "Who hands out badges?"',
        '{"question": "", "answer": "x", "quote": "y"}',
        '{"question": "…", "answer": "…", "quote": "…"}',
        '{"question": "who?", "answer": null, "quote": "y"}',
        '{"question": {"a": 1}, "answer": "x", "quote": "y"}',
        "[1, 2, 3]",
        "<think>" + json.dumps(WHOLE),
        json.dumps({**WHOLE, "question": "who " * 500}),
        "{" * 5000,
    ],
)
def test_replies_of_no_use(said: str) -> None:
    assert parsed(said) is None


@pytest.mark.parametrize(
    ("quote", "found"),
    [
        ("Badges are issued.", "Badges are issued."),
        ('"badges  ARE issued"', "Badges are issued."),
        ("报销单,由经理审批", "报销单，由经理\n审批。"),
        ("ＡＢＣ-１２", "ABC-12"),
        ("Badges were issued.", None),
        ("", None),
        ("。", None),
    ],
)
def test_a_quote_is_found_exactly_or_else_loosely(quote: str, found: str | None) -> None:
    text = "First. Badges are issued. 报销单，由经理\n审批。 ABC-12 ends"
    span = place(quote, text)
    assert (text[slice(*span)] if span else None) == found


def house(root: Path, url: str, **settings: object) -> House:
    llm = {
        "type": "openai_like",
        "model": "m",
        "base_url": url,
        "price": {"input": 1, "output": 10},
        "retries": 0,
    }
    return library(root, llm=llm, **settings)


def test_a_set_through_a_chat_endpoint(tmp_path: Path) -> None:
    chinese = {
        "question": "报销单由哪个角色批准？",
        "answer": "部门经理",
        "quote": "报销单须由部门经理审批。",
    }
    replies = [json.dumps(WHOLE), json.dumps(chinese), "no idea"]
    with chat_server(*replies * 10) as server:
        base = house(tmp_path, server.url)
        out = tmp_path / "q.jsonl"
        said = searchask("questions", "make", base.file, "--count", 2, "--out", out, "--unanswerable", 0)
        assert said.code in (0, 1)
        rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
        prompts = ["\n".join(each["content"] for each in request["messages"]) for request in server.requests]
    assert {row["question"] for row in rows} <= {WHOLE["question"], chinese["question"]}
    assert rows
    for row in rows:
        assert row["made"] == "llm"
        (evidence,) = row["evidence"]
        assert evidence["quote"] in (WHOLE["quote"], chinese["quote"])
    assert any("你在为一个检索系统编写测试问题" in prompt for prompt in prompts)
    assert any("You write test questions" in prompt for prompt in prompts)
    assert all("<passage " in prompt for prompt in prompts)
    assert f"{len(prompts)} calls of the model" in said.out
    assert "paid" in said.out
    catalog = base.catalog()
    calls = [row.calls for row in sums(catalog.engine, 1) if row.model == "m"]
    catalog.close()
    assert sum(calls) == len(prompts)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("Certainly! This is a lovely passage.", NO_FORM),
        (json.dumps({**WHOLE, "quote": "Badges grow on trees."}), NO_QUOTE),
        (json.dumps({**WHOLE, "question": "What does the passage say about badges?"}), NEEDS_PASSAGE),
        (json.dumps({**WHOLE, "question": "谁来发放证件？"}), OTHER_LANGUAGE),
    ],
)
def test_what_is_of_no_use_is_counted_and_ends(tmp_path: Path, said: str, why: str) -> None:
    with chat_server(said) as server:
        made = make(house(tmp_path, server.url).config, Order(5, language="en", unanswerable=0))
        assert len(server.requests) < 40
    assert made.questions == []
    assert made.dropped[why] > 0
    assert made.why


def test_a_limit_stops_it_and_keeps_what_was_made(tmp_path: Path) -> None:
    kept: list[list[Question]] = []
    with chat_server(json.dumps(WHOLE)) as server:
        base = house(tmp_path, server.url, limits={"per_day": {"tokens": 900}})
        made = make(base.config, Order(50, unanswerable=0), keep=kept.append)
        assert 0 < len(server.requests) < 6
    assert any("limits.per_day.tokens" in line for line in made.why)
    assert [len(each) for each in kept] == list(range(1, len(kept) + 1))


def test_an_endpoint_that_is_down_is_told_and_ends(tmp_path: Path) -> None:
    with chat_server("x", status=500) as server:
        base = house(
            tmp_path, server.url, node_parser={"type": "sentence", "chunk_size": 64, "chunk_overlap": 8}
        )
        made = make(base.config, Order(50))
    assert made.questions == []
    assert made.why
    assert made.dropped["the model's endpoint failed"] > 0


def test_unanswerable_ones_need_a_clear_no(tmp_path: Path) -> None:
    for reply, count in (("NO", 2), ("Yes, they do.", 0), ("I can't tell", 0)):
        with chat_server(reply) as server:
            base = house(tmp_path / reply[:2], server.url)
            made = make(base.config, Order(2, language="en", unanswerable=1))
        assert len(made.questions) == count
        assert all(not each.answerable for each in made.questions)


def test_no_llm_asks_no_model(tmp_path: Path) -> None:
    with chat_server("x") as server:
        made = make(house(tmp_path, server.url).config, Order(5, llm=False))
        assert server.requests == []
    assert len(made.questions) == 5
    assert made.spent == ""

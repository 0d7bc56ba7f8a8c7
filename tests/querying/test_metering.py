"""The ledger of questions and ingestions, its sums, and the limits that stop before a call is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from pipelines.catalog import usage
from pipelines.catalog.tables import usage as ledger
from pipelines.catalog.usage import Use
from pipelines.errors import ConfigError, EndpointError, LimitReached, Refused
from pipelines.page.chunk_map import project
from pipelines.querying.knowledge_base import KnowledgeBase
from pipelines.querying.why_not import why_not
from pipelines.text.tokens import count_tokens
from tests.support.chat_server import chat_server
from tests.support.cli import refused, searchask
from tests.support.house import House
from tests.support.openai_server import OpenAIServer

QUESTION = "When does the cafeteria open?"
REPLY = "The cafeteria opens at eight [1]."


def llm(url: str, **more: Any) -> dict[str, Any]:
    return {"type": "openai_like", "model": "small", "base_url": url, "retries": 0, **more}


def filled(folder: Path, **settings: Any) -> House:
    house = House(folder, settings)
    house.fill(3)
    house.ingest()
    return house


def test_each_question_is_written_to_the_ledger(tmp_path: Path) -> None:
    with chat_server("cafeteria hours", REPLY) as server:
        house = filled(tmp_path, llm=llm(server.url, price={"input": 2, "output": 10}))
        engine = {"retriever": "both", "question": [{"type": "keywords"}], "response": {"type": "compact"}}
        house.edit(query_engines={"worded": engine})
        with KnowledgeBase(house.config) as base:
            answer = base.ask(QUESTION)
        said = searchask("usage", house.file, "--json").json
    sent = sum(call.tokens_in for call in answer.trace.calls)
    got = sum(call.tokens_out for call in answer.trace.calls)
    assert said["days"] == 30
    embedded, asked = sorted(said["rows"], key=lambda row: row["kind"])
    assert embedded["model"] == "fake"
    assert (embedded["kind"], embedded["money"], embedded["tokens_out"]) == ("ingestion", 0.0, 0)
    assert asked == {
        "day": usage.today(),
        "kind": "question",
        "engine": "worded",
        "model": "small",
        "calls": 2,
        "tokens_in": sent,
        "tokens_out": got,
        "money": pytest.approx((2 * sent + 10 * got) / 1e6, abs=1e-6),
    }
    assert said["total"]["calls"] == 2 + embedded["calls"]
    assert "total" in searchask("usage", house.file).out


def test_a_call_that_failed_is_written_too(tmp_path: Path) -> None:
    with chat_server("", status=500) as server:
        house = filled(tmp_path, llm=llm(server.url))
        with KnowledgeBase(house.config) as base:
            with pytest.raises(EndpointError):
                base.ask(QUESTION)
            rows = usage.sums(base.index.catalog.engine, 1)
    assert [(row.kind, row.calls, row.money) for row in rows if row.kind == "question"] == [
        ("question", 1, None)
    ]


def test_only_the_last_days_are_summed(tmp_path: Path) -> None:
    house = filled(tmp_path)
    catalog = house.catalog()
    old = Use("question", "answer", "m", "answer", 1, 10, 5, None)
    usage.record(catalog.engine, [old])
    with catalog.engine.begin() as connection:
        row = {"at": 0.0, "day": "2001-01-01", "kind": "question", "engine": "answer", "model": "m"}
        counts = {"purpose": "answer", "calls": 7, "tokens_in": 1, "tokens_out": 1}
        connection.execute(insert(ledger), {**row, **counts})
    catalog.close()
    rows = searchask("usage", house.file, "--days", "1", "--json").json["rows"]
    assert [row["calls"] for row in rows if row["model"] == "m"] == [1]
    refused(searchask("usage", house.file, "--days", "0"), "at least 1")


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (
            {"per_question": {"tokens": 50}},
            "limits.per_question.tokens: 50 are allowed, 0 are spent by this question",
        ),
        ({"per_question": {"money": 0.0001}}, "limits.per_question.money: 0.0001 is allowed"),
        ({"per_day": {"tokens": 20}}, "limits.per_day.tokens: 20 are allowed, 0 are spent today"),
    ],
)
def test_a_question_is_stopped_before_it_is_sent(tmp_path: Path, limits: dict[str, Any], said: str) -> None:
    with chat_server(REPLY) as server:
        priced = llm(server.url, price={"input": 3, "output": 3})
        house = filled(tmp_path, llm=priced, limits=limits)
        with KnowledgeBase(house.config) as base, pytest.raises(LimitReached, match=said) as caught:
            base.ask(QUESTION)
        assert "it was not sent" in str(caught.value)
        assert server.requests == []


def test_the_day_counts_what_other_questions_took(tmp_path: Path) -> None:
    with chat_server(REPLY) as server:
        house = filled(tmp_path, llm=llm(server.url))
        with KnowledgeBase(house.config) as base:
            taken = sum(call.tokens_in + call.tokens_out for call in base.ask(QUESTION).trace.calls)
        house.edit(limits={"per_day": {"tokens": taken + 10}})
        refused(searchask("ask", house.file, QUESTION), f"{taken:,} are spent today", "it was not sent")
        assert len(server.requests) == 1


def test_a_free_model_has_no_limit(tmp_path: Path) -> None:
    with chat_server(REPLY) as server:
        free = llm(server.url, price={"input": 0, "output": 0})
        house = filled(
            tmp_path, llm=free, limits={"per_question": {"tokens": 1}, "per_ingestion": {"tokens": 1}}
        )
        with KnowledgeBase(house.config) as base:
            assert base.ask(QUESTION).outcome == "answered"


def remote(server: OpenAIServer) -> dict[str, Any]:
    return {
        "type": "openai_like",
        "model": "m",
        "base_url": server.url,
        "price": 1.0,
        "batch_size": 1,
        "concurrency": 1,
    }


def test_an_ingestion_is_refused_by_its_estimate(tmp_path: Path, openai_server: OpenAIServer) -> None:
    house = House(
        tmp_path, {"embed_model": remote(openai_server), "limits": {"per_ingestion": {"tokens": 100}}}
    )
    house.fill(5)
    with pytest.raises(
        Refused, match=r"limits.per_ingestion: 100 tokens are left, and about \d+ would be embedded"
    ):
        house.ingest()
    assert openai_server.requests == []


def test_an_ingestion_stops_where_it_gets_to_a_limit(tmp_path: Path, openai_server: OpenAIServer) -> None:
    def dense(folder: Path) -> House:
        house = House(folder, {"embed_model": remote(openai_server)})
        for number in range(6):
            house.write(f"{number}.txt", " ".join(f"{number}{each} ! ?" for each in range(30)))
        return house

    measured = dense(tmp_path / "a")
    estimate = measured.plan().tokens
    taken = measured.ingest().spent.tokens
    assert estimate < taken  # else the plan would be refused, and nothing begun
    house = dense(tmp_path / "b")
    house.edit(limits={"per_ingestion": {"tokens": (estimate + taken) // 2}})
    summary = house.ingest()
    assert summary.outcome == "failed"
    assert "limits.per_ingestion:" in summary.error
    assert summary.spent.tokens <= (estimate + taken) // 2
    assert 0 < summary.done < 6
    assert house.agrees()
    assert house.ingest().outcome == "done"  # the rest is below the limit of the next run


def test_a_day_counts_ingestions(tmp_path: Path, openai_server: OpenAIServer) -> None:
    house = House(tmp_path, {"embed_model": remote(openai_server)})
    house.fill(3)
    taken = house.ingest().spent.tokens
    house.edit(limits={"per_day": {"tokens": taken + 20}})
    house.fill(3, "two")
    with pytest.raises(Refused, match=r"limits.per_day: 20 tokens are left"):
        house.ingest()


def test_money_needs_a_price(tmp_path: Path) -> None:
    house = House(tmp_path, {"llm": llm("http://127.0.0.1:9/v1"), "limits": {"per_day": {"money": 1}}})
    with pytest.raises(
        ConfigError, match=r"limits.per_day.money: money can't be counted: `llm` gives no `price`"
    ):
        _ = house.config


def test_question_embeddings_of_a_remote_model_are_counted(
    tmp_path: Path, openai_server: OpenAIServer
) -> None:
    house = filled(tmp_path, embed_model=remote(openai_server))
    with KnowledgeBase(house.config) as base:
        answer = base.ask(QUESTION)
        assert answer.trace.embedded > 0
        rows = usage.sums(base.index.catalog.engine, 1)
    (asked,) = [row for row in rows if row.kind == "question"]
    assert (asked.model, asked.tokens_in) == ("m", answer.trace.embedded)


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"per_question": {"tokens": 2}}, r"limits.per_question.tokens: 2 are allowed, 0 are spent by this"),
        ({"per_question": {"money": 0.000001}}, r"limits.per_question.money: 1e-06 is allowed"),
        ({"per_day": {"tokens": 2}}, r"limits.per_day.tokens: 2 are allowed"),
    ],
)
def test_a_question_is_stopped_before_it_is_embedded(
    tmp_path: Path, openai_server: OpenAIServer, limits: dict[str, Any], said: str
) -> None:
    house = filled(tmp_path, embed_model=remote(openai_server))
    sent = len(openai_server.requests)
    house.edit(limits=limits)
    with KnowledgeBase(house.config) as base:
        for attempt in (base.ask, base.retrieve, lambda asked: why_not(base, asked, "doc001.md")):
            with pytest.raises(LimitReached, match=said) as caught:
                attempt(QUESTION)
            assert "it was not sent" in str(caught.value)
        with pytest.raises(LimitReached, match=said):
            project(base, QUESTION, language="en")
        assert len(openai_server.requests) == sent
        assert [row for row in usage.sums(base.index.catalog.engine, 1) if row.kind == "question"] == []


def test_a_question_counts_what_is_embedded_together_with_what_is_prompted(
    tmp_path: Path, openai_server: OpenAIServer
) -> None:
    with chat_server(REPLY) as server:
        engine = {"retriever": "both", "postprocessors": [], "response": {"type": "compact"}}
        house = filled(
            tmp_path,
            embed_model=remote(openai_server),
            llm=llm(server.url),
            query_engines={"answer": engine},
        )
        # Long, so that the tags of a prompt, which take a few tokens more or less, do not matter.
        question = f"{QUESTION} {'I would like to know that today. ' * 40}"
        with KnowledgeBase(house.config) as base:
            trace = base.ask(question).trace
        written = sum(call.tokens_out for call in trace.calls)
        before = count_tokens(question.strip())
        assert before > 200
        house.edit(limits={"per_question": {"tokens": trace.calls[0].tokens_in + before - 100}})
        with (
            KnowledgeBase(house.config) as base,
            pytest.raises(LimitReached, match=rf" {before} are spent by this question"),
        ):
            base.ask(question)
        assert (len(server.requests), written > 0) == (1, True)


@pytest.mark.parametrize(
    "parts",
    [
        {"query_engines": {"e": {"retriever": "meaning", "postprocessors": [{"type": "compress"}]}}},
        {
            "retrievers": {
                "meaning": {"type": "vector"},
                "words": {"type": "keyword"},
                "either": {
                    "type": "router",
                    "of": {"meaning": "questions about what is said", "words": "codes and part numbers"},
                },
            },
            "query_engines": {"e": {"retriever": "either", "response": {"type": "extractive"}}},
        },
        {
            "query_engines": {
                "e": {
                    "retriever": "meaning",
                    "question": [{"type": "hyde"}],
                    "response": {"type": "extractive"},
                }
            }
        },
    ],
    ids=["compress", "router", "hyde"],
)
def test_passages_that_are_embedded_for_a_question_count(
    tmp_path: Path, openai_server: OpenAIServer, parts: dict[str, Any]
) -> None:
    with chat_server("The cafeteria opens at eight in the morning and closes at noon.") as server:
        free = llm(server.url, price={"input": 0, "output": 0})
        house = filled(tmp_path, embed_model=remote(openai_server), llm=free, **parts)
        with KnowledgeBase(house.config) as base:
            before = len(openai_server.requests)
            trace = base.retrieve(QUESTION).trace
            texts = [text for request in openai_server.requests[before:] for text in request.texts]
            assert len(texts) > 1
            assert trace.embedded == sum(map(count_tokens, texts))
            (row,) = [
                row for row in usage.sums(base.index.catalog.engine, 1) if row.model == "m" and row.engine
            ]
            assert (row.engine, row.tokens_in) == ("e", trace.embedded)
        # Room for the question, and not for what else would be embedded.
        house.edit(limits={"per_question": {"tokens": trace.embedded - 1}})
        with KnowledgeBase(house.config) as base:
            before = len(openai_server.requests)
            with pytest.raises(LimitReached, match="it was not sent"):
                base.retrieve(QUESTION)
            assert len(openai_server.requests) - before < len(texts)


def test_money_for_questions_needs_the_price_of_the_embed_model(
    tmp_path: Path, openai_server: OpenAIServer
) -> None:
    unpriced = {key: value for key, value in remote(openai_server).items() if key != "price"}
    house = House(tmp_path, {"embed_model": unpriced, "limits": {"per_question": {"money": 1}}})
    with pytest.raises(
        ConfigError, match=r"limits.per_question.money: money can't be counted: `embed_model` gives no"
    ):
        _ = house.config

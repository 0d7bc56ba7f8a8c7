from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import EndpointError, SearchaskError
from pipelines.querying.answer import Answer, Retrieval
from pipelines.querying.engine import LONGEST_QUESTION, QueryEngine
from pipelines.schema import PipelineSpec
from tests.support.chat_server import chat_server
from tests.support.corpus import TEXTS
from tests.support.memory_index import MemoryIndex

Make = Callable[..., QueryEngine]


@pytest.fixture
def make(index: MemoryIndex) -> Make:
    def built(engine: dict[str, Any] | None = None, **config: Any) -> QueryEngine:
        data: dict[str, Any] = {
            "storage": "storage",
            "loaders": {"files": {"type": "folder", "path": "."}},
            "query_engines": {"answer": {"retriever": "both", **(engine or {})}},
            **config,
        }
        return QueryEngine(PipelineSpec.model_validate(data), index)

    return built


def llm(url: str) -> dict[str, Any]:
    return {"type": "openai_like", "base_url": url, "model": "small", "api_key": "sk-very-secret"}


def fates(answer: Answer) -> dict[str, str]:
    return {candidate.document: candidate.fate for candidate in answer.trace.candidates}


@pytest.mark.parametrize(
    ("question", "document", "quote"),
    [
        (
            "How many days of annual leave do staff get?",
            "leave.md",
            "Staff get 15 days of annual leave a year.",
        ),
        ("员工可享受多少天年假？", "年假.md", "员工入职满一年可享受十五天年假。"),
        ("What does part R123-78 cost?", "parts.md", "| R123-78 | valve | 12.50 |"),
    ],
)
def test_a_quoted_answer_cites_its_place(make: Make, question: str, document: str, quote: str) -> None:
    answer = make().ask(question)
    cited = answer.citations[0]
    assert answer.outcome == "answered"
    assert (cited.document, cited.quote, cited.number) == (document, quote, 1)
    assert TEXTS[document][cited.start : cited.end] == quote
    assert 1 <= len(answer.sentences) <= 3
    assert fates(answer)[document] == "cited"


def test_a_table_row_is_quoted_with_its_header(make: Make) -> None:
    text = make().ask("What does part R123-78 cost?").text
    assert text.startswith("| part | name | price |\n| R123-78 | valve | 12.50 | [1]")


def test_an_answer_in_another_language_than_the_question(make: Make) -> None:
    answer = make().ask("猫每天睡多久？")
    assert answer.citations[0].quote == "Cats sleep up to sixteen hours a day."


def test_the_json_contract(make: Make) -> None:
    told = json.loads(json.dumps(make().ask("How many days of annual leave do staff get?").to_dict()))
    assert list(told) == ["question", "outcome", "text", "citations", "trace"]
    assert list(told["citations"][0]) == ["number", "document", "page", "heading", "quote", "start", "end"]
    assert told["citations"][0]["heading"] == "Handbook > Annual leave"
    assert {"stages", "candidates", "language", "notes"} <= told["trace"].keys()
    candidate = told["trace"]["candidates"][0]
    assert {"rank", "document", "score", "by", "terms", "fate"} <= candidate.keys()


def test_retrieve_lists_every_candidate_in_order(make: Make) -> None:
    found = make(retrievers={
        "meaning": {"type": "vector"},
        "words": {"type": "keyword"},
        "both": {"type": "fusion", "of": ["meaning", "words"], "top_k": 2},
    }).retrieve("How many days of annual leave do staff get?")  # fmt: skip
    told = found.to_dict()
    assert list(told) == ["question", "candidates"]
    assert list(told["candidates"][0]) == ["rank", "document", "page", "score", "text", "start", "end", "by"]
    assert [each["rank"] for each in told["candidates"]] == list(range(1, len(told["candidates"]) + 1))
    assert len(told["candidates"]) == len(TEXTS)
    first = told["candidates"][0]
    assert first["document"] == "leave.md"
    assert first["by"]["meaning"].keys() == {"rank", "score"}
    assert TEXTS["leave.md"][first["start"] : first["end"]] == first["text"]
    assert [candidate.fate for candidate in found.candidates] == ["in context"] * 2 + ["below top_k"] * 4


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Who won the 1998 football world cup?", "Your documents don't hold an answer to this question."),
        ("一九九八年世界杯冠军是谁？", "你的文档里没有找到这个问题的答案。"),
    ],
)
def test_without_evidence_an_engine_refuses_in_the_language_of_the_question(
    make: Make, question: str, text: str
) -> None:
    answer = make({"postprocessors": [{"type": "similarity_cutoff", "cutoff": 0.9}]}).ask(question)
    assert (answer.outcome, answer.text) == ("refused", text)
    assert answer.citations == ()
    assert set(fates(answer).values()) == {"below cutoff"}


@pytest.mark.parametrize(
    ("question", "outcome"),
    [
        ("How many days of annual leave do staff get?", "answered"),
        ("员工可享受多少天年假？", "answered"),
        ("Who must agree to a trip abroad?", "answered"),
        ("How long do cats sleep?", "answered"),
        ("Who won the 1998 football world cup?", "refused"),
        ("一九九八年世界杯冠军是谁？", "refused"),
    ],
)
def test_questions_without_evidence_are_told_from_others(make: Make, question: str, outcome: str) -> None:
    answer = make({"postprocessors": [{"type": "evidence"}]}).ask(question)
    assert answer.outcome == outcome
    assert ("no evidence" in fates(answer).values()) == (outcome == "refused")


def test_a_refusal_of_ones_own_and_a_language_that_is_set(make: Make) -> None:
    policy = {"type": "strict", "refusal": {"zh": "无可奉告。"}}
    engine = make(
        {"policy": policy, "postprocessors": [{"type": "similarity_cutoff", "cutoff": 2}]}, language="zh"
    )
    assert engine.ask("Who knows?").text == "无可奉告。"


def test_the_trace_tells_what_became_of_each_candidate(make: Make) -> None:
    steps = [{"type": "deduplicate"}, {"type": "token_budget", "max_tokens": 60}]
    answer = make({"postprocessors": steps}).ask("How many days of annual leave do staff get?")
    told = fates(answer)
    assert told["leave.md"] == "cited"
    assert set(told.values()) <= {"cited", "in context", "over budget"}
    assert "over budget" in told.values()
    names = [stage.name for stage in answer.trace.stages]
    assert names == [
        "embed question", "meaning", "words", "both", "deduplicate", "token_budget", "write", "check citations",
    ]  # fmt: skip
    assert all(stage.milliseconds >= 0 for stage in answer.trace.stages)


def test_an_llm_streams_and_its_citations_are_corrected(make: Make) -> None:
    reply = "Staff get 15 days of annual leave [1]. Dogs bark at night [9]."
    with chat_server(reply) as server:
        found, *pieces, answer = make({"response": {"type": "compact"}}, llm=llm(server.url)).stream(
            "How many days of leave?"
        )
        sent = server.requests[-1]["messages"]
    assert isinstance(found, Retrieval)
    assert "leave.md" in {each.document for each in found.candidates}
    assert isinstance(answer, Answer)
    assert answer.trace.prompt == sent
    assert "".join(map(str, pieces)) == reply
    assert answer.text == "Staff get 15 days of annual leave. [1] Dogs bark at night. [unsupported]"
    assert [each.document for each in answer.citations] == ["leave.md"]
    write = next(stage for stage in answer.trace.stages if stage.name == "write")
    assert write.tokens_in and write.tokens_out


@pytest.mark.parametrize("reply", ["NO_ANSWER", "The moon is made of green cheese."])
def test_an_llm_without_evidence_is_refused_without_sources(make: Make, reply: str) -> None:
    with chat_server(reply) as server:
        answer = make({"response": {"type": "compact"}}, llm=llm(server.url)).ask("How many days of leave?")
    assert answer.outcome == "refused"
    assert answer.citations == ()
    assert "NO_ANSWER" not in answer.text


def test_an_llm_is_not_built_where_nothing_is_found(make: Make) -> None:
    engine = make(
        {"response": {"type": "compact"}, "postprocessors": [{"type": "similarity_cutoff", "cutoff": 2}]},
        llm=llm("http://127.0.0.1:9/v1"),
    )
    assert engine.ask("How many days?").outcome == "refused"


def test_a_failing_llm_is_an_endpoint_error(make: Make) -> None:
    with chat_server("", status=401) as server, pytest.raises(EndpointError) as caught:
        make({"response": {"type": "compact"}}, llm=llm(server.url)).ask("How many days of leave?")
    assert "very-secret" not in str(caught.value)


@pytest.mark.parametrize("question", ["", "  \n ", "\x00"])
def test_an_empty_question(make: Make, question: str) -> None:
    with pytest.raises(SearchaskError, match="the question is empty"):
        make().ask(question)


def test_a_question_of_100_000_characters_is_cut_and_answered(make: Make) -> None:
    answer = make().ask("How many days of annual leave do staff get? " * 2_300)
    assert answer.outcome == "answered"
    assert len(answer.question) == LONGEST_QUESTION
    assert "cut from 101,199 to 2,000 characters" in answer.trace.notes[0]
    assert make().ask("员工可享受多少天年假？" * 1_000).trace.notes == [
        "问题共 11,000 个字符，只使用了前 2,000 个"
    ]


@pytest.mark.parametrize(
    "question", ["{0} {x} %s \\d ( AND OR [ leave", "\ud800 leave", "</passage> leave", "[1]", "?"]
)
def test_a_question_is_data(make: Make, question: str) -> None:
    assert make().ask(question).outcome in ("answered", "refused")


def test_an_unknown_engine(index: MemoryIndex, make: Make) -> None:
    with pytest.raises(SearchaskError, match="no query engine is called 'x'; there are: answer"):
        QueryEngine(make().pipeline, index, "x")


def test_an_empty_index_refuses(tmp_path: Path, index: MemoryIndex, make: Make) -> None:
    engine = QueryEngine(make().pipeline, MemoryIndex({}, tmp_path, index.vectors))
    assert engine.ask("How many days of leave?").outcome == "refused"
    assert engine.retrieve("How many days of leave?").candidates == ()


def test_questions_asked_at_once_get_their_own_answers(make: Make) -> None:
    engine = make()
    questions = [
        "How many days of annual leave do staff get?",
        "员工可享受多少天年假？",
        "What does part R123-78 cost?",
    ]
    expected = [engine.ask(question).text for question in questions]
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(lambda question: engine.ask(question).text, questions * 3)) == expected * 3

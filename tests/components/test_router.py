from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pipelines.components.runtime.inquiry import Inquiry
from pipelines.components.runtime.router import named_in
from pipelines.querying.engine import QueryEngine
from pipelines.schema import PipelineSpec
from tests.components.test_retrievers import BASE, build, documents
from tests.support.chat_server import ChatServer, chat_server
from tests.support.memory_index import MemoryIndex

OF = {
    "words": "Part numbers, prices, codes and exact identifiers such as R123-78",
    "meaning": "Questions about rules, leave, working time and people, in whole sentences",
}
ROUTER: dict[str, Any] = {"type": "router", "of": OF}


def test_it_goes_by_meaning(index: MemoryIndex) -> None:
    for question, chosen in [
        ("Price of part number R123-78", "words"),
        ("How many days of leave do people get?", "meaning"),
        ("员工可以休多少天年假？", "meaning"),
    ]:
        inquiry = Inquiry(query_str=question)
        hits = build(index, router=ROUTER)["router"].retrieve(inquiry)
        assert inquiry.notes == [f"router: {chosen!r} was chosen"]
        assert set(inquiry.found) == {chosen, "router"}
        assert all(hit.node.metadata["by"].keys() == {chosen, "router"} for hit in hits)


def test_the_descriptions_are_embedded_once(index: MemoryIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    router = build(index, router=ROUTER)["router"]
    router.retrieve("annual leave")
    monkeypatch.setattr(index, "embed_passages", None)
    assert router.retrieve("annual leave days")


def test_it_works_inside_a_fusion(index: MemoryIndex) -> None:
    built = build(index, router=ROUTER, mix={"type": "fusion", "of": ["router", "meaning"]})
    hits = built["mix"].retrieve("What does part R123-78 cost?")
    assert "parts.md" in documents(hits)


@pytest.mark.parametrize(
    ("said", "chosen"),
    [
        ("2", "words"),
        ("I would choose 2.", "words"),
        ("**meaning**", "meaning"),
        ("<think>1 or 2? 1.</think>\n2", "words"),
        ('{"choice": 1}', "meaning"),
        ("2. words: exact identifiers", "words"),
        ("7", ""),
        ("", ""),
        ("meaning or words", ""),
        ("Leave is fifteen days.", ""),
        ("<think>2 2 2", ""),
        ("x" * 100_000, ""),
    ],
)
def test_what_a_reply_means(said: str, chosen: str) -> None:
    assert named_in(said, ["meaning", "words"]) == chosen


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with chat_server("1") as served:
        yield served


def engine(index: MemoryIndex, server: ChatServer) -> QueryEngine:
    spec = {
        "storage": "storage",
        "loaders": {"files": {"type": "folder", "path": "."}},
        "llm": {"type": "openai_like", "base_url": server.url, "model": "small", "api_key": "k"},
        "retrievers": {**BASE, "router": {**ROUTER, "by": "llm"}},
        "query_engines": {"answer": {"retriever": "router", "response": {"type": "extractive"}}},
    }
    return QueryEngine(PipelineSpec.model_validate(spec), index)


@pytest.mark.parametrize(
    ("question", "note"),
    [
        ("How many days of annual leave do staff get?", "router: 'words' was chosen"),
        ("员工可享受多少天年假？", "router：选择了 'words'"),
    ],
)
def test_the_model_chooses(index: MemoryIndex, server: ChatServer, question: str, note: str) -> None:
    trace = engine(index, server).ask(question).trace
    assert note in trace.notes
    assert [call.purpose for call in trace.calls] == ["route"]
    assert OF["meaning"] in server.prompt()
    assert question in server.prompt()
    assert ("编号" in server.prompt()) == (question[0] == "员")


def test_a_model_that_says_nothing_of_use(index: MemoryIndex, server: ChatServer) -> None:
    server.replies = ["I am not sure what you mean."]
    trace = engine(index, server).ask("How many days of leave do people get?").trace
    assert trace.notes[:2] == [
        "router: the model chose none, so it goes by meaning",
        "router: 'meaning' was chosen",
    ]

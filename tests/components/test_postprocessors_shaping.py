"""Postprocessors that choose, order, cut or widen passages: over a real index, each span checked against its text."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
from pydantic import TypeAdapter

from pipelines.components.postprocessors import Postprocessor
from pipelines.components.runtime.inquiry import Inquiry
from pipelines.documents import Document
from pipelines.models.counted import CountedLLM
from pipelines.querying.engine import QueryEngine
from pipelines.querying.index import OpenIndex
from pipelines.querying.knowledge_base import KnowledgeBase
from pipelines.schema import PipelineSpec
from tests.support.chat_server import chat_server
from tests.support.corpus import TEXTS
from tests.support.house import House
from tests.support.memory_index import MemoryIndex, Vectors

LEAVE = "How many days of annual leave do staff get?"
DAY = 86_400 * 10**9

LONG = "\n\n".join(
    f"## Section {number}\n\nThis part is about {topic}. It says that {topic} cost {number} euros a month. "
    f"Whoever wants {topic} asks the office in room {100 + number}."
    for number, topic in enumerate(
        ["bicycles", "parking", "lockers", "badges", "lunches", "phones", "desks"], 1
    )
)
OTHER = "# 食堂\n\n食堂早上八点开门。午饭十二点开始。晚饭六点结束。"


@pytest.fixture(scope="module")
def long_index(tmp_path_factory: pytest.TempPathFactory) -> MemoryIndex:
    documents = {
        "long.md": Document(text=LONG, format="markdown", markdown=True),
        "食堂.md": Document(text=OTHER, format="markdown", markdown=True),
    }
    return MemoryIndex(documents, tmp_path_factory.mktemp("long"), Vectors(), chunk_size=48, overlap=0)


def built(spec: dict[str, Any], index: Any) -> BaseNodePostprocessor:
    checked: Any = TypeAdapter[Postprocessor](Postprocessor).validate_python(spec)
    made: BaseNodePostprocessor = checked.build(index=index)
    return made


def found(index: MemoryIndex, question: str, top_k: int = 6) -> list[NodeWithScore]:
    hits = index.nearest(index.embed_question(question), top_k)
    for hit in hits:
        hit.node = hit.node.model_copy(
            update={"metadata": {**hit.node.metadata, "cosine": hit.score, "share": 0.2}}
        )
    return hits


def exact(hit: NodeWithScore, texts: dict[str, str]) -> bool:
    node: Any = hit.node
    return texts[node.metadata["document"]][node.start_char_idx : node.end_char_idx] == node.text


def asked(url: str, question: str) -> Inquiry:
    from pipelines.models.llm import made

    args = {"model": "small", "api_base": url, "api_key": "k", "is_chat_model": True, "max_retries": 0}
    return Inquiry(
        query_str=question,
        llm=CountedLLM(made("llama_index.llms.openai_like.OpenAILike", {**args, "context_window": 8_000})),
    )


@pytest.mark.parametrize(
    ("count", "order"),
    [(0, []), (1, [0]), (2, [0, 1]), (3, [0, 2, 1]), (6, [0, 2, 4, 5, 3, 1])],
)
def test_reorder_puts_the_best_at_both_ends(count: int, order: list[int]) -> None:
    hits = [NodeWithScore(node=TextNode(id_=str(at), text="x")) for at in range(count)]
    after = built({"type": "reorder"}, None).postprocess_nodes(hits, query_bundle=Inquiry(query_str="?"))
    assert [int(hit.node.node_id) for hit in after] == order


def test_mmr_takes_what_is_new_before_what_is_said_again(tmp_path: Path) -> None:
    texts = {
        "a.md": "Staff get 15 days of annual leave a year.",
        "b.md": "Staff get 15 days of annual leave each year.",
        "c.md": "Leave is booked two weeks ahead with the manager.",
    }
    index = MemoryIndex(
        {path: Document(text=text, format="text") for path, text in texts.items()}, tmp_path, Vectors()
    )
    hits = found(index, LEAVE)
    assert {hit.node.metadata["document"] for hit in hits[:2]} == {"a.md", "b.md"}
    question = Inquiry(query_str=LEAVE)

    def chosen(hits: list[NodeWithScore], **fields: Any) -> list[str]:
        made = built({"type": "mmr", **fields}, index)
        return [hit.node.metadata["document"] for hit in made.postprocess_nodes(hits, query_bundle=question)]

    first = hits[0].node.metadata["document"]
    assert chosen(hits, top_n=2) == [first, "c.md"]
    assert chosen(hits, top_n=2, relevance=1) == [hit.node.metadata["document"] for hit in hits[:2]]
    assert len(chosen(hits)) == 3
    plain = [NodeWithScore(node=index.nodes[hit.node.node_id], score=0.1) for hit in hits]  # no cosine noted
    assert chosen(plain, top_n=2) == [first, "c.md"]
    stranger = NodeWithScore(node=TextNode(text="from elsewhere", metadata={"document": "x"}), score=1)
    assert len(chosen([*hits, stranger])) == 4
    assert chosen([]) == []


def test_recency_prefers_the_newer_of_two_alike() -> None:
    now = time.time_ns()

    def hit(name: str, score: float, days: float | None) -> NodeWithScore:
        metadata = {"cosine": score} if days is None else {"modified": now - int(days * DAY), "cosine": score}
        return NodeWithScore(node=TextNode(id_=name, text=name, metadata=metadata), score=score)

    hits = [hit("old", 0.82, 4_000), hit("undated", 0.81, None), hit("new", 0.80, 1), hit("ahead", 0.5, -9)]
    made = built({"type": "recency"}, None)
    after = made.postprocess_nodes(hits, query_bundle=Inquiry(query_str="?"))
    assert [each.node.node_id for each in after] == ["new", "undated", "old", "ahead"]
    scores = {each.node.node_id: each.score for each in after}
    assert scores["ahead"] == 0.5
    assert scores["undated"] == pytest.approx(0.81 * 0.9)
    assert scores["old"] == pytest.approx(0.82 * 0.8, abs=1e-3)
    assert after[0].node.metadata["cosine"] == 0.80
    half = built({"type": "recency", "half_life_days": 10, "weight": 1}, None)
    (faded,) = half.postprocess_nodes([hit("x", 0.8, 20)], query_bundle=Inquiry(query_str="?"))
    assert faded.score == pytest.approx(0.2, abs=1e-3)


def test_neighbours_widen_a_passage_word_for_word(long_index: MemoryIndex) -> None:
    (hit,) = found(long_index, "What do badges cost?", 1)
    order = hit.node.metadata["order"]
    made = built({"type": "neighbours"}, long_index)
    (wide,) = made.postprocess_nodes([hit], query_bundle=Inquiry(query_str="?"))
    assert exact(wide, {"long.md": LONG})
    parts = [
        node.text for node in long_index.nodes.values()
        if node.metadata["document"] == "long.md" and abs(node.metadata["order"] - order) <= 1
    ]  # fmt: skip
    assert len(parts) == 3
    assert all(part in wide.node.get_content() for part in parts)
    assert wide.node.get_content().startswith(parts[0])
    assert wide.node.get_content().endswith(parts[-1])
    assert wide.node.node_id == hit.node.node_id
    assert wide.node.metadata["cosine"] == hit.node.metadata["cosine"]
    assert wide.node.metadata["order"] == order - 1
    assert wide.score == hit.score


def test_neighbours_that_touch_become_one_at_the_best_place(long_index: MemoryIndex) -> None:
    ordered = [node for node in long_index.nodes.values() if node.metadata["document"] == "long.md"]
    canteen = next(node for node in long_index.nodes.values() if node.metadata["document"] == "食堂.md")
    hits = [
        NodeWithScore(node=ordered[4], score=0.9),
        NodeWithScore(node=canteen, score=0.8),
        NodeWithScore(node=ordered[2], score=0.7),
        NodeWithScore(node=ordered[6], score=0.6),
    ]
    made = built({"type": "neighbours", "before": 1, "after": 1}, long_index)
    after = made.postprocess_nodes(hits, query_bundle=Inquiry(query_str="?"))
    assert [hit.node.node_id for hit in after] == [ordered[4].node_id, canteen.node_id]
    assert all(exact(hit, {"long.md": LONG, "食堂.md": OTHER}) for hit in after)
    text = after[0].node.get_content()
    assert text.startswith(ordered[1].text)
    assert all(node.text in text for node in ordered[1:8])
    assert after[0].node.metadata["heading"] == ordered[1].metadata["heading"]


def test_neighbours_of_what_has_no_place_or_is_gone_change_nothing(long_index: MemoryIndex) -> None:
    gone = NodeWithScore(node=TextNode(id_="gone", text="gone"), score=1)
    made = built({"type": "neighbours"}, long_index)
    assert made.postprocess_nodes([gone], query_bundle=Inquiry(query_str="?")) == [gone]
    assert made.postprocess_nodes([], query_bundle=Inquiry(query_str="?")) == []


@pytest.mark.parametrize("question", [LEAVE, "员工可享受多少天年假？", "What does part R123-78 cost?"])
def test_compress_keeps_what_answers_and_every_span_exact(index: MemoryIndex, question: str) -> None:
    hits = found(index, question)
    after = built({"type": "compress", "keep": 0.3}, index).postprocess_nodes(
        hits, query_bundle=Inquiry(query_str=question)
    )
    assert 0 < len(after) <= len(hits)
    assert all(exact(hit, TEXTS) for hit in after)
    before = {hit.node.node_id: hit for hit in hits}
    assert (
        sum(len(hit.node.get_content()) for hit in after)
        < sum(len(hit.node.get_content()) for hit in hits) / 2
    )
    for hit in after:
        assert hit.score == before[hit.node.node_id].score
        assert hit.node.metadata["share"] == 0.2
        assert hit.node.metadata["cosine"] == before[hit.node.node_id].node.metadata["cosine"]
    expected = {LEAVE: "15 days", "员工可享受多少天年假？": "十五天", "What does part R123-78 cost?": "12.50"}
    assert any(expected[question] in hit.node.get_content() for hit in after)


def test_a_row_keeps_its_header_and_a_sentence_its_heading(index: MemoryIndex) -> None:
    question = "What does part R123-78 cost?"
    hits = found(index, question, 1)
    (row,) = built({"type": "compress", "keep": 0.1}, index).postprocess_nodes(
        hits, query_bundle=Inquiry(query_str=question)
    )
    assert row.node.get_content() == "| R123-78 | valve | 12.50 |"
    assert row.node.metadata["table_header"] == "| part | name | price |"
    (leave,) = built({"type": "compress", "keep": 0.1}, index).postprocess_nodes(
        found(index, LEAVE, 1), query_bundle=Inquiry(query_str=LEAVE)
    )
    assert leave.node.metadata["heading"] == "Handbook > Annual leave"


@pytest.mark.parametrize("count", [0, 1])
def test_compress_of_next_to_nothing(index: MemoryIndex, count: int) -> None:
    hits = [NodeWithScore(node=TextNode(text="One sentence."), score=1)][:count]
    assert built({"type": "compress"}, index).postprocess_nodes(hits, query_bundle=QueryBundle("?")) == hits


def test_compress_leaves_what_is_too_much_to_compare(index: MemoryIndex) -> None:
    text = " ".join(f"Number {n} is a sentence." for n in range(90))
    hits = [NodeWithScore(node=TextNode(id_=str(n), text=text), score=1) for n in range(3)]
    after = built({"type": "compress"}, index).postprocess_nodes(hits, query_bundle=QueryBundle("number 3?"))
    assert [len(hit.node.get_content()) == len(text) for hit in after][-2:] == [True, True]


PASSAGES = [
    "Cats purr. Staff get 15 days. Leave is booked ahead. Cats sleep.",
    "Bolts cost 0.40. Nuts cost 0.10.",
]


@pytest.mark.parametrize(
    ("replies", "expected"),
    [
        (["2, 3", "NONE"], ["Staff get 15 days. Leave is booked ahead."]),
        (["2 and 4", "1"], ["Staff get 15 days. Leave is booked ahead. Cats sleep.", "Bolts cost 0.40."]),
        (["I like them all!", "2"], [PASSAGES[0], "Nuts cost 0.10."]),
        (["1-4", "[1, 2]"], PASSAGES),
        (["none", "无"], []),
        (["", "99"], PASSAGES),
    ],
)
def test_compress_by_llm(replies: list[str], expected: list[str]) -> None:
    hits = [
        NodeWithScore(
            node=TextNode(id_=str(at), text=text, start_char_idx=100, end_char_idx=100 + len(text)), score=1
        )
        for at, text in enumerate(PASSAGES)
    ]
    with chat_server(*replies) as server:
        inquiry = asked(server.url, LEAVE)
        after = built({"type": "compress_llm"}, None).postprocess_nodes(hits, query_bundle=inquiry)
        assert "2. Staff get 15 days." in server.requests[0]["messages"][1]["content"]
    assert [hit.node.get_content() for hit in after] == expected
    for hit in after:
        node: Any = hit.node
        assert PASSAGES[int(node.node_id)][node.start_char_idx - 100 : node.end_char_idx - 100] == node.text
    assert bool(inquiry.notes) == any(reply in ("", "99", "I like them all!") for reply in replies)
    assert inquiry.llm is not None
    assert {call.purpose for call in inquiry.llm.calls} == {"compress_llm"}


def test_compress_by_an_llm_that_fails_leaves_the_passages() -> None:
    hits = [NodeWithScore(node=TextNode(text=text), score=1) for text in PASSAGES]
    with chat_server("", status=500) as server:
        inquiry = asked(server.url, LEAVE)
        assert built({"type": "compress_llm"}, None).postprocess_nodes(hits, query_bundle=inquiry) == hits
        assert len(server.requests) == 1
    assert inquiry.notes


@pytest.fixture
def engine(index: MemoryIndex) -> Callable[..., QueryEngine]:
    def made(*steps: dict[str, Any], index: MemoryIndex = index, **config: Any) -> QueryEngine:
        data: dict[str, Any] = {
            "storage": "storage",
            "loaders": {"files": {"type": "folder", "path": "."}},
            "query_engines": {
                "answer": {"retriever": "both", "postprocessors": steps, "response": {"type": "extractive"}}
            },
            **config,
        }
        return QueryEngine(PipelineSpec.model_validate(data), index)

    return made


@pytest.mark.parametrize(
    ("step", "fate"),
    [
        ({"type": "compress", "keep": 0.2}, "no sentence bears on it"),
        ({"type": "mmr", "top_n": 3}, "too similar"),
        ({"type": "reorder"}, ""),
        ({"type": "recency"}, ""),
        ({"type": "neighbours"}, ""),
    ],
)
@pytest.mark.parametrize("gate_first", [True, False])
@pytest.mark.parametrize("question", [LEAVE, "Who won the 1998 football world cup?"])
def test_each_with_the_evidence_gate_before_and_behind(
    engine: Callable[..., QueryEngine], step: dict[str, Any], fate: str, gate_first: bool, question: str
) -> None:
    steps = [{"type": "evidence"}, step] if gate_first else [step, {"type": "evidence"}]
    answer = engine(*steps).ask(question)
    fates = {each.fate for each in answer.trace.candidates}
    if question != LEAVE:
        assert answer.outcome == "refused"
        assert "no evidence" in fates
        return
    assert answer.outcome == "answered"
    assert answer.citations[0].quote == "Staff get 15 days of annual leave a year."
    cited = answer.citations[0]
    assert TEXTS["leave.md"][cited.start : cited.end] == cited.quote
    assert cited.heading == "Handbook > Annual leave"
    assert not fate or fate in fates
    assert step["type"] in [stage.name for stage in answer.trace.stages]


def test_neighbours_end_to_end(engine: Callable[..., QueryEngine], long_index: MemoryIndex) -> None:
    answer = engine({"type": "neighbours"}, index=long_index).ask("What do badges cost a month?")
    assert {each.fate for each in answer.trace.candidates} >= {"cited", "merged"}
    cited = answer.citations[0]
    assert LONG[cited.start : cited.end] == cited.quote
    assert "badges cost 4 euros" in answer.text
    assert cited.heading == "Section 4"


def test_compress_by_llm_end_to_end(engine: Callable[..., QueryEngine]) -> None:
    with chat_server("1") as server:
        llm = {"type": "openai_like", "base_url": server.url, "model": "small"}
        answer = engine({"type": "compress_llm"}, llm=llm).ask(LEAVE)
    assert answer.outcome == "answered"
    cited = answer.citations[0]
    assert TEXTS["leave.md"][cited.start : cited.end] == cited.quote


def test_over_an_index_on_disk(tmp_path: Path) -> None:
    house = House(
        tmp_path,
        {"node_parser": {"type": "sentence", "chunk_size": 48, "chunk_overlap": 0}},
    )
    house.write("long.md", LONG)
    house.write("食堂.md", OTHER)
    house.ingest()
    texts = {"long.md": LONG, "食堂.md": OTHER}
    index = OpenIndex(house.config)
    hits = index.matching("What do badges cost?", 3)
    ids = [hit.node.node_id for hit in hits]
    assert all(abs(hit.node.metadata["modified"] - time.time_ns()) < DAY for hit in hits)
    assert index.vectors_of([*ids, "gone"]).keys() == set(ids)
    near = index.neighbours([ids[0], "gone"], 1, 2)
    orders = [node.metadata["order"] for node in near[ids[0]]]
    own = hits[0].node.metadata["order"]
    assert list(near) == [ids[0]]
    assert orders == [own - 1, own, own + 1, own + 2]
    document = hits[0].node.metadata["document_id"]
    assert index.text_between(document, 3, 30) == LONG[3:30]
    assert index.text_between(10**9, 3, 30) is None
    one, other = index.embed_passages(["badges", "lunch"])
    assert len(one) == len(other) == len(index.embed_question("badges"))
    question = Inquiry(query_str="What do badges cost?")
    for spec in (
        {"type": "neighbours"},
        {"type": "compress"},
        {"type": "mmr", "top_n": 2},
        {"type": "recency"},
    ):
        after = built(spec, index).postprocess_nodes(hits, query_bundle=question)
        assert after
        assert all(exact(hit, texts) for hit in after)
    index.close()


def test_over_a_knowledge_base_with_all_of_them(tmp_path: Path) -> None:
    steps = ["mmr", "recency", "neighbours", "compress", "reorder"]
    house = House(
        tmp_path,
        {
            "node_parser": {"type": "sentence", "chunk_size": 48, "chunk_overlap": 0},
            "query_engines": {
                "answer": {"retriever": "both", "postprocessors": [{"type": step} for step in steps]}
            },
        },
    )
    house.write("long.md", LONG)
    house.ingest()
    with KnowledgeBase(house.config) as base:
        answer = base.ask("What do badges cost a month?")
        cited = answer.citations[0]
        assert LONG[cited.start : cited.end] == cited.quote
        assert [stage.name for stage in answer.trace.stages if stage.name in steps] == steps

from __future__ import annotations

import pytest
from llama_index.core.schema import NodeWithScore, TextNode

from pipelines.components.responses import Draft, ExtractiveResponse, Manner
from pipelines.components.runtime.inquiry import Inquiry
from pipelines.components.runtime.pieces import pieces_of
from tests.support.memory_index import MemoryIndex


def node(text: str, document: str = "a.md", **metadata: str) -> NodeWithScore:
    return NodeWithScore(node=TextNode(text=text, metadata={"document": document, **metadata}), score=1.0)


def quoted(
    index: MemoryIndex, question: str, *nodes: NodeWithScore, language: str = "en", most: int = 3
) -> list[str]:
    responder = ExtractiveResponse(type="extractive", max_sentences=most).build(index=index, manner=Manner())
    (draft,) = responder.respond(Inquiry(query_str=question, language=language), nodes)
    assert isinstance(draft, Draft)
    return [nodes[quote.node].node.get_content()[quote.start : quote.end] for quote in draft.quotes]


def test_the_sentence_with_the_rare_words_comes_first(index: MemoryIndex) -> None:
    text = "Trips are tiring. The daily allowance is 40 euros. Receipts are kept for ten years."
    assert (
        quoted(index, "How high is the daily allowance?", node(text))[0] == "The daily allowance is 40 euros."
    )


def test_no_more_sentences_than_allowed(index: MemoryIndex) -> None:
    text = " ".join(f"Cats sleep in room {number}." for number in range(9))
    assert len(quoted(index, "Where do cats sleep?", node(text))) == 3
    assert len(quoted(index, "Where do cats sleep?", node(text), most=1)) == 1


def test_headings_and_titles_tell_what_is_below_and_are_not_quoted(index: MemoryIndex) -> None:
    text = "# Opening hours\n\nFrom eight to five.\n\n# Fees\n\nTen euros a month."
    assert quoted(index, "What are the opening hours?", node(text))[0] == "From eight to five."
    assert "Opening hours" not in quoted(
        index, "What are the opening hours?", node("Opening hours\n\nFrom eight to five.")
    )


def test_the_same_sentence_is_quoted_once(index: MemoryIndex) -> None:
    text = "The daily allowance is 40 euros."
    assert quoted(index, "What is the daily allowance?", node(text), node(text, "b.md")) == [text]


def test_what_announces_is_quoted_with_what_follows(index: MemoryIndex) -> None:
    text = "To clean the valve run this command:\n\n```\nvalve --clean\n```\n"
    assert quoted(index, "How do I clean the valve?", node(text))[0].endswith("valve --clean")


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("| name | days |\n| --- | --- |\n| Ann | 3 |\n| Bob | 4 |", ""),
        ("| Ann | 3 |\n| Bob | 4 |", "| name | days |"),
    ],
)
def test_a_row_is_a_sentence_under_its_header(text: str, header: str) -> None:
    pieces = pieces_of(0, node(text, table_header=header))
    assert [(piece.text, piece.lead) for piece in pieces] == [
        ("| Ann | 3 |", "| name | days |"),
        ("| Bob | 4 |", "| name | days |"),
    ]


def test_across_languages_meaning_decides(index: MemoryIndex) -> None:
    text = "Cats purr when they are content. Cats sleep up to sixteen hours a day. They like fish."
    assert quoted(index, "猫每天睡多少小时？", node(text), language="zh", most=1) == [
        "Cats sleep up to sixteen hours a day."
    ]


def test_without_a_shared_word_meaning_decides(index: MemoryIndex) -> None:
    text = "The canteen serves soup. Paid holiday amounts to fifteen days. Badges are blue."
    assert quoted(index, "vacation entitlement", node(text), most=1) == [
        "Paid holiday amounts to fifteen days."
    ]


def test_passages_without_sentences_are_no_answer(index: MemoryIndex) -> None:
    responder = ExtractiveResponse(type="extractive").build(index=index, manner=Manner())
    (draft,) = responder.respond(Inquiry(query_str="leave?", language="en"), [node("# Leave\n\n---\n")])
    assert isinstance(draft, Draft)
    assert draft.refused

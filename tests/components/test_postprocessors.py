from __future__ import annotations

import pytest
from llama_index.core.schema import NodeWithScore, TextNode
from pydantic import TypeAdapter

from pipelines.components.postprocessors import Postprocessor
from pipelines.components.runtime.inquiry import Inquiry
from pipelines.errors import SearchaskError


def nodes(*texts: str) -> list[NodeWithScore]:
    return [
        NodeWithScore(node=TextNode(id_=str(place), text=text), score=1 - place / 10)
        for place, text in enumerate(texts)
    ]


def kept(spec: dict[str, object], found: list[NodeWithScore]) -> list[str]:
    built = TypeAdapter[Postprocessor](Postprocessor).validate_python(spec).build(index=None)  # type: ignore[arg-type]
    return [hit.node.node_id for hit in built.postprocess_nodes(found, query_str="?")]


def test_cutoff_drops_low_scores() -> None:
    assert kept({"type": "similarity_cutoff", "cutoff": 0.85}, nodes("a", "b", "c")) == ["0", "1"]


def test_budget_keeps_the_best_that_fit() -> None:
    found = nodes("one two three", "four five six seven eight nine ten", "eleven")
    assert kept({"type": "token_budget", "max_tokens": 6}, found) == ["0", "2"]


def test_budget_keeps_the_best_passage_whatever_its_size() -> None:
    assert kept({"type": "token_budget", "max_tokens": 2}, nodes("one two three four", "five")) == ["0"]


def test_deduplicate_keeps_the_best_ranked_of_equal_and_nearly_equal_texts() -> None:
    text = (
        "Staff get 15 days of annual leave, to be booked two weeks ahead, says the handbook of the company."
    )
    found = nodes(text, "Something else altogether.", text, text.replace("  ", " ") + "!", text.upper())
    assert kept({"type": "deduplicate"}, found) == ["0", "1"]


def test_deduplicate_tells_short_texts_apart() -> None:
    assert kept({"type": "deduplicate"}, nodes("年假", "病假", "年假", "")) == ["0", "1", "3"]


def test_any_postprocessor_of_llama_index() -> None:
    spec = {"type": "llama_index", "class": "llama_index.core.postprocessor.LongContextReorder"}
    assert sorted(kept(spec, nodes("a", "b", "c"))) == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("name", "args", "message"),
    [
        ("os.path", {}, "must live under llama_index"),
        ("llama_index.core.schema.TextNode", {}, "no postprocessor"),
        (
            "llama_index.core.postprocessor.SimilarityPostprocessor",
            {"similarity_cutoff": ["sk-key"]},
            "similarity_cutoff",
        ),
    ],
)
def test_a_class_or_args_that_do_not_fit(name: str, args: dict[str, object], message: str) -> None:
    with pytest.raises(SearchaskError, match=message) as caught:
        kept({"type": "llama_index", "class": name, "args": args}, nodes("a"))
    assert "sk-key" not in str(caught.value)


def noted(text: str, score: float = 0.0, **notes: float) -> NodeWithScore:
    return NodeWithScore(node=TextNode(text=text, metadata=notes), score=score)


MANY = [noted("Something else.", 0.8)] * 10
FEW = [noted("猫睡很久。", 0.8), *[noted("Something else.", 0.78)] * 3]


@pytest.mark.parametrize(
    ("question", "near", "found", "passes"),
    [
        ("days of leave", MANY, noted("Fifteen days of leave.", share=0.3, cosine=0.9), True),
        ("days of leave", MANY, noted("Cats sleep.", share=0.05, cosine=0.81), False),
        ("holidays", MANY, noted("Fifteen days of leave.", share=0.0, cosine=0.86), True),
        ("年假多少天", MANY, noted("Fifteen days of leave.", cosine=0.83), True),
        ("年假多少天", FEW, noted("Fifteen days of leave.", cosine=0.83), False),
        ("年假多少天", FEW, noted("Fifteen days of leave.", cosine=0.89), True),
        ("holidays", FEW, noted("Fifteen days of leave.", cosine=0.86), False),
        ("days of leave", [], noted("Fifteen days of leave.", share=0.3), True),
        ("days of leave", [], noted("Cats sleep."), False),
    ],
)
def test_evidence_is_words_or_what_stands_out(
    question: str, near: list[NodeWithScore], found: NodeWithScore, passes: bool
) -> None:
    inquiry = Inquiry(query_str=question, near=near, reach=20)
    other = noted("Something else.", share=0.01, cosine=0.8)
    built = TypeAdapter[Postprocessor](Postprocessor).validate_python({"type": "evidence"}).build(index=None)  # type: ignore[arg-type]
    kept = built.postprocess_nodes([other, found], query_bundle=inquiry)
    assert kept == ([other, found] if passes else [])

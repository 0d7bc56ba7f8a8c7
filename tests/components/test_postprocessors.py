from __future__ import annotations

import pytest
from llama_index.core.schema import NodeWithScore, TextNode
from pydantic import TypeAdapter

from pipelines.components.postprocessors import Postprocessor
from pipelines.errors import SearchaskError


def nodes(*texts: str) -> list[NodeWithScore]:
    return [
        NodeWithScore(node=TextNode(id_=str(place), text=text), score=1 - place / 10)
        for place, text in enumerate(texts)
    ]


def kept(spec: dict[str, object], found: list[NodeWithScore]) -> list[str]:
    built = TypeAdapter[Postprocessor](Postprocessor).validate_python(spec).build()
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

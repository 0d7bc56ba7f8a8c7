from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import NodeWithScore
from pydantic import TypeAdapter, ValidationError

from pipelines.components.retrievers import Retriever
from pipelines.components.runtime.retrievers import Inquiry
from tests.support.memory_index import MemoryIndex

BASE: dict[str, dict[str, Any]] = {
    "meaning": {"type": "vector", "top_k": 4},
    "words": {"type": "keyword", "top_k": 4},
    "both": {"type": "fusion", "of": ["meaning", "words"], "top_k": 3},
}


def build(index: MemoryIndex, **specs: dict[str, Any]) -> dict[str, BaseRetriever]:
    built: dict[str, BaseRetriever] = {}
    for name, spec in {**BASE, **specs}.items():
        checked = TypeAdapter[Retriever](Retriever).validate_python(spec)
        built[name] = checked.build(index=index, others=built, name=name)
    return built


def documents(hits: list[NodeWithScore]) -> list[str]:
    return [hit.node.metadata["document"] for hit in hits]


def by(hit: NodeWithScore) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = hit.node.metadata["by"]
    return found


def test_vector_finds_by_meaning_across_languages(index: MemoryIndex) -> None:
    hits = build(index)["meaning"].retrieve("员工有多少天年假？")
    assert documents(hits)[0] == "年假.md"
    assert "leave.md" in documents(hits)[:3]
    assert [by(hit)["meaning"]["rank"] for hit in hits] == [1, 2, 3, 4]
    assert all(by(hit)["meaning"]["score"] == hit.score for hit in hits)


def test_keyword_finds_words_and_says_which(index: MemoryIndex) -> None:
    first = build(index)["words"].retrieve("What does part R123-78 cost?")[0]
    assert first.node.metadata["document"] == "parts.md"
    assert any("r123" in term for term in first.node.metadata["terms"])
    assert by(first)["words"]["rank"] == 1


def test_keyword_finds_nothing_where_no_word_matches(index: MemoryIndex) -> None:
    assert build(index)["words"].retrieve("xylophone zeppelin") == []


def test_fusion_is_cosine_plus_the_share_of_words(index: MemoryIndex) -> None:
    question = "How many days of annual leave do staff get?"
    hits = build(index)["both"].retrieve(question)
    cosine = index.similarities(index.embed_question(question), [hit.node.node_id for hit in hits])
    mass = index.idf_mass(question)
    for hit in hits:
        words = by(hit).get("words", {"score": 0.0})["score"]
        assert hit.score == pytest.approx(cosine[hit.node.node_id] + 0.2 * words / (2.5 * mass))
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert by(hits[0]).keys() == {"meaning", "words", "both"}


def test_a_keyword_side_without_a_match_changes_nothing(index: MemoryIndex) -> None:
    built = build(index)
    alone, fused = (built[name].retrieve("vacation entitlement") for name in ("meaning", "both"))
    assert built["words"].retrieve("vacation entitlement") == []
    assert [(hit.node.node_id, hit.score) for hit in fused] == [
        (hit.node.node_id, hit.score) for hit in alone[:3]
    ]


def test_what_only_words_find_gets_its_cosine_from_the_index(index: MemoryIndex) -> None:
    built = build(index, near={"type": "vector", "top_k": 1}, mix={"type": "fusion", "of": ["near", "words"]})
    question = "R123-78"
    for hit in built["mix"].retrieve(question):
        cosine = index.similarities(index.embed_question(question), [hit.node.node_id])[hit.node.node_id]
        assert hit.score is not None
        assert hit.score >= cosine - 1e-6


@pytest.mark.parametrize("mode", ["score", "reciprocal_rank"])
def test_fusion_of_fusions(index: MemoryIndex, mode: str) -> None:
    built = build(index, top={"type": "fusion", "of": ["both", "meaning"], "mode": mode, "top_k": 2})
    hits = built["top"].retrieve("How many days of annual leave do staff get?")
    assert documents(hits)[0] == "leave.md"
    assert by(hits[0]).keys() == {"meaning", "words", "both", "top"}
    assert len(hits) == 2


def test_fusion_of_two_vectors_is_the_wider_one(index: MemoryIndex) -> None:
    built = build(
        index, near={"type": "vector", "top_k": 2}, two={"type": "fusion", "of": ["near", "meaning"]}
    )
    question = "annual leave"
    expected = [hit.node.node_id for hit in built["meaning"].retrieve(question)]
    assert [hit.node.node_id for hit in built["two"].retrieve(question)] == expected


def test_reciprocal_rank_adds_up_ranks(index: MemoryIndex) -> None:
    built = build(index, rrf={"type": "fusion", "of": ["meaning", "words"], "mode": "reciprocal_rank"})
    for hit in built["rrf"].retrieve("annual leave days"):
        ranks = [found["rank"] for name, found in by(hit).items() if name in ("meaning", "words")]
        assert hit.score == pytest.approx(sum(1 / (60 + rank) for rank in ranks))


def test_the_question_is_embedded_once_and_every_step_is_timed(index: MemoryIndex) -> None:
    inquiry = Inquiry(query_str="annual leave")
    build(index)["both"].retrieve(inquiry)
    assert [name for name, _ in inquiry.stages] == ["embed question", "meaning", "words", "both"]
    assert sum(milliseconds for _, milliseconds in inquiry.stages) == pytest.approx(inquiry.spent)
    assert len(inquiry.found["both"]) > 3


def test_nodes_of_the_index_stay_as_they_are(index: MemoryIndex) -> None:
    build(index)["both"].retrieve("annual leave")
    assert not any("by" in node.metadata for node in index.nodes.values())


def test_an_empty_index_gives_nothing(tmp_path: Path, index: MemoryIndex) -> None:
    empty = MemoryIndex({}, tmp_path, index.vectors)
    assert build(empty)["both"].retrieve("annual leave") == []


def test_a_fusion_of_nothing_is_refused() -> None:
    with pytest.raises(ValidationError):
        TypeAdapter[Retriever](Retriever).validate_python({"type": "fusion", "of": []})

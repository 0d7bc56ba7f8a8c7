"""What several texts find for one question, fused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import NodeWithScore
from pydantic import TypeAdapter

from pipelines.components.retrievers import Retriever
from pipelines.components.runtime.evidence import signs_of
from pipelines.components.runtime.inquiry import Inquiry, Part, Variant
from pipelines.components.runtime.variants import fused, towards
from tests.support.memory_index import MemoryIndex

LEAVE = "How many days of annual leave do staff get?"
CATS = "How long do cats sleep?"


def both(index: MemoryIndex, **fields: Any) -> BaseRetriever:
    specs = {
        "meaning": {"type": "vector", "top_k": 4},
        "words": {"type": "keyword", "top_k": 4},
        "both": {"type": "fusion", "of": ["meaning", "words"], "top_k": 3, **fields},
    }
    built: dict[str, BaseRetriever] = {}
    for name, spec in specs.items():
        checked = TypeAdapter[Retriever](Retriever).validate_python(spec)
        built[name] = checked.build(index=index, others=built, name=name)
    return built["both"]


def names(hits: Any) -> list[str]:
    return [hit.node.metadata["document"] for hit in hits]


def by_name(hits: Any) -> dict[str, NodeWithScore]:
    return {hit.node.metadata["document"]: hit for hit in hits}


def test_ranks_of_all_texts_are_fused(index: MemoryIndex) -> None:
    retriever = both(index)
    inquiry = Inquiry(query_str=LEAVE, variants=[Variant(CATS, "multi_query")])
    hits = list(fused(retriever, inquiry))
    ranks: dict[str, float] = {}
    for text in (LEAVE, CATS):
        for rank, name in enumerate(names(retriever.retrieve(text)), 1):
            ranks[name] = ranks.get(name, 0.0) + 1 / (60 + rank)
    assert {name: hit.score for name, hit in by_name(hits).items()}.items() <= {
        name: pytest.approx(score) for name, score in ranks.items()
    }.items()
    assert len(hits) == 3
    assert len(inquiry.found["both"]) >= 4
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_what_is_noted_is_of_the_question(index: MemoryIndex) -> None:
    retriever = both(index)
    inquiry = Inquiry(query_str=LEAVE, variants=[Variant(CATS, "multi_query")])
    hits = by_name(fused(retriever, inquiry))
    alone = by_name(retriever.retrieve(LEAVE))
    assert (
        hits["leave.md"].node.metadata["by"]["both"]["rank"]
        == alone["leave.md"].node.metadata["by"]["both"]["rank"]
    )
    question = index.embed_question(LEAVE)
    ids = [hit.node.node_id for hit in hits.values()]
    for key, cosine in index.similarities(question, ids).items():
        hit = next(hit for hit in hits.values() if hit.node.node_id == key)
        assert hit.node.metadata["cosine"] == pytest.approx(cosine, abs=1e-5)


def test_words_of_a_translation_are_evidence_in_its_language(index: MemoryIndex) -> None:
    inquiry = Inquiry(
        query_str="猫每天睡多久？", variants=[Variant("How long do cats sleep a day?", "translate")]
    )
    hits = by_name(fused(both(index), inquiry))
    noted = hits["cats.md"].node.metadata
    assert noted["asked_in"] == "en"
    assert noted["share"] > 0.18
    assert signs_of(inquiry, [hits["cats.md"]]).words == pytest.approx(noted["share"])


def test_words_of_a_made_up_variant_are_no_easier_evidence(index: MemoryIndex) -> None:
    inquiry = Inquiry(
        query_str="一九九八年世界杯冠军是谁？",
        variants=[Variant("Who won the world cup in 1998?", "translate")],
    )
    hits = fused(both(index), inquiry)
    assert signs_of(inquiry, hits).words < 0.18


def test_the_best_of_each_part_are_kept(index: MemoryIndex) -> None:
    asked = [LEAVE, CATS, "What does part R123-78 cost?", "住宿标准是多少？"]
    inquiry = Inquiry(
        query_str=LEAVE,
        variants=[Variant(text, "decompose") for text in asked[1:]],
        parts=[Part(text) for text in asked[1:]],
    )
    hits = names(fused(both(index), inquiry))
    assert {"leave.md", "cats.md", "parts.md", "报销.md"} <= set(hits)
    assert all(len(part.nodes) == 3 for part in inquiry.parts)
    assert index.nodes[inquiry.parts[0].nodes[0]].metadata["document"] == "cats.md"


def test_a_made_up_passage_moves_the_vector_only(index: MemoryIndex) -> None:
    passage = "Cats sleep up to sixteen hours."
    inquiry = Inquiry(query_str=LEAVE, variants=[Variant(passage, "hyde", passage=True)])
    hits = list(fused(both(index), inquiry))
    question = np.array(index.embed_question(LEAVE))
    expected = question + np.array(index.embed_passages([passage])[0])
    assert inquiry.embedding == pytest.approx(expected / np.linalg.norm(expected), abs=1e-5)
    assert np.linalg.norm(towards(index, inquiry, [passage, passage])) == pytest.approx(1)  # type: ignore[arg-type]
    assert all(0.5 < (hit.score or 0) < 1.3 for hit in hits)  # no ranks were fused
    assert "variants" not in [name for name, _ in inquiry.stages]


def test_a_passage_and_another_wording_together(index: MemoryIndex) -> None:
    variants = [Variant("Cats sleep.", "hyde", passage=True), Variant("Days of holiday?", "multi_query")]
    inquiry = Inquiry(query_str=LEAVE, variants=variants)
    hits = fused(both(index), inquiry)
    assert hits[0].score is not None
    assert hits[0].score <= 2 / 61
    assert {"variants", "embed variants"} <= {name for name, _ in inquiry.stages}


def test_a_passage_in_a_keyword_search_changes_nothing(index: MemoryIndex) -> None:
    spec = TypeAdapter[Retriever](Retriever).validate_python({"type": "keyword"})
    retriever = spec.build(index=index, others={}, name="words")
    inquiry = Inquiry(query_str=LEAVE, variants=[Variant("Cats sleep.", "hyde", passage=True)])
    assert names(fused(retriever, inquiry)) == names(retriever.retrieve(LEAVE))


def test_the_index_keeps_its_nodes(index: MemoryIndex) -> None:
    before = {key: dict(node.metadata) for key, node in index.nodes.items()}
    fused(both(index), Inquiry(query_str=LEAVE, variants=[Variant(CATS, "multi_query")]))
    assert {key: dict(node.metadata) for key, node in index.nodes.items()} == before

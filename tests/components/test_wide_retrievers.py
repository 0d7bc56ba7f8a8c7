"""Retrievers that give more than what was found, over documents on disk and the `local` model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.components.runtime.inquiry import Inquiry
from pipelines.querying.engine import QueryEngine
from tests.support.asked_house import Asked, asked, documents
from tests.support.house import House

LOCAL = {"embed_model": {"type": "local"}}
HANDBOOK = """\
# Handbook

## Leave

Staff get fifteen days of annual leave. Leave must be asked for two weeks before. The office grants it.
Unused days lapse in March.

## Canteen

The canteen opens at eight. Lunch is served from noon. Cards are sold at the desk.

## 考勤

员工每天九点上班。迟到三次扣一天年假。加班可以调休。
"""
NOTES = "Bread is baked from flour. Dough must rest. Ovens are hot. Butter melts. Salt is white."


def house_at(root: Path, **settings: Any) -> House:
    house = House(root, {**LOCAL, **settings})
    house.write("handbook.md", HANDBOOK)
    house.write("notes.txt", NOTES)
    return house


@pytest.fixture(scope="module")
def sentences(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    house = house_at(
        tmp_path_factory.mktemp("sentences"),
        node_parser={"type": "sentence_window", "window_size": 3},
    )
    with asked(
        house,
        window={"type": "window", "of": "both", "window_size": 1, "top_k": 3},
        few={"type": "vector", "top_k": 1},
        one={"type": "window", "of": "few", "window_size": 1},
        mixed={"type": "fusion", "of": ["window", "words"]},
    ) as opened:
        yield opened


@pytest.fixture(scope="module")
def levels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    house = house_at(
        tmp_path_factory.mktemp("levels"),
        node_parser={"type": "hierarchical", "chunk_sizes": [256, 64, 16], "chunk_overlap": 0},
    )
    with asked(
        house,
        merging={"type": "auto_merging", "of": "meaning", "ratio": 0.5, "top_k": 4},
        strict={"type": "auto_merging", "of": "few", "ratio": 1.0},
        few={"type": "vector", "top_k": 2},
    ) as opened:
        yield opened


@pytest.fixture(scope="module")
def wholes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    house = house_at(
        tmp_path_factory.mktemp("wholes"),
        node_parser={"type": "sentence", "chunk_size": 32, "chunk_overlap": 8},
    )
    with asked(
        house,
        whole={"type": "whole_document", "of": "both"},
        tight={"type": "whole_document", "of": "both", "max_tokens": 60},
        about={"type": "summary", "documents": 1, "top_k": 3},
        mixed={"type": "fusion", "of": ["whole", "meaning"]},
    ) as opened:
        yield opened


def test_a_window_holds_the_sentences_around(sentences: Asked) -> None:
    (hit,) = sentences.find("one", "When must leave be asked for?")
    assert (
        hit.node.get_content().split()
        == (
            "Staff get fifteen days of annual leave. Leave must be asked for two weeks before. The office grants it."
        ).split()
    )
    sentences.check_spans([hit])
    assert hit.node.metadata["heading"] == "Handbook > Leave"
    assert hit.node.metadata["by"].keys() == {"few", "one"}


def test_a_window_in_chinese(sentences: Asked) -> None:
    (hit,) = sentences.find("one", "迟到三次怎么处理？")
    assert hit.node.get_content().strip() == "员工每天九点上班。迟到三次扣一天年假。加班可以调休。"


def test_windows_that_overlap_become_one(sentences: Asked) -> None:
    inquiry = Inquiry(query_str="How many days of annual leave, and who grants leave?")
    hits = sentences.inquire("window", inquiry)
    sentences.check_spans(inquiry.found["window"])
    assert len(hits) <= 3
    spans = [
        (
            hit.node.metadata["document"],
            getattr(hit.node, "start_char_idx", 0),
            getattr(hit.node, "end_char_idx", 0),
        )
        for hit in inquiry.found["window"]
    ]
    for document, start, end in spans:
        assert sum(d == document and s < end and start < e for d, s, e in spans) == 1


def test_a_window_works_inside_a_fusion(sentences: Asked) -> None:
    hits = sentences.find("mixed", "When must leave be asked for?")
    sentences.check_spans(hits)
    assert "Staff get fifteen days" in hits[0].node.get_content()
    assert {"window", "words", "mixed"} <= hits[0].node.metadata["by"].keys()


def test_a_citation_of_a_window_is_exact(sentences: Asked) -> None:
    spec = sentences.house.config.spec
    engine = spec.query_engines["answer"].model_copy(update={"retriever": "window"})
    answered = QueryEngine(spec.model_copy(update={"query_engines": {"answer": engine}}), sentences.index)
    answer = answered.ask("When does the canteen open?")
    cited = answer.citations[0]
    assert cited.quote == "The canteen opens at eight."
    assert HANDBOOK[cited.start : cited.end] == cited.quote
    assert cited.heading == "Handbook > Canteen"


def test_enough_small_passages_become_the_larger_one(levels: Asked) -> None:
    inquiry = Inquiry(query_str="Which days of annual leave do staff get, and who grants it?")
    levels.inquire("merging", inquiry)
    found = inquiry.found["merging"]
    levels.check_spans(found)
    largest = max(found, key=lambda hit: len(hit.node.get_content()))
    assert largest.node.get_content().strip() in (HANDBOOK.strip(), NOTES)  # all leaves are found among 20
    assert largest.node.metadata["by"].keys() == {"meaning", "merging"}
    assert len({hit.node.metadata["document"] for hit in found}) == len(found)


def test_too_few_stay_small(levels: Asked) -> None:
    hits = levels.find("strict", "Ovens are hot")
    levels.check_spans(hits)
    assert max(len(hit.node.get_content()) for hit in hits) < 200


def test_documents_that_fit_are_given_whole(wholes: Asked) -> None:
    hits = wholes.find("whole", "How many days of annual leave do staff get?")
    wholes.check_spans(hits)
    assert documents(hits) == ["handbook.md", "notes.txt"]
    assert hits[0].node.get_content().strip() == HANDBOOK.strip()


def test_a_document_that_does_not_fit_gives_its_passages(wholes: Asked) -> None:
    hits = wholes.find("tight", "How many days of annual leave do staff get?")
    wholes.check_spans(hits)
    assert documents(hits)[0] == "handbook.md"
    assert documents(hits).count("handbook.md") > 1
    assert [hit.node.get_content() for hit in hits if hit.node.metadata["document"] == "notes.txt"] in (
        [NOTES],
        [],
    )


def test_a_citation_of_a_whole_document_names_its_heading(wholes: Asked) -> None:
    spec = wholes.house.config.spec
    engine = spec.query_engines["answer"].model_copy(update={"retriever": "whole"})
    answered = QueryEngine(spec.model_copy(update={"query_engines": {"answer": engine}}), wholes.index)
    for question, heading in [
        ("When does the canteen open?", "Handbook > Canteen"),
        ("几点上班？", "Handbook > 考勤"),
    ]:
        cited = answered.ask(question).citations[0]
        assert HANDBOOK[cited.start : cited.end] == cited.quote
        assert cited.heading == heading


def test_whole_documents_in_a_fusion_stay_whole(wholes: Asked) -> None:
    hits = wholes.find("mixed", "How many days of annual leave do staff get?")
    wholes.check_spans(hits)
    assert hits[0].node.get_content().strip() == HANDBOOK.strip()


def test_a_summary_looks_into_the_best_documents_only(wholes: Asked) -> None:
    inquiry = Inquiry(query_str="What does one need for baking?")
    hits = wholes.inquire("about", inquiry)
    wholes.check_spans(hits)
    assert set(documents(hits)) == {"notes.txt"}
    assert inquiry.reach == 20
    assert set(documents(wholes.find("about", "员工什么时候上班？"))) == {"handbook.md"}


def test_a_summary_keeps_in_step_with_the_documents(tmp_path: Path) -> None:
    house = house_at(tmp_path)
    with asked(house, about={"type": "summary", "documents": 1}) as opened:
        house.write("trains.txt", "Trains leave for Berlin every hour. Tickets for trains are sold online.")
        house.ingest()
        assert documents(opened.find("about", "When do trains go to Berlin?"))[0] == "trains.txt"
        (house.docs / "trains.txt").unlink()
        house.ingest(allow_vanish=True)
        assert "trains.txt" not in documents(opened.find("about", "When do trains go to Berlin?"))


def test_filters_hold_for_all(wholes: Asked, sentences: Asked) -> None:
    from pipelines.filters import of

    only = of({"document": ["notes.txt"]})
    for opened, name in [(wholes, "whole"), (wholes, "about"), (sentences, "window")]:
        hits = opened.find(name, "How many days of annual leave do staff get?", filters=only)
        assert set(documents(hits)) == {"notes.txt"}


def test_an_index_cut_before_the_edit_still_answers(tmp_path: Path) -> None:
    house = house_at(tmp_path, node_parser={"type": "sentence", "chunk_size": 32, "chunk_overlap": 0})
    with asked(house):
        pass
    house.edit(
        node_parser={"type": "hierarchical", "chunk_sizes": [128, 32]},
        retrievers={"meaning": {"type": "vector"}, "merging": {"type": "auto_merging", "of": "meaning"}},
    )
    from pipelines.querying.index import OpenIndex

    index = OpenIndex(house.config)
    try:
        opened = Asked(house, index)
        opened.check_spans(opened.find("merging", "annual leave"))
    finally:
        index.close()

"""Following names from document to document, in both languages, over documents on disk and the `local` model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.components.runtime.inquiry import Inquiry
from pipelines.errors import SearchaskError
from pipelines.filters import of
from pipelines.querying.engine import QueryEngine
from pipelines.querying.index import OpenIndex
from tests.support.asked_house import PARTS, Asked, asked, documents
from tests.support.house import House

FILMS = {
    "moon_harbour.md": "# Moon Harbour\n\nMoon Harbour is a 2001 drama film. It was directed by Ada Lindgren.\n",
    "ada_lindgren.md": "# Ada Lindgren\n\nAda Lindgren (born 4 May 1950) was raised in Elsinore Bay.\n",
    "elsinore_bay.md": "# Elsinore Bay\n\nElsinore Bay is a bay with seven lighthouses.\n",
}
OTHER = {
    f"film{number}.md": f"# {name}\n\n{name} is a drama film of {1980 + number}. The director of the film was {by}.\n"
    for number, (name, by) in enumerate(
        [
            ("Red Barn", "Joe Miles"),
            ("Cold Rain", "Kim Soto"),
            ("Blue Door", "Al Brook"),
            ("Old Song", "May Dent"),
        ]
    )
}
CHINESE = {
    "云岚系统.md": "# 云岚系统\n\n云岚系统是公司的报表平台，由星河部门维护。\n",
    "星河部门.md": "# 星河部门\n\n星河部门在三楼办公，主管是周明。\n",
    "食堂.md": "# 食堂\n\n食堂在一楼，早上七点开门，供应面条。\n",
    "班车.md": "# 班车\n\n班车每天八点从地铁站出发。\n",
}
QUESTION = "Where was the director of the film Moon Harbour raised?"


@pytest.fixture(scope="module")
def linked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    house = House(tmp_path_factory.mktemp("graph"), {"embed_model": {"type": "local"}})
    for name, text in {**FILMS, **OTHER, **CHINESE}.items():
        house.write(name, text)
    with asked(
        house,
        near={"type": "vector", "top_k": 2},
        linked={"type": "graph", "of": "near", "seeds": 1},
        far={"type": "graph", "of": "near", "seeds": 1, "hops": 2},
        exact={"type": "keyword", "top_k": 2},
        worded={"type": "graph", "of": "exact", "seeds": 1},
        mixed={"type": "fusion", "of": ["linked", "words"], "top_k": 6},
    ) as opened:
        yield opened


def test_it_reaches_the_document_that_the_best_one_names(linked: Asked) -> None:
    inquiry = Inquiry(query_str=QUESTION)
    assert "ada_lindgren.md" not in documents(linked.find("near", QUESTION))
    hits = linked.inquire("linked", inquiry)
    linked.check_spans(hits)
    assert documents(hits)[:2] == ["moon_harbour.md", "ada_lindgren.md"]
    assert hits[1].node.metadata["by"].keys() == {"linked"}
    assert hits[0].node.metadata["by"].keys() == {"near", "linked"}
    assert inquiry.notes == ["linked: ada lindgren"]
    assert "elsinore_bay.md" not in documents(hits)


def test_two_hops_reach_further(linked: Asked) -> None:
    hits = linked.find("far", QUESTION)
    assert {"moon_harbour.md", "ada_lindgren.md", "elsinore_bay.md"} <= set(documents(hits))


def test_it_reaches_in_chinese(linked: Asked) -> None:
    question = "维护云岚系统的人在几楼办公？"
    hits = linked.find("linked", question)
    linked.check_spans(hits)
    assert {"云岚系统.md", "星河部门.md"} <= set(documents(hits)[:3])


def test_what_is_reached_never_passes_the_best_that_was_found(linked: Asked) -> None:
    for question in [QUESTION, "云岚系统由谁维护？", "drama film", "lighthouses", "班车几点出发？"]:
        best = linked.find("near", question)[0]
        first = linked.find("linked", question)[0]
        assert (first.node.node_id, first.score) == (best.node.node_id, best.score)


def test_it_stands_on_a_keyword_retriever_too(linked: Asked) -> None:
    hits = linked.find("worded", "Moon Harbour 2001")
    linked.check_spans(hits)
    assert documents(hits)[:2] == ["moon_harbour.md", "ada_lindgren.md"]
    assert linked.find("worded", "xylophone zeppelin") == []


def test_a_fusion_keeps_what_links_add(linked: Asked) -> None:
    inquiry = Inquiry(query_str=QUESTION)
    linked.inquire("mixed", inquiry)
    hits = inquiry.found["mixed"]
    linked.check_spans(hits)
    assert "ada_lindgren.md" in documents(hits)[:2]
    assert {"linked", "mixed"} <= next(
        hit.node.metadata["by"].keys() for hit in hits if hit.node.metadata["document"] == "ada_lindgren.md"
    )


def test_filters_hold_for_what_is_reached(linked: Asked) -> None:
    hits = linked.find("linked", QUESTION, filters=of({"document": ["moon*", "film*"]}))
    assert documents(hits)
    assert not {"ada_lindgren.md", "elsinore_bay.md"} & set(documents(hits))


def test_an_answer_cites_what_was_reached(linked: Asked) -> None:
    spec = linked.house.config.spec
    engine = spec.query_engines["answer"].model_copy(update={"retriever": "linked"})
    answered = QueryEngine(spec.model_copy(update={"query_engines": {"answer": engine}}), linked.index)
    answer = answered.ask(QUESTION)
    assert "Elsinore Bay" in answer.text
    assert "linked: ada lindgren" in answer.trace.notes
    place = next(each for each in answer.citations if each.document == "ada_lindgren.md")
    assert FILMS["ada_lindgren.md"][place.start : place.end] == place.quote


def test_a_graph_that_is_not_built_names_the_command(tmp_path: Path) -> None:
    house = House(tmp_path, {"retrievers": PARTS})
    house.write("one.md", "# One\n\nText.\n")
    house.ingest()
    house.edit(retrievers={**PARTS, "linked": {"type": "graph", "of": "meaning"}})
    index = OpenIndex(house.config)
    try:
        with pytest.raises(SearchaskError, match="`searchask ingest`"):
            Asked(house, index).find("linked", "anything")
    finally:
        index.close()
    house.ingest()
    index = OpenIndex(house.config)
    assert Asked(house, index).find("linked", "anything")
    index.close()


def test_a_name_that_many_share_and_common_words_lead_nowhere_far(tmp_path: Path) -> None:
    house = House(tmp_path)
    for number in range(40):
        house.write(f"{number}.md", f"# Report\n\nThe report number {number} is about the weather.\n")
    with asked(house, linked={"type": "graph", "of": "meaning", "top_k": 5}) as opened:
        inquiry = Inquiry(query_str="report on the weather")
        hits = opened.inquire("linked", inquiry)
        opened.check_spans(hits)
        assert max(hit.node.metadata.get("link", 0.0) for hit in inquiry.found["linked"]) < 0.02


def test_an_empty_text_between(linked: Asked) -> None:
    assert linked.find("linked", "？！") is not None

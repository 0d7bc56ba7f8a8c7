"""The graph follows the documents: what is added, edited, moved and deleted, and what a killed run leaves."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from pipelines.catalog import graph
from pipelines.catalog.tables import graph_documents, graph_mentions, graph_titles
from tests.support.crash import Nursery, the_nursery
from tests.support.house import House

GRAPH = {
    "meaning": {"type": "vector"},
    "linked": {"type": "graph", "of": "meaning"},
}
FILM = "# Moon Harbour\n\nMoon Harbour (2001) was directed by Ada Lindgren in Port Elsinore.\n"
PERSON = "# Ada Lindgren\n\nAda Lindgren (born 1950) is a director. She grew up in Port Elsinore.\n"
LEAVE = "# 年假制度\n\n《考勤制度》规定年假由人力资源部批准。\n"

Held = dict[str, Any]


def house_with(tmp_path: Path, **settings: Any) -> House:
    house = House(tmp_path, {"retrievers": GRAPH, **settings})
    house.write("film.md", FILM)
    house.write("person.md", PERSON)
    house.write("leave.md", LEAVE)
    return house


def held(house: House) -> Held:
    """Titles by document, terms by document, and the keys."""
    catalog = house.catalog()
    try:
        with catalog.engine.connect() as connection:
            active = catalog.generations.active()
            assert active is not None
            names = {row.id: row.path for row in catalog.documents(active.id)}
            titles: dict[str, set[str]] = {}
            for row in connection.execute(select(graph_titles)):
                titles.setdefault(names[row.document], set()).add(row.term)
            terms: dict[str, set[str]] = {}
            for row in connection.execute(select(graph_mentions)):
                assert row.node in catalog.leaves(row.document)
                terms.setdefault(names[row.document], set()).add(row.term)
            keys = {names[row.document]: row.key for row in connection.execute(select(graph_documents))}
    finally:
        catalog.close()
    return {"titles": titles, "terms": terms, "keys": keys}


def test_names_in_both_languages_are_stored(tmp_path: Path) -> None:
    house = house_with(tmp_path)
    house.ingest()
    found = held(house)
    assert "moon harbour" in found["titles"]["film.md"]
    assert "年假制度" in found["titles"]["leave.md"]
    assert {"ada lindgren", "port elsinore"} <= found["terms"]["film.md"]
    assert {"考勤制度", "人力资源部"} <= found["terms"]["leave.md"]
    assert len(set(found["keys"].values())) == 1


def test_without_a_graph_retriever_nothing_is_stored(tmp_path: Path) -> None:
    house = house_with(tmp_path)
    house.edit(retrievers={"meaning": {"type": "vector"}})
    house.ingest()
    assert held(house) == {"titles": {}, "terms": {}, "keys": {}}


def test_added_to_a_config_it_is_built_without_embedding(tmp_path: Path) -> None:
    house = house_with(tmp_path)
    house.edit(retrievers={"meaning": {"type": "vector"}})
    house.ingest()
    live = house.live()
    house.edit(retrievers=GRAPH)
    plan = house.plan()
    assert plan.counts() == {**dict.fromkeys(plan.counts(), 0), "stale": 3}
    assert {change.reason for change in plan.changes} == {"it is not in the graph yet; nothing is embedded"}
    assert plan.tokens == 0
    summary = house.ingest()
    assert (summary.outcome, summary.done, summary.spent.texts) == ("done", 3, 0)
    assert (summary.written, summary.removed, summary.cut, summary.read) == (0, 0, 0, 0)
    assert set(held(house)["keys"]) == {"film.md", "person.md", "leave.md"}
    assert house.live() == live
    assert house.agrees()
    assert house.plan().work == []


def test_spans_survive_building_it(tmp_path: Path) -> None:
    house = house_with(tmp_path)
    house.edit(retrievers={"meaning": {"type": "vector"}})
    house.ingest()
    before = spans(house)
    house.edit(retrievers=GRAPH)
    house.ingest()
    assert spans(house) == before


def spans(house: House) -> list[Any]:
    catalog = house.catalog()
    active = catalog.generations.active()
    assert active is not None
    found = [node for row in catalog.documents(active.id) for node in catalog.nodes(row.id)]
    catalog.close()
    return found


def test_taken_out_of_a_config_and_put_back(tmp_path: Path) -> None:
    house = house_with(tmp_path)
    house.ingest()
    house.edit(retrievers={"meaning": {"type": "vector"}})
    assert house.plan().work == []
    house.write("film.md", FILM.replace("Ada Lindgren", "Bo Sand"))
    house.ingest()
    assert set(held(house)["keys"]) == {"person.md", "leave.md"}
    house.edit(retrievers=GRAPH)
    assert [change.path for change in house.plan().work] == ["film.md"]
    house.ingest()
    assert "bo sand" in held(house)["terms"]["film.md"]


def test_an_edit_replaces_what_a_document_names(tmp_path: Path) -> None:
    house = house_with(tmp_path)
    house.ingest()
    others = {name: terms for name, terms in held(house)["terms"].items() if name != "film.md"}
    house.write("film.md", FILM.replace("Ada Lindgren", "Bo Sand").replace("Moon", "Sun"))
    house.ingest()
    found = held(house)
    assert "bo sand" in found["terms"]["film.md"]
    assert "ada lindgren" not in found["terms"]["film.md"]
    assert found["titles"]["film.md"] == {"film", "sun harbour"}
    assert {name: terms for name, terms in found["terms"].items() if name != "film.md"} == others


def test_deleting_a_document_removes_what_only_it_supported(tmp_path: Path) -> None:
    house = house_with(tmp_path)
    house.ingest()
    (house.docs / "film.md").unlink()
    house.ingest(allow_vanish=True)
    found = held(house)
    every = {term for terms in found["terms"].values() for term in terms}
    assert "moon harbour" not in every
    assert {"ada lindgren", "port elsinore"} <= every  # the other document names them too
    assert set(found["titles"]) == {"person.md", "leave.md"}


def test_a_moved_document_is_called_by_its_new_name(tmp_path: Path) -> None:
    house = house_with(tmp_path)
    house.ingest()
    (house.docs / "film.md").rename(house.docs / "harbour_notes.md")
    summary = house.ingest()
    assert summary.spent.texts == 0
    found = held(house)
    assert found["titles"]["harbour_notes.md"] == {"harbour notes", "moon harbour"}
    assert "port elsinore" in found["terms"]["harbour_notes.md"]


def test_moved_while_it_is_added(tmp_path: Path) -> None:
    house = house_with(tmp_path)
    house.edit(retrievers={"meaning": {"type": "vector"}})
    house.ingest()
    (house.docs / "film.md").rename(house.docs / "moved.md")
    house.edit(retrievers=GRAPH)
    summary = house.ingest()
    assert (summary.outcome, summary.spent.texts) == ("done", 0)
    assert held(house)["titles"]["moved.md"] == {"moved", "moon harbour"}
    assert house.plan().work == []


def test_another_model_builds_another_graph(tmp_path: Path) -> None:
    house = house_with(tmp_path)
    house.ingest()
    before = held(house)
    house.edit(embed_model={"type": "fake", "seed": 1})
    house.ingest()
    catalog = house.catalog()
    active = catalog.generations.active()
    assert active is not None
    with catalog.engine.connect() as connection:
        assert len(graph.keys(connection, active.id)) == 3
    old = next(each.id for each in catalog.generations.all() if each.id != active.id)
    catalog.generations.delete(old)
    catalog.close()
    assert held(house) == before


@pytest.fixture
def nursery() -> Nursery:
    return the_nursery()


@pytest.mark.parametrize(
    "step", ["read@2", "stored", "half the commit@2", "whole commit", "committed", "removing", "removed"]
)
def test_a_killed_run_leaves_each_document_whole(tmp_path: Path, nursery: Nursery, step: str) -> None:
    house = house_with(tmp_path)
    house.ingest()
    old = held(house)
    edited = FILM.replace("Ada Lindgren", "Bo Sand")
    clean = house_with(tmp_path / "clean")
    clean.write("film.md", edited)
    clean.write("new.md", "# New\n\nIt names Ada Lindgren as well.\n")
    (clean.docs / "leave.md").unlink()
    clean.ingest()
    new = held(clean)
    house.write("film.md", edited)
    shutil.copy(clean.docs / "new.md", house.docs / "new.md")
    (house.docs / "leave.md").unlink()
    house.edit(ingestion={"vanish_limit": 1.0})
    assert nursery.crash(house.file, step, group=1), f"the run never came to {step!r}"
    broken = held(house)
    for name in {*broken["terms"], *old["terms"], *new["terms"]}:
        assert broken["terms"].get(name) in (old["terms"].get(name), new["terms"].get(name))
        assert broken["titles"].get(name) in (old["titles"].get(name), new["titles"].get(name))
    assert house.ingest().outcome == "done"
    assert held(house) == new


def test_killed_while_it_is_built(tmp_path: Path, nursery: Nursery) -> None:
    house = house_with(tmp_path)
    house.edit(retrievers={"meaning": {"type": "vector"}})
    house.ingest()
    house.edit(retrievers=GRAPH)
    assert nursery.crash(house.file, "half the commit@2", group=1)
    assert house.ingest().spent.texts == 0
    assert len(held(house)["keys"]) == 3
    assert house.agrees()

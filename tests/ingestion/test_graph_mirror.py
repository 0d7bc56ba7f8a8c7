"""Another graph store, kept in step with the documents whatever happens in between."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.graph_stores import SimplePropertyGraphStore
from llama_index.core.graph_stores.types import (
    TRIPLET_SOURCE_KEY,
    ChunkNode,
    EntityNode,
    LabelledNode,
    PropertyGraphStore,
    Relation,
    Triplet,
)
from sqlalchemy import select

from pipelines.catalog import Catalog
from pipelines.catalog.tables import graph_mentions, graph_paths
from pipelines.commands.ingesting import show_summary
from pipelines.errors import ConfigError
from pipelines.ingestion.graph_mirror import mirror
from pipelines.vectors.graph import GraphMirror
from tests.ingestion.test_extract import graphed, llm
from tests.ingestion.test_graph import FILM, GRAPH, PERSON, house_with
from tests.support.chat_server import ChatServer, chat_server
from tests.support.crash import Nursery, the_nursery
from tests.support.house import House

SIMPLE = {
    "type": "llama_index",
    "class": "llama_index.core.graph_stores.SimplePropertyGraphStore",
    "file": "graph.json",
}
Content = tuple[set[str], set[tuple[str, str, str]]]


def kept(house: House) -> SimplePropertyGraphStore:
    """The store as it is on disk."""
    return SimplePropertyGraphStore.from_persist_path(str(house.config.storage / "graph.json"))


def content(store: PropertyGraphStore) -> Content:
    """Its nodes and its relations; each end of a relation must be there."""
    nodes = {node.id for node in store.get()}
    relations = {(s.id, r.id, o.id) for s, r, o in (store.get_triplets(ids=sorted(nodes)) if nodes else ())}
    assert {end for s, _, o in relations for end in (s, o)} <= nodes
    return nodes, relations


def wanted(house: House) -> Content:
    """What the catalog has."""
    catalog = house.catalog()
    active = catalog.generations.active()
    assert active is not None
    nodes = set(catalog.leaf_ids(active.id))
    with catalog.engine.connect() as connection:
        relations = {
            (row.node, "MENTIONS", row.term)
            for row in connection.execute(select(graph_mentions))
            if row.node in nodes
        }
        relations |= {
            (row.subject_term, row.relation, row.object_term)
            for row in connection.execute(select(graph_paths))
            if row.node in nodes
        }
    catalog.close()
    return nodes | {term for s, _, term in relations} | {s for s, _, _ in relations}, relations


def agrees(house: House) -> bool:
    store = kept(house)
    for node in store.get():
        if isinstance(node, EntityNode):
            source = node.properties[TRIPLET_SOURCE_KEY]
            assert node.id in {o.id for _, _, o in store.get_triplets(ids=[source])}
    return content(store) == wanted(house)


def house_of(tmp_path: Path, **settings: Any) -> House:
    house = house_with(tmp_path)
    house.edit(graph_store=SIMPLE, **settings)
    return house


def test_it_is_written_with_texts_and_documents(tmp_path: Path) -> None:
    house = house_of(tmp_path)
    summary = house.ingest()
    assert (summary.outcome, summary.mirrored) == ("done", (3, 0))
    assert summary.to_dict()["graph_store"] == {"written": 3, "removed": 0}
    assert agrees(house)
    store = kept(house)
    (chunk,) = store.get(properties={"document": "film.md"})
    assert isinstance(chunk, ChunkNode)
    assert "directed by Ada Lindgren" in chunk.text
    (node,) = store.get_llama_nodes([chunk.id])
    assert "directed by Ada Lindgren" in node.get_content()
    assert {"moon harbour", "port elsinore"} <= {
        o.id for _, r, o in store.get_triplets(ids=[chunk.id]) if r.id == "MENTIONS"
    }
    assert house.ingest().mirrored == (0, 0)


def test_deleting_a_document_removes_what_only_it_supported(tmp_path: Path) -> None:
    house = house_of(tmp_path)
    house.ingest()
    (house.docs / "film.md").unlink()
    assert house.ingest(allow_vanish=True).mirrored == (0, 1)
    assert agrees(house)
    nodes, _ = content(kept(house))
    assert "moon harbour" not in nodes
    assert {"ada lindgren", "port elsinore"} <= nodes


def test_edits_moves_and_another_model(tmp_path: Path) -> None:
    house = house_of(tmp_path)
    house.ingest()
    house.write("film.md", FILM.replace("Ada Lindgren", "Bo Sand"))
    (house.docs / "person.md").rename(house.docs / "director.md")
    assert house.ingest().mirrored == (2, 0)
    assert agrees(house)
    assert kept(house).get(properties={"document": "director.md"})
    assert not kept(house).get(properties={"document": "person.md"})
    house.edit(embed_model={"type": "fake", "seed": 2})
    assert house.ingest().mirrored == (3, 3)
    assert agrees(house)


def test_any_order_of_changes_ends_in_the_same(tmp_path: Path) -> None:
    house = house_of(tmp_path, ingestion={"vanish_limit": 1.0})
    names = ["Ada Lindgren", "Bo Sand", "Port Elsinore", "Moon Harbour", "Cy Young", "Acme Works"]
    draw = random.Random(7)
    for _ in range(8):
        for _ in range(3):
            path = f"d{draw.randrange(6)}.md"
            if draw.random() < 0.3 and (house.docs / path).exists():
                (house.docs / path).unlink()
            else:
                house.write(path, "\n\n".join(f"Then came {each} again." for each in draw.sample(names, 3)))
        assert house.ingest().outcome == "done"
        assert agrees(house)


@pytest.fixture
def model() -> Iterator[ChatServer]:
    """Reads the same path in whichever document names both."""
    with chat_server("") as server:

        def reply() -> str:
            asked = server.requests[-1]["messages"][1]["content"]
            both = "Moon Harbour" in asked and "Ada Lindgren" in asked
            return "(Moon Harbour, directed by, Ada Lindgren)" if both else "NONE"

        server.next_reply = reply  # type: ignore[method-assign]
        yield server


class LikeNeo4j(SimplePropertyGraphStore):
    """Does what `Neo4jPropertyGraphStore` does: a node goes alone with its relations; what is there keeps its own."""

    def delete(
        self,
        entity_names: list[str] | None = None,
        relation_names: list[str] | None = None,
        properties: dict[str, Any] | None = None,
        ids: list[str] | None = None,
    ) -> None:
        assert ids and not (entity_names or relation_names or properties)
        for subject, label, end in [each for each in self.graph.triplets if {each[0], each[2]} & {*ids}]:
            self.graph.triplets.remove((subject, label, end))
            del self.graph.relations[f"{subject}_{label}_{end}"]
        for each in ids:
            self.graph.nodes.pop(each, None)

    def upsert_relations(self, relations: list[Relation]) -> None:
        assert {
            end for each in relations for end in (each.source_id, each.target_id)
        } <= self.graph.nodes.keys()
        super().upsert_relations(relations)


class Failing(LikeNeo4j):
    """Fails at the call that is due."""

    def __init__(self, calls: int) -> None:
        super().__init__()
        self.left = calls

    def _tick(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise RuntimeError("the database went away")

    def delete(self, *args: Any, **options: Any) -> None:
        self._tick()
        super().delete(*args, **options)

    def upsert_nodes(self, nodes: Sequence[LabelledNode]) -> None:
        self._tick()
        super().upsert_nodes(nodes)

    def upsert_relations(self, relations: list[Relation]) -> None:
        self._tick()
        super().upsert_relations(relations)


def brought(house: House, store: PropertyGraphStore) -> tuple[int, int]:
    """Mirror what the catalog has into a store that stays open."""
    catalog = Catalog(house.config.storage)
    active = catalog.generations.active()
    assert active is not None
    try:
        return mirror(
            catalog, active, GraphMirror(store, name="test"), identity="test", stopped=lambda: False
        )
    finally:
        catalog.close()


@pytest.mark.parametrize("kind", [SimplePropertyGraphStore, LikeNeo4j])
def test_a_path_of_two_documents_stays_with_the_other(
    tmp_path: Path, model: ChatServer, kind: type[SimplePropertyGraphStore]
) -> None:
    def stated() -> list[Triplet]:
        return [
            each for each in store.get_triplets(entity_names=["moon harbour"]) if each[1].id == "directed by"
        ]

    house = house_with(tmp_path, ingestion={"vanish_limit": 1.0})
    house.edit(retrievers=graphed(), llm=llm(model))
    house.ingest()
    store = kind()
    brought(house, store)
    ids = {row.path: row.id for row in documents(house)}
    (one,) = stated()
    assert one[1].properties["documents"] == [ids["film.md"]]
    house.write("again.md", "Once more: Moon Harbour is by Ada Lindgren.\n")
    house.ingest()
    brought(house, store)
    ids = {row.path: row.id for row in documents(house)}
    (one,) = stated()
    assert one[1].properties["documents"] == [ids["film.md"], ids["again.md"]]
    (house.docs / "film.md").unlink()
    house.ingest()
    assert brought(house, store) == (0, 1)
    (one,) = stated()
    assert one[1].properties["documents"] == [ids["again.md"]]
    assert content(store) == wanted(house)
    (house.docs / "again.md").unlink()
    house.ingest()
    brought(house, store)
    assert stated() == []
    assert content(store) == wanted(house)


def documents(house: House) -> list[Any]:
    catalog = house.catalog()
    active = catalog.generations.active()
    found = catalog.documents(active.id) if active else []
    catalog.close()
    return found


@pytest.mark.parametrize("calls", range(1, 6))
def test_a_store_that_fails_in_the_middle_is_brought_in_step_later(tmp_path: Path, calls: int) -> None:
    house = house_with(tmp_path, ingestion={"vanish_limit": 1.0})
    house.ingest()
    store = Failing(0)
    brought(house, store)
    house.write("film.md", FILM.replace("Ada Lindgren", "Bo Sand"))
    house.write("new.md", PERSON.replace("Ada Lindgren", "Cy Young"))
    (house.docs / "leave.md").unlink()
    house.ingest()
    store.left = calls
    try:
        brought(house, store)
        failed = False
    except Exception as error:
        failed = True
        assert "graph_store test: the database went away" in str(error)
    assert failed == (calls < 5)
    store.left = 0
    house.write("new.md", "Nothing of what was written by half is wanted any more.\n")
    house.ingest()
    brought(house, store)
    assert content(store) == wanted(house)


@pytest.mark.parametrize(
    "step", ["committed", "mirror begun", "mirror deleted", "mirror written", "mirror kept", "mirror done"]
)
def test_a_killed_run_is_finished_by_the_next(tmp_path: Path, step: str) -> None:
    nursery: Nursery = the_nursery()
    house = house_of(tmp_path, ingestion={"vanish_limit": 1.0})
    house.ingest()
    house.write("film.md", FILM.replace("Ada Lindgren", "Bo Sand"))
    (house.docs / "leave.md").unlink()
    assert nursery.crash(house.file, step)
    content(kept(house))  # whole, if old
    assert house.ingest().outcome == "done"
    assert agrees(house)
    assert house.ingest().mirrored == (0, 0)


def test_a_store_that_is_gone_is_written_anew(tmp_path: Path) -> None:
    house = house_of(tmp_path)
    house.ingest()
    (house.config.storage / "graph.json").unlink()
    assert house.ingest().mirrored == (3, 0)
    assert agrees(house)
    assert house.ingest(rebuild=True).mirrored == (3, 0)
    assert agrees(house)
    house.edit(graph_store={**SIMPLE, "file": "other.json"})
    assert house.ingest().mirrored == (3, 0)


def test_a_store_that_can_not_be_reached_fails_the_run_and_no_document(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("llama_index.graph_stores.neo4j", reason="the extra `neo4j` is not installed")
    secret = "hunter2hunter2"
    house = house_with(tmp_path)
    house.edit(graph_store={"type": "neo4j", "url": "bolt://127.0.0.1:9", "password": secret, "timeout": 0.5})
    summary = house.ingest()
    assert (summary.outcome, summary.done, summary.failed) == ("failed", 3, 0)
    assert "127.0.0.1:9" in summary.error
    assert "the documents are ingested, and the next run brings it in step" in summary.error
    assert secret not in summary.error
    show_summary(summary, [])
    assert "stopped:" in capsys.readouterr().err
    house.edit(graph_store=SIMPLE)
    assert house.ingest().mirrored == (3, 0)


def test_a_graph_store_needs_a_graph(tmp_path: Path) -> None:
    house = House(tmp_path, {"graph_store": SIMPLE})
    with pytest.raises(
        ConfigError, match=r"graph_store.type: 'llama_index' holds the graph of a `graph` retriever"
    ):
        _ = house.config
    house.edit(retrievers=GRAPH)
    assert house.config.spec.graph_store.type == "llama_index"
    house.edit(graph_store={**SIMPLE, "file": "../elsewhere.json"})
    with pytest.raises(ConfigError, match="file"):
        _ = house.config

"""LlamaIndex's own graph retrievers over the graph of a knowledge base."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from llama_index.core.graph_stores.types import TRIPLET_SOURCE_KEY, ChunkNode, EntityNode, Relation
from llama_index.core.indices.property_graph import (
    CustomPGRetriever,
    LLMSynonymRetriever,
    PGRetriever,
    VectorContextRetriever,
)
from llama_index.core.vector_stores.types import VectorStoreQuery

from pipelines.errors import SearchaskError
from pipelines.querying.graph_store import MENTIONS, TOGETHER, CatalogGraphStore
from pipelines.querying.knowledge_base import KnowledgeBase
from tests.ingestion.test_extract import SAID, graphed, llm
from tests.ingestion.test_graph import house_with
from tests.support.chat_server import ChatServer, chat_server
from tests.support.house import House


@pytest.fixture(scope="module")
def model() -> Iterator[ChatServer]:
    """Reads three passages at ingestion, and names a synonym afterwards."""
    with chat_server("") as server:

        def reply() -> str:
            asked = server.requests[-1]["messages"][-1]["content"]
            return next((said for part, said in SAID.items() if part in asked), "Ada Lindgren^年假")

        server.next_reply = reply  # type: ignore[method-assign]
        yield server


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, model: ChatServer) -> House:
    made = house_with(tmp_path_factory.mktemp("graph"), embed_model={"type": "local"})
    made.edit(retrievers=graphed(), llm=llm(model))
    made.ingest()
    return made


@pytest.fixture(scope="module")
def base(house: House) -> Iterator[KnowledgeBase]:
    with KnowledgeBase(house.config) as opened:
        yield opened


@pytest.fixture
def store(base: KnowledgeBase) -> CatalogGraphStore:
    return base.graph_store()


def test_entities_and_passages(store: CatalogGraphStore) -> None:
    (ada,) = store.get(ids=["Ada Lindgren"])
    assert isinstance(ada, EntityNode)
    assert ada.id == "ada lindgren"
    every = store.get()
    chunks = [node for node in every if isinstance(node, ChunkNode)]
    assert {node.properties["document"] for node in chunks} == {"film.md", "person.md", "leave.md"}
    assert store.get(ids=[chunks[0].id]) == [chunks[0]]
    named = store.get(properties={TRIPLET_SOURCE_KEY: chunks[0].id})
    assert {node.id for node in named} > {chunks[0].id}
    document = chunks[0].properties["document_id"]
    assert [node.id for node in store.get(properties={"document_id": document})] == [chunks[0].id]
    assert store.get(ids=["nobody", "1-ffff"]) == store.get(ids=[]) == []


def test_triplets(store: CatalogGraphStore) -> None:
    read = {(s.id, r.id, o.id) for s, r, o in store.get_triplets(entity_names=["Ada Lindgren"])}
    assert ("moon harbour", "directed by", "ada lindgren") in read
    assert ("ada lindgren", "grew up in", "port elsinore") in read
    assert ("ada lindgren", TOGETHER, "port elsinore") in read
    (one,) = store.get_triplets(relation_names=["批准者"])
    assert (one[0].id, one[2].id) == ("年假", "人力资源部")
    assert one[1].properties["document"] == "leave.md"
    assert store.get_triplets() == []
    assert store.get_triplets(entity_names=["nobody"]) == []
    chunk = one[1].properties[TRIPLET_SOURCE_KEY]
    inside = store.get_triplets(ids=[chunk])
    assert {r.id for _, r, _ in inside} == {MENTIONS, "批准者"}
    assert store.get_triplets(properties={"document": "leave.md"}) == [one]


def test_a_map_of_relations_goes_as_deep_as_asked(store: CatalogGraphStore) -> None:
    film = store.get(ids=["Moon Harbour"])
    near = store.get_rel_map(film, depth=1, ignore_rels=[TOGETHER])
    assert {(s.id, r.id, o.id) for s, r, o in near} == {
        ("moon harbour", "directed by", "ada lindgren"),
        ("moon harbour", "made in", "port elsinore"),
    }
    far = store.get_rel_map(film, depth=2, ignore_rels=[TOGETHER])
    assert ("ada lindgren", "grew up in", "port elsinore") in {(s.id, r.id, o.id) for s, r, o in far}
    assert len(store.get_rel_map(film, limit=1)) == 1


def test_llama_index_retrieves_by_synonyms(base: KnowledgeBase, store: CatalogGraphStore) -> None:
    assert base.config.spec.llm is not None
    synonyms = LLMSynonymRetriever(store, llm=base.config.spec.llm.build(), include_text=True)
    found = PGRetriever([synonyms], use_async=False).retrieve("Who made the film?")
    texts = [each.node.get_content() for each in found]
    assert any("moon harbour -> directed by -> ada lindgren" in text for text in texts)
    assert any("人力资源部" in text for text in texts)
    assert any("Moon Harbour (2001) was directed by" in text for text in texts)


def test_llama_index_retrieves_by_vectors(base: KnowledgeBase, store: CatalogGraphStore) -> None:
    near = VectorContextRetriever(
        store, embed_model=base.config.spec.embed_model.build(), include_text=False, similarity_top_k=1
    )
    found = near.retrieve("年假由谁批准？")
    assert any(each.node.get_content() == "年假 -> 批准者 -> 人力资源部" for each in found)
    assert all(0.5 < (each.score or 0) <= 1 for each in found if "年假 " in each.node.get_content())
    with pytest.raises(SearchaskError, match="query_embedding"):
        store.vector_query(VectorStoreQuery(query_str="?"))


def test_a_retriever_of_ones_own(store: CatalogGraphStore) -> None:
    class Relations(CustomPGRetriever):
        def init(self) -> None:
            pass

        def custom_retrieve(self, query_str: str) -> str:
            return str([str(r) for _, r, _ in self.graph_store.get_triplets(entity_names=[query_str])])

    (found,) = Relations(store).retrieve("人力资源部")
    assert "批准者" in found.node.get_content()


def test_it_follows_the_documents_and_takes_nothing_else(tmp_path: Path) -> None:
    house = house_with(tmp_path)
    house.ingest()
    with KnowledgeBase(house.config) as base:
        store = base.graph_store()
        assert store.get(ids=["moon harbour"])
        together = store.get_triplets(entity_names=["ada lindgren"])
        assert {r.id for _, r, _ in together} == {TOGETHER}
        (house.docs / "film.md").unlink()
        house.ingest(allow_vanish=True)
        assert store.get(ids=["moon harbour"]) == []
        assert store.get(ids=["ada lindgren"])
        node = EntityNode(name="x")
        for write in (
            lambda: store.upsert_nodes([node]),
            lambda: store.upsert_relations([Relation(label="r", source_id="x", target_id="y")]),
            lambda: store.delete(ids=["x"]),
        ):
            with pytest.raises(SearchaskError, match="follows the documents"):
                write()
        with pytest.raises(SearchaskError, match="no query language"):
            store.structured_query("MATCH (n) RETURN n")

"""The graph of a knowledge base as a property graph store of LlamaIndex, for its retrievers: read only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn

from llama_index.core.graph_stores.types import (
    TRIPLET_SOURCE_KEY,
    ChunkNode,
    EntityNode,
    LabelledNode,
    PropertyGraphStore,
    Relation,
    Triplet,
)
from llama_index.core.schema import BaseNode, TextNode
from llama_index.core.vector_stores.types import VectorStoreQuery

from pipelines.catalog.around import Relation as ReadRelation
from pipelines.catalog.graph import GraphView
from pipelines.errors import SearchaskError
from pipelines.querying.index import OpenIndex
from pipelines.querying.no_index import NoIndex
from pipelines.text.terms import key_of

TOGETHER = "MENTIONED_WITH"
"""The relation of two terms that a passage names both."""
MENTIONS = "MENTIONS"
"""The relation of a passage and a term that it names."""
NEIGHBOURS = 30
"""Terms mentioned together with one that are given."""
_READ_ONLY = "this graph follows the documents: change them and run `searchask ingest`"


class CatalogGraphStore(PropertyGraphStore):
    """Terms as entities, passages as chunks; relations as a model read them, and by being named together.

    An entity's name is a term without case, accents and punctuation; it is found however it is written. Relations
    carry the document and, as `triplet_source_id`, the passage that they stand in.
    """

    supports_structured_queries = False
    supports_vector_queries = True

    def __init__(self, index: OpenIndex | NoIndex) -> None:
        self._index = index

    @property
    def client(self) -> None:
        """None: there is no database behind it but the catalog."""
        return None

    def get(
        self, properties: dict[str, Any] | None = None, ids: list[str] | None = None
    ) -> list[LabelledNode]:
        """Entities by name and passages by id; all, where nothing is asked for. Properties as passages have them."""
        with self._index.pinned():
            graph = self._graph
            passages = list(self._passages(ids, properties or {}))
            names = None if ids is None else list(dict.fromkeys(map(key_of, ids)))
            if properties and (source := properties.get(TRIPLET_SOURCE_KEY)) is not None:
                named = self._named([str(source)])
                entities = [_entity(term, str(source)) for term in named if names is None or term in names]
            else:
                entities = [_entity(term) for term in graph.terms(names)]
        found: list[LabelledNode] = [*entities, *passages]
        return [node for node in found if _fits(properties, node)]

    def get_triplets(
        self,
        entity_names: list[str] | None = None,
        relation_names: list[str] | None = None,
        properties: dict[str, Any] | None = None,
        ids: list[str] | None = None,
    ) -> list[Triplet]:
        """Relations at an entity or in a passage, by their own words or by a property; none where none is given."""
        if not (entity_names or relation_names or properties or ids):
            return []
        with self._index.pinned():
            graph = self._graph
            places = self._index.nodes_of([*(ids or ()), *_sources(properties)])
            asked = [*(entity_names or ()), *(each for each in ids or () if each not in places)]
            terms = list(dict.fromkeys(map(key_of, asked)))
            free = not asked and not places
            read = graph.relations(terms=terms, nodes=list(places), labels=relation_names or ())
            found = [*self._read(read), *self._mentions(places)]
            found += [each for term in (() if free else terms) for each in self._together(graph, term)]
        return [each for each in found if _suits(each, entity_names, relation_names, properties)]

    def get_rel_map(
        self,
        graph_nodes: list[LabelledNode],
        depth: int = 2,
        limit: int = 30,
        ignore_rels: list[str] | None = None,
    ) -> list[Triplet]:
        """The relations around entities and passages, the nearest first, then those around what these lead to."""
        found: dict[tuple[str, str, str], Triplet] = {}
        front, been = [node.id for node in graph_nodes], set[str]()
        for _ in range(depth):
            front = [each for each in front if each not in been]
            been |= set(front)
            reached = []
            for triplet in self.get_triplets(ids=front) if front else ():
                if triplet[1].id not in (ignore_rels or ()):
                    found.setdefault((triplet[0].id, triplet[1].id, triplet[2].id), triplet)
                    reached += [triplet[0].id, triplet[2].id]
            if len(found) >= limit:
                break
            front = list(dict.fromkeys(reached))
        return list(found.values())[:limit]

    def get_llama_nodes(self, node_ids: list[str]) -> list[BaseNode]:
        """Passages as retrievers give them."""
        found = self._index.nodes_of(node_ids)
        return [found[each] for each in dict.fromkeys(node_ids) if each in found]

    async def aget_llama_nodes(self, node_ids: list[str]) -> list[BaseNode]:
        """As `get_llama_nodes`."""
        return self.get_llama_nodes(node_ids)

    def vector_query(self, query: VectorStoreQuery, **kwargs: Any) -> tuple[list[LabelledNode], list[float]]:
        """The entities that the passages closest to a vector name, each with the similarity of the closest."""
        if query.query_embedding is None:
            raise SearchaskError("this graph is asked with a vector: set query_embedding")
        best: dict[str, tuple[str, float]] = {}
        with self._index.pinned():
            hits = self._index.nearest(query.query_embedding, query.similarity_top_k)
            for hit in hits:
                for term in self._named([hit.node.node_id]):
                    best.setdefault(term, (hit.node.node_id, hit.score or 0.0))
        return [_entity(term, node) for term, (node, _) in best.items()], [each for _, each in best.values()]

    def upsert_nodes(self, nodes: Sequence[LabelledNode]) -> NoReturn:
        """Raises SearchaskError: documents decide what is here."""
        raise SearchaskError(_READ_ONLY)

    def upsert_relations(self, relations: list[Relation]) -> NoReturn:
        """Raises SearchaskError: documents decide what is here."""
        raise SearchaskError(_READ_ONLY)

    def delete(
        self,
        entity_names: list[str] | None = None,
        relation_names: list[str] | None = None,
        properties: dict[str, Any] | None = None,
        ids: list[str] | None = None,
    ) -> NoReturn:
        """Raises SearchaskError: documents decide what is here."""
        raise SearchaskError(_READ_ONLY)

    def structured_query(self, query: str, param_map: dict[str, Any] | None = None) -> NoReturn:
        """Raises SearchaskError: there is no query language."""
        raise SearchaskError("this graph knows no query language: use `get_triplets` or `get_rel_map`")

    @property
    def _graph(self) -> GraphView:
        return self._index.structure.graph

    def _passages(self, ids: list[str] | None, properties: Mapping[str, Any]) -> Iterator[ChunkNode]:
        if ids is None:
            document = properties.get("document_id")
            within = self._graph.documents if document is None or len(properties) > 1 else [document]
            ids = [node for own in self._index.structure.leaves(within).values() for node in own]
        for offset in range(0, len(ids), 400):
            for node in self._index.nodes_of(ids[offset : offset + 400]).values():
                yield _chunk(node)

    def _named(self, nodes: Sequence[str]) -> list[str]:
        """What passages name."""
        places = [(each.metadata["document_id"], key) for key, each in self._index.nodes_of(nodes).items()]
        return list(dict.fromkeys(term for own in self._graph.named(places).values() for term in own))

    def _read(self, relations: Sequence[ReadRelation]) -> Iterator[Triplet]:
        places = self._index.nodes_of(list({each.node for each in relations}))
        for each in relations:
            if each.node in places:
                ends = each.subject_term, each.object_term
                relation = _relation(each.relation, *ends, places[each.node].metadata, each.node)
                yield _entity(ends[0], each.node), relation, _entity(ends[1], each.node)

    def _mentions(self, places: Mapping[str, TextNode]) -> Iterator[Triplet]:
        for key, node in places.items():
            for term in self._named([key]):
                yield _chunk(node), _relation(MENTIONS, key, term, node.metadata, key), _entity(term, key)

    def _together(self, graph: GraphView, term: str) -> Iterator[Triplet]:
        near = graph.neighbours(term, most=NEIGHBOURS)
        places = self._index.nodes_of([each.node for each in near])
        for each in near:
            if each.node in places:
                metadata = {**places[each.node].metadata, "passages": each.passages}
                relation = _relation(TOGETHER, term, each.term, metadata, each.node)
                yield _entity(term, each.node), relation, _entity(each.term, each.node)


def _entity(term: str, source: str = "") -> EntityNode:
    return EntityNode(name=term, properties={TRIPLET_SOURCE_KEY: source} if source else {})


def _chunk(node: TextNode) -> ChunkNode:
    # Its own source, so that retrievers add its text.
    return ChunkNode(
        id_=node.node_id, text=node.text, properties={**node.metadata, TRIPLET_SOURCE_KEY: node.node_id}
    )


def _relation(label: str, source: str, target: str, metadata: Mapping[str, Any], node: str) -> Relation:
    kept = ("document", "document_id", "passages")
    properties = {name: metadata[name] for name in kept if name in metadata}
    return Relation(
        label=label, source_id=source, target_id=target, properties={**properties, TRIPLET_SOURCE_KEY: node}
    )


def _sources(properties: Mapping[str, Any] | None) -> list[str]:
    source = (properties or {}).get(TRIPLET_SOURCE_KEY)
    return [] if source is None else [str(source)]


def _fits(properties: Mapping[str, Any] | None, node: LabelledNode) -> bool:
    return not properties or any(node.properties.get(name) == value for name, value in properties.items())


def _suits(
    triplet: Triplet,
    entity_names: Sequence[str] | None,
    relation_names: Sequence[str] | None,
    properties: Mapping[str, Any] | None,
) -> bool:
    """Whether a relation is among those asked for, as LlamaIndex's own store decides it."""
    subject, relation, end = triplet
    names = set(map(key_of, entity_names or ()))
    if names and subject.id not in names and end.id not in names:
        return False
    if relation_names and relation.id not in relation_names:
        return False
    parts = (subject.properties, relation.properties, end.properties)
    return not properties or any(
        part.get(name) == value for name, value in properties.items() for part in parts
    )

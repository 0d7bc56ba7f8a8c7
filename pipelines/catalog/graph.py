"""The graph in the catalog: what documents are called, and which of their passages name what.

Written in the transaction that makes a document's nodes live, so that it always tells of exactly those.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, delete, insert, select

from pipelines.catalog.around import (
    Around,
    Neighbour,
    Relation,
    around,
    known_terms,
    named_by,
    neighbours,
    relations,
    terms_like,
)
from pipelines.catalog.database import explained, snapshot
from pipelines.catalog.rows import Names
from pipelines.catalog.tables import documents, graph_documents, graph_mentions, graph_paths, graph_titles
from pipelines.text.terms import first_unit, key_of, stem_titles

_TABLES = (graph_paths, graph_mentions, graph_titles, graph_documents)
_CLEAR = tuple(delete(table).where(table.c.document == bindparam("of")) for table in _TABLES)
_HELD = select(graph_documents.c.key).where(graph_documents.c.document == bindparam("of"))
_KEYS = (
    select(graph_documents.c.document, graph_documents.c.key)
    .join(documents, documents.c.id == graph_documents.c.document)
    .where(documents.c.generation == bindparam("of"))
)
_TITLES = (
    select(graph_titles.c.term, graph_titles.c.document)
    .join(documents, documents.c.id == graph_titles.c.document)
    .where(documents.c.generation == bindparam("of"))
)
_NAMING = (
    select(graph_mentions.c.term, graph_mentions.c.node, graph_mentions.c.document)
    .join(documents, documents.c.id == graph_mentions.c.document)
    .where(
        documents.c.generation == bindparam("of"),
        graph_mentions.c.term.in_(bindparam("terms", expanding=True)),
    )
)
_NAMED = select(graph_mentions.c.node, graph_mentions.c.term).where(
    graph_mentions.c.document.in_(bindparam("documents", expanding=True)),
    graph_mentions.c.node.in_(bindparam("nodes", expanding=True)),
)

_ADD_DOCUMENT, _ADD_TITLES, _ADD_MENTIONS, _ADD_PATHS = (
    insert(table) for table in (graph_documents, graph_titles, graph_mentions, graph_paths)
)


def write(connection: Connection, document: int, names: Names | None) -> None:
    """Put a document's names in the place of those before; None takes it out of the graph."""
    if names is None and connection.scalar(_HELD, {"of": document}) is None:
        return
    for statement in _CLEAR:
        connection.execute(statement, {"of": document})
    if names is None:
        return
    connection.execute(_ADD_DOCUMENT, {"document": document, "key": names.key})
    _add_titles(connection, document, names.titles, names.of_name)
    if names.mentions:
        rows = [
            {"document": document, "node": node, "term": term} for node, term in dict.fromkeys(names.mentions)
        ]
        connection.execute(_ADD_MENTIONS, rows)
    if names.paths:
        connection.execute(_ADD_PATHS, list(_path_rows(document, names)))


def rename(connection: Connection, document: int, path: str) -> None:
    """Call a document by another file name as well as what its text calls it."""
    if connection.scalar(_HELD, {"of": document}) is None:
        return
    own = graph_titles.c.document == document
    connection.execute(delete(graph_titles).where(own, graph_titles.c.of_name))
    known = set(connection.scalars(select(graph_titles.c.term).where(own)))
    _add_titles(connection, document, (), [term for term in stem_titles(path) if term not in known])


def drop(connection: Connection, generation: int) -> None:
    """Forget the graph of a generation."""
    members = select(documents.c.id).where(documents.c.generation == generation)
    for table in _TABLES:
        connection.execute(delete(table).where(table.c.document.in_(members)))


def keys(connection: Connection, generation: int) -> dict[int, str]:
    """How the names of each document were found; none where the storage is of a version without a graph."""
    if not connection.dialect.has_table(connection, graph_documents.name):
        return {}
    return {row.document: row.key for row in connection.execute(_KEYS, {"of": generation})}


def _path_rows(document: int, names: Names) -> Iterator[dict[str, Any]]:
    for number, (node, path) in enumerate(names.paths):
        yield {
            "document": document,
            "node": node,
            "number": number,
            "subject": path.subject,
            "relation": path.relation,
            "object": path.object,
            "subject_term": key_of(path.subject),
            "object_term": key_of(path.object),
        }


def _add_titles(connection: Connection, document: int, titles: Sequence[str], of_name: Sequence[str]) -> None:
    rows = [{"document": document, "term": term, "of_name": False} for term in dict.fromkeys(titles)]
    known = set(titles)
    rows += [
        {"document": document, "term": term, "of_name": True}
        for term in dict.fromkeys(of_name)
        if term not in known
    ]
    if rows:
        connection.execute(_ADD_TITLES, rows)


class GraphView:
    """Reads the graph of one generation, as one version of the catalog shows it."""

    def __init__(self, engine: Engine, generation: int) -> None:
        self._engine, self._generation = engine, generation

    @cached_property
    def documents(self) -> tuple[int, ...]:
        """The documents that are in it."""
        with explained("the catalog"), self._engine.connect() as connection:
            return tuple(sorted(keys(connection, self._generation)))

    @property
    def built(self) -> bool:
        """Whether any document is in it."""
        return bool(self.documents)

    @cached_property
    def titles(self) -> dict[str, tuple[int, ...]]:
        """The documents that are called by a term."""
        found: dict[str, list[int]] = {}
        with explained("the catalog"), self._engine.connect() as connection:
            for row in connection.execute(_TITLES, {"of": self._generation}):
                found.setdefault(row.term, []).append(row.document)
        return {term: tuple(sorted(of)) for term, of in found.items()}

    @cached_property
    def first_units(self) -> frozenset[str]:
        """The first words or characters of all titles."""
        return frozenset(map(first_unit, self.titles))

    def titles_of(self, wanted: Sequence[int]) -> dict[int, list[str]]:
        """What documents are called."""
        chosen = set(wanted)
        found: dict[int, list[str]] = {document: [] for document in wanted}
        for term, of in self.titles.items():
            for document in chosen.intersection(of):
                found[document].append(term)
        return found

    def named(self, nodes: Sequence[tuple[int, str]]) -> dict[str, list[str]]:
        """What nodes, given with their documents, name."""
        found: dict[str, list[str]] = {}
        for part in _parts(nodes):
            values = {
                "documents": sorted({document for document, _ in part}),
                "nodes": [node for _, node in part],
            }
            for row in self._rows(_NAMED, values):
                found.setdefault(row.node, []).append(row.term)
        return found

    def naming(self, terms: Sequence[str], *, most: int) -> dict[str, list[tuple[int, str]]]:
        """The nodes that name a term, with their documents, for those terms that at most so many nodes name."""
        found: dict[str, list[tuple[int, str]]] = {}
        for part in _parts(terms):
            with explained("the catalog"), self._engine.connect() as connection:
                times = named_by(connection, self._generation, part)
            asked = {"of": self._generation, "terms": [term for term in times if times[term] <= most]}
            for row in self._rows(_NAMING, asked) if asked["terms"] else ():
                found.setdefault(row.term, []).append((row.document, row.node))
        return found

    def around(self, term: str, *, most: int = 30) -> Around:
        """What is tied to a term, however it is written; of each kind so many at most."""
        with explained("the catalog"), snapshot(self._engine) as connection:
            return around(connection, self._generation, term, most)

    def terms_like(self, prefix: str, most: int = 20) -> list[str]:
        """Terms that begin like a text, those that most passages name first."""
        with explained("the catalog"), self._engine.connect() as connection:
            return terms_like(connection, self._generation, prefix, most)

    def relations(
        self,
        *,
        terms: Sequence[str] = (),
        nodes: Sequence[str] = (),
        labels: Sequence[str] = (),
        most: int = 1000,
    ) -> list[Relation]:
        """What models read of terms or in nodes, or by the relation's own words; so many at most."""
        options = {"terms": terms, "nodes": nodes, "labels": labels}
        with explained("the catalog"), self._engine.connect() as connection:
            return relations(connection, self._generation, **options, most=most)

    def neighbours(self, term: str, *, most: int = 30) -> list[Neighbour]:
        """The terms that passages name together with another, the most frequent first, without common words."""
        with explained("the catalog"), self._engine.connect() as connection:
            return neighbours(connection, self._generation, term, most)

    def terms(self, among: Sequence[str] | None = None) -> list[str]:
        """Terms that passages name or documents are called by: all of them, or those of some."""
        with explained("the catalog"), self._engine.connect() as connection:
            return known_terms(connection, self._generation, among)

    def _rows(self, statement: Any, values: dict[str, Any]) -> list[Any]:
        with explained("the catalog"), self._engine.connect() as connection:
            return list(connection.execute(statement, values))


def _parts(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for offset in range(0, len(values), 400):
        yield values[offset : offset + 400]

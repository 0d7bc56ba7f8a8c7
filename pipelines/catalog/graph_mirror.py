"""What another store holds of the graph, so that it is kept in step: nothing is there that is not noted here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, Engine, bindparam, delete, insert, or_, select

from pipelines.catalog.database import explained
from pipelines.catalog.tables import (
    documents,
    graph_documents,
    graph_mentions,
    graph_mirrored,
    graph_mirrors,
    graph_paths,
    meta,
    nodes,
)
from pipelines.spec import fingerprint

MENTIONS = "MENTIONS"
"""The relation of a passage and a term that it names."""
_RESERVED = frozenset({MENTIONS, "SOURCE"})
"""Relations that mean something else to LlamaIndex than what a model read."""


class Row(NamedTuple):
    """A passage (`label` is empty), a term that one names, or a path, and the document that it stands in."""

    document: int
    source: str
    label: str = ""
    target: str = ""

    @property
    def ends(self) -> tuple[str, ...]:
        """The nodes that it needs."""
        return (self.source, self.target) if self.label else (self.source,)

    @property
    def relation(self) -> tuple[str, str, str]:
        """What it says, whichever document says it."""
        return self[1:]


_STATES = select(
    graph_documents.c.document, graph_documents.c.key, documents.c.load, documents.c.parse, documents.c.path
).join(documents, documents.c.id == graph_documents.c.document)
_ROWS = select(graph_mirrored)


class MirrorLog:
    """The verbs on what is noted; writes need the storage's lock."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def belongs_to(self, store: str, *, empty: bool) -> None:
        """Forget what is noted where it is of another store, or where the store is known to hold nothing."""
        with explained("the catalog"), self._engine.begin() as connection:
            known = connection.scalar(select(meta.c.value).where(meta.c.key == "graph_store"))
            if known == store and not empty:
                return
            for table in (graph_mirrored, graph_mirrors):
                connection.execute(delete(table))
            connection.execute(delete(meta).where(meta.c.key == "graph_store"))
            connection.execute(insert(meta), {"key": "graph_store", "value": store})

    def again(self) -> None:
        """Have every document written again; what is noted stays, for what must go."""
        with explained("the catalog"), self._engine.begin() as connection:
            connection.execute(delete(graph_mirrors))

    def wanted(self, generation: int) -> dict[int, str]:
        """By document, a key that changes with what it adds to the graph."""
        with explained("the catalog"), self._engine.connect() as connection:
            rows = connection.execute(_STATES.where(documents.c.generation == generation))
            return {row.document: fingerprint(row.key, row.load, row.parse, row.path) for row in rows}

    def held(self) -> dict[int, str]:
        """The key under which each document was mirrored; empty where that was begun only."""
        with explained("the catalog"), self._engine.connect() as connection:
            begun = connection.scalars(select(graph_mirrored.c.document).distinct())
            found = dict.fromkeys(begun, "")
            return found | {row.document: row.key for row in connection.execute(select(graph_mirrors))}

    def current(self, ids: Sequence[int]) -> set[Row]:
        """What documents add to the graph as the catalog has it now."""
        found: set[Row] = set()
        with explained("the catalog"), self._engine.connect() as connection:
            of = graph_documents.c.document.in_(ids)
            live = set(connection.scalars(select(graph_documents.c.document).where(of)))
            leaves = select(nodes.c.document, nodes.c.id).where(nodes.c.leaf, nodes.c.document.in_(live))
            found |= {Row(row.document, row.id) for row in connection.execute(leaves)}
            named = select(graph_mentions).where(graph_mentions.c.document.in_(live))
            found |= {
                Row(each.document, each.node, MENTIONS, each.term) for each in connection.execute(named)
            }
            read = select(graph_paths).where(graph_paths.c.document.in_(live))
            for row in connection.execute(read):
                label = row.relation.lower() if row.relation in _RESERVED else row.relation
                found.add(Row(row.document, row.subject_term, label, row.object_term))
        return found

    def of(self, ids: Sequence[int]) -> set[Row]:
        """What is noted of documents."""
        with explained("the catalog"), self._engine.connect() as connection:
            return _rows(connection.execute(_ROWS.where(graph_mirrored.c.document.in_(ids))))

    def touching(self, ends: Iterable[str]) -> set[Row]:
        """What is noted of nodes, whichever documents it is of."""
        found: set[Row] = set()
        with explained("the catalog"), self._engine.connect() as connection:
            for part in _parts(sorted(ends)):
                at = or_(graph_mirrored.c.source.in_(part), graph_mirrored.c.target.in_(part))
                found |= _rows(connection.execute(_ROWS.where(at)))
        return found

    def begin(self, ids: Sequence[int], rows: Iterable[Row]) -> None:
        """Note what is about to be written of documents; they count as not mirrored until `finish`."""
        with explained("the catalog"), self._engine.begin() as connection:
            connection.execute(delete(graph_mirrors).where(graph_mirrors.c.document.in_(ids)))
            _add(connection, rows)

    def finish(self, keys: Mapping[int, str], dropped: Iterable[Row]) -> None:
        """Note that documents are mirrored under their keys, and what is no longer there."""
        rows = [each._asdict() for each in dropped]
        with explained("the catalog"), self._engine.begin() as connection:
            if rows:
                same = [graph_mirrored.c[name] == bindparam(f"of_{name}") for name in Row._fields]
                renamed = [{f"of_{name}": value for name, value in row.items()} for row in rows]
                connection.execute(delete(graph_mirrored).where(*same), renamed)
            if keys:
                values = [{"document": document, "key": key} for document, key in keys.items()]
                connection.execute(insert(graph_mirrors), values)


def _add(connection: Connection, rows: Iterable[Row]) -> None:
    values = [each._asdict() for each in rows]
    if values:
        connection.execute(insert(graph_mirrored), values)


def _rows(found: Iterable[tuple[int, str, str, str]]) -> set[Row]:
    return {Row(*each) for each in found}


def _parts(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for offset in range(0, len(values), 400):
        yield values[offset : offset + 400]

"""The catalog: documents and nodes, and the few verbs on them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from pipelines.catalog import contents, graph, version, vetted
from pipelines.catalog.cache import EmbeddingCache
from pipelines.catalog.database import connect, explained, snapshot
from pipelines.catalog.generations import Generations
from pipelines.catalog.jobs import JobLog
from pipelines.catalog.rows import DocumentRow, Node, Revision
from pipelines.catalog.tables import contents as contents_table
from pipelines.catalog.tables import documents, nodes, retired
from pipelines.documents import Document

_DOCUMENT = tuple(documents.c[name] for name in DocumentRow.__dataclass_fields__)

# Said once, since SQLAlchemy takes longer to build a statement than SQLite to carry it out.
_LEAVES = select(nodes.c.id).where(nodes.c.document == bindparam("of"), nodes.c.leaf)
_CLEAR = delete(nodes).where(nodes.c.document == bindparam("of"))
_FILL = insert(nodes)
_SETTLE = update(documents).where(documents.c.id == bindparam("of"))


class Catalog:
    """The one source of truth; several may read, the holder of the storage's lock writes.

    Every write method is one transaction: it happens whole or not at all. All raise StorageError where the
    database can't do it.
    """

    def __init__(self, storage: Path, url: str | None = None, *, create: bool = False) -> None:
        self.engine = connect(storage, url, create=create)
        self.generations = Generations(self.engine)
        self.jobs = JobLog(self.engine)

    def close(self) -> None:
        """Give back the connections."""
        self.engine.dispose()

    def cache(self, model: str) -> EmbeddingCache:
        """The embedding cache of one model fingerprint."""
        return EmbeddingCache(self.engine, model)

    def version(self) -> int:
        """A number that moves with every commit a reader must notice."""
        with explained("the catalog"), self.engine.connect() as connection:
            return version.read(connection)

    # documents

    def documents(self, generation: int) -> list[DocumentRow]:
        """Every document of a generation, in the order of their names."""
        query = select(*_DOCUMENT).where(documents.c.generation == generation)
        with explained("the catalog"), self.engine.connect() as connection:
            rows = connection.execute(query.order_by(documents.c.loader, documents.c.path))
            return [DocumentRow(*row) for row in rows]

    def row(self, document: int) -> DocumentRow:
        """One document by its id."""
        with explained("the catalog"), self.engine.connect() as connection:
            return DocumentRow(
                *connection.execute(select(*_DOCUMENT).where(documents.c.id == document)).one()
            )

    def register(self, generation: int, names: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """Give new documents, named by loader and path, their ids; one already known keeps its own."""
        known = {(row.loader, row.path): row.id for row in self.documents(generation)}
        fresh = [
            {"generation": generation, "loader": loader, "path": path, "state": "new"}
            for loader, path in dict.fromkeys(names)
            if (loader, path) not in known
        ]
        if fresh:
            with explained("the catalog"), self.engine.begin() as connection:
                connection.execute(insert(documents), fresh)
            known = {(row.loader, row.path): row.id for row in self.documents(generation)}
        return {name: known[name] for name in names}

    def change(self, document: int, **values: Any) -> None:
        """Set columns of one document's row, such as its state and its error."""
        with explained("the catalog"), self.engine.begin() as connection:
            connection.execute(update(documents).where(documents.c.id == document).values(values))

    def touch(self, stats: Sequence[tuple[int, int, int]]) -> None:
        """Record (document id, size, modification time) of files that changed in nothing else."""
        with explained("the catalog"), self.engine.begin() as connection:
            for document, size, modified in stats:
                chosen = update(documents).where(documents.c.id == document)
                connection.execute(chosen.values(size=size, modified=modified))

    def move(self, generation: int, document: int, loader: str, path: str, **values: Any) -> None:
        """Give a document another name; its nodes stay."""
        named = (documents.c.generation == generation, documents.c.loader == loader, documents.c.path == path)
        with explained("the catalog"), self.engine.begin() as connection:
            # A run that was killed may have registered the new name, and no more.
            connection.execute(delete(documents).where(*named, documents.c.content == ""))
            chosen = update(documents).where(documents.c.id == document)
            connection.execute(chosen.values(loader=loader, path=path, **values))
            graph.rename(connection, document, path)
            version.bump(connection)

    def remove(self, generation: int, ids: Sequence[int]) -> int:
        """Forget documents; their nodes are gone at once, their entries swept later. The nodes removed."""
        with explained("the catalog"), self.engine.begin() as connection:
            gone = 0
            for document in ids:
                gone += _emptied(connection, generation, document)
                connection.execute(delete(documents).where(documents.c.id == document))
            if ids:
                version.bump(connection)
        return gone

    def withdraw(self, generation: int, document: int, **values: Any) -> int:
        """Forget what is indexed of a document and keep its row, with columns set. The nodes removed."""
        nothing = {"content": "", "load": "", "parse": "", "chunks": 0, "tokens": 0}
        with explained("the catalog"), self.engine.begin() as connection:
            gone = _emptied(connection, generation, document)
            connection.execute(
                update(documents).where(documents.c.id == document).values({**nothing, **values})
            )
            version.bump(connection)
        return gone

    def text(self, load: str) -> Document | None:
        """A document's text as it was read, by its load fingerprint."""
        with explained("the catalog"), self.engine.connect() as connection:
            return contents.read(connection, load)

    def texts(self) -> set[str]:
        """The load fingerprints of all texts that are held."""
        with explained("the catalog"), self.engine.connect() as connection:
            return set(connection.scalars(select(contents_table.c.key)))

    def graph_keys(self, generation: int) -> dict[int, str]:
        """How the names of each document in the graph were found, by document id."""
        with explained("the catalog"), self.engine.connect() as connection:
            return graph.keys(connection, generation)

    def encodings(self) -> dict[str, str]:
        """The text encoding that was recognised, by load fingerprint."""
        query = select(contents_table.c.key, contents_table.c.encoding)
        with explained("the catalog"), self.engine.connect() as connection:
            return {row.key: row.encoding for row in connection.execute(query)}

    def listing(self) -> list[dict[str, Any]]:
        """The documents of the index that answers now: the JSON contract of `documents --json`."""
        active = self.generations.active()
        encodings = self.encodings()
        return [
            {
                "document": row.path,
                "loader": row.loader,
                "state": row.state,
                "chunks": row.chunks,
                "encoding": encodings.get(row.load, ""),
                "error": row.error,
            }
            for row in (self.documents(active.id) if active else ())
        ]

    def notes(self) -> dict[str, tuple[str, ...]]:
        """What a person should know about texts, by load fingerprint; those without notes are left out."""
        query = select(contents_table.c.key, contents_table.c.notes).where(contents_table.c.notes != "[]")
        with explained("the catalog"), self.engine.connect() as connection:
            return {row.key: tuple(json.loads(row.notes)) for row in connection.execute(query)}

    # nodes

    def leaves(self, document: int) -> set[str]:
        """The ids of a document's nodes that stand in the derived stores."""
        with self.engine.connect() as connection:
            return set(connection.scalars(_LEAVES, {"of": document}))

    def nodes(self, document: int) -> list[tuple[Node, str]]:
        """A document's nodes in order, with their texts."""
        query = select(nodes, documents.c.load).join(documents).where(nodes.c.document == document)
        with explained("the catalog"), snapshot(self.engine) as connection:
            rows = connection.execute(query.order_by(nodes.c.position)).all()
            spans = {(row.load, row.start, row.end) for row in rows if row.text is None}
            texts = contents.read_spans(connection, spans)
        found = []
        for row in rows:
            fields = {name: getattr(row, name) for name in Node.__dataclass_fields__}
            text = contents.unpack(row.text) if row.text is not None else texts[row.load, row.start, row.end]
            found.append((Node(**{**fields, "text": text}), text))
        return found

    def leaf_ids(self, generation: int) -> set[str]:
        """Every id that the derived stores of a generation must hold."""
        query = select(nodes.c.id).join(documents).where(documents.c.generation == generation, nodes.c.leaf)
        with explained("the catalog"), self.engine.connect() as connection:
            return set(connection.scalars(query))

    def count_leaves(self, generation: int) -> int:
        """How many entries the derived stores of a generation must hold."""
        joined = nodes.join(documents)
        query = (
            select(func.count()).select_from(joined).where(documents.c.generation == generation, nodes.c.leaf)
        )
        with explained("the catalog"), self.engine.connect() as connection:
            return connection.scalar(query) or 0

    # the protocol of a write: intend, (upsert), commit, (delete), forget

    def intend(self, generation: int, ids: Iterable[str]) -> None:
        """Note ids before they are written to the derived stores, so that a crash leaves no orphan unknown."""
        with explained("the catalog"), self.engine.begin() as connection:
            _note_retired(connection, generation, list(ids))

    def commit(self, generation: int, revisions: Sequence[Revision]) -> int:
        """Make new versions of documents live and retire the old ones, all at once. The nodes retired."""
        removed = 0
        with explained("the catalog"), self.engine.begin() as connection:
            for revision in revisions:
                removed += _flip(connection, generation, revision)
            _strike(connection, generation, [each for revision in revisions for each in revision.added])
            version.bump(connection)
        return removed

    def retired(self, generation: int, limit: int = 1000) -> list[str]:
        """Ids that the derived stores may hold and must not."""
        query = select(retired.c.node).where(retired.c.generation == generation).limit(limit)
        with self.engine.connect() as connection:
            return list(connection.scalars(query))

    def forget(self, generation: int, ids: Sequence[str]) -> None:
        """Strike ids off the list of the retired, once the derived stores have deleted them."""
        with explained("the catalog"), self.engine.begin() as connection:
            _strike(connection, generation, ids)

    def drop_unused_texts(self) -> int:
        """Delete the texts that no document refers to; the number deleted."""
        with explained("the catalog"), self.engine.begin() as connection:
            return contents.drop_unused(connection)

    def compact(self) -> None:
        """Give free pages back to the disk, where the database can."""
        if self.engine.dialect.name == "sqlite":
            with suppress(OSError), explained("the catalog"), self.engine.connect() as connection:
                connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("VACUUM")


def _flip(connection: Connection, generation: int, revision: Revision) -> int:
    """Replace one document's nodes; the number that existed before and no longer does."""
    if revision.text is not None:
        contents.write(connection, revision.load, revision.text)
    leaves = [node for node in revision.nodes if node.leaf]
    removed = _retire(connection, generation, revision.document, keep={node.id for node in leaves})
    connection.execute(_CLEAR, {"of": revision.document})
    if revision.nodes:
        connection.execute(_FILL, [_values(revision.document, node) for node in revision.nodes])
    graph.write(connection, revision.document, revision.names)
    if revision.vetted:
        vetted.write(connection, [revision.load], revision.vetted)
    values = {
        "of": revision.document,
        "content": revision.content,
        "load": revision.load,
        "parse": revision.parse,
        "size": revision.size,
        "modified": revision.modified,
        "state": revision.state,
        "error": revision.error,
        "chunks": len(leaves),
        "tokens": sum(node.tokens for node in leaves),
    }
    if revision.state == "done":
        values["seen"] = revision.content
    connection.execute(_SETTLE, values)
    return removed


def _values(document: int, node: Node) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(node, name) for name in Node.__dataclass_fields__}
    row["document"] = document
    row["text"] = None if node.text is None else contents.pack(node.text)
    return row


def _emptied(connection: Connection, generation: int, document: int) -> int:
    """Take away all nodes of a document; how many they were."""
    gone = _retire(connection, generation, document, keep=set())
    graph.write(connection, document, None)
    connection.execute(_CLEAR, {"of": document})
    return gone


def _retire(connection: Connection, generation: int, document: int, *, keep: set[str]) -> int:
    gone = [each for each in connection.scalars(_LEAVES, {"of": document}) if each not in keep]
    _note_retired(connection, generation, gone)
    return len(gone)


def _note_retired(connection: Connection, generation: int, ids: Sequence[str]) -> None:
    if ids:
        _strike(connection, generation, ids)  # an id that a crash left noted is noted once
        connection.execute(
            insert(retired), [{"generation": generation, "node": each} for each in dict.fromkeys(ids)]
        )


def _strike(connection: Connection, generation: int, ids: Sequence[str]) -> None:
    for offset in range(0, len(ids), 500):
        part = ids[offset : offset + 500]
        connection.execute(
            delete(retired).where(retired.c.generation == generation, retired.c.node.in_(part))
        )

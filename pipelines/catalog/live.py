"""Live nodes for a question: what the derived stores found, as the catalog knows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, bindparam, select

from pipelines.catalog import contents
from pipelines.catalog.cache import look_up
from pipelines.catalog.database import explained, snapshot
from pipelines.catalog.tables import documents, nodes

if TYPE_CHECKING:
    from pipelines.index import Vector


@dataclass(frozen=True, slots=True)
class LiveNode:
    """A node that exists, with its text and its place."""

    id: str
    text: str
    start: int | None
    end: int | None
    page: int | None
    heading: str
    table_header: str
    position: int
    document_id: int
    document: str
    loader: str
    modified: int
    digest: bytes


_LIVE = (
    select(
        nodes.c.id,
        nodes.c.start,
        nodes.c.end,
        nodes.c.page,
        nodes.c.heading,
        nodes.c.table_header,
        nodes.c.position,
        nodes.c.text,
        nodes.c.digest,
        documents.c.id.label("document_id"),
        documents.c.path,
        documents.c.loader,
        documents.c.load,
        documents.c.modified,
        documents.c.generation,
    )
    .join(documents, nodes.c.document == documents.c.id)
    .where(nodes.c.id.in_(bindparam("ids", expanding=True)))
)


_SIBLINGS = (
    select(nodes.c.id, nodes.c.document)
    .where(nodes.c.leaf, nodes.c.document.in_(bindparam("documents", expanding=True)))
    .order_by(nodes.c.document, nodes.c.position)
)

_PLACES = select(nodes.c.id, nodes.c.document, nodes.c.heading).where(
    nodes.c.id.in_(bindparam("ids", expanding=True))
)
_DIGESTS = select(nodes.c.id, nodes.c.digest).where(nodes.c.id.in_(bindparam("ids", expanding=True)))


class LiveNodes:
    """Reads the nodes of one generation."""

    def __init__(self, engine: Engine, generation: int, cache_key: str) -> None:
        self._engine = engine
        self._generation = generation
        self._cache_key = cache_key

    def get(self, ids: Sequence[str]) -> dict[str, LiveNode]:
        """Those of the ids that are live, by id."""
        if not ids:
            return {}
        with explained("the catalog"), snapshot(self._engine) as connection:
            known = connection.execute(_LIVE, {"ids": list(ids)})
            # Not in the query: SQLite would go through all nodes of the generation instead of these few.
            rows = [row for row in known if row.generation == self._generation]
            spans = {(row.load, row.start, row.end) for row in rows if row.text is None}
            texts = contents.read_spans(connection, spans)
        found: dict[str, LiveNode] = {}
        for row in rows:
            text = (
                texts.get((row.load, row.start, row.end)) if row.text is None else contents.unpack(row.text)
            )
            if text is not None:
                found[row.id] = _node(row, text)
        return found

    def around(self, ids: Sequence[str], before: int, after: int) -> dict[str, list[LiveNode]]:
        """For each live leaf the leaves around it in its document, itself among them, in order."""
        held = self.get(ids)
        orders: dict[int, list[str]] = {}
        with explained("the catalog"), self._engine.connect() as connection:
            wanted = sorted({node.document_id for node in held.values()})
            for row in connection.execute(_SIBLINGS, {"documents": wanted}):
                orders.setdefault(row.document, []).append(row.id)
        near: dict[str, list[str]] = {}
        for key, node in held.items():
            order = orders.get(node.document_id, [])
            if key in order:
                place = order.index(key)
                near[key] = order[max(0, place - before) : place + after + 1]
        known = self.get(list(dict.fromkeys(each for part in near.values() for each in part)))
        return {key: [known[each] for each in part if each in known] for key, part in near.items()}

    def text_between(self, document: int, start: int, end: int) -> str | None:
        """A span of a document's text."""
        with explained("the catalog"), snapshot(self._engine) as connection:
            load = connection.scalar(select(documents.c.load).where(documents.c.id == document))
            found = contents.read_spans(connection, [(load, start, end)]) if load else {}
        return found.get((load, start, end)) if load else None

    def places(self, ids: Sequence[str]) -> dict[str, tuple[int, str]]:
        """Document and heading path of those of the ids that are live, without their texts."""
        found: dict[str, tuple[int, str]] = {}
        with explained("the catalog"), self._engine.connect() as connection:
            for offset in range(0, len(ids), 500):
                part = {"ids": list(ids[offset : offset + 500])}
                found.update(
                    (row.id, (row.document, row.heading)) for row in connection.execute(_PLACES, part)
                )
        return found

    def vectors(self, ids: Sequence[str]) -> dict[str, Vector]:
        """The vectors of live nodes, by id."""
        if not ids:
            return {}
        digests: dict[str, bytes] = {}
        with explained("the catalog"), self._engine.connect() as connection:
            for offset in range(0, len(ids), 500):
                part = {"ids": list(ids[offset : offset + 500])}
                digests.update((row.id, row.digest) for row in connection.execute(_DIGESTS, part))
            held = look_up(connection, self._cache_key, list(set(digests.values())))
        return {key: held[digest] for key, digest in digests.items() if digest in held}


def _node(row: Any, text: str) -> LiveNode:
    return LiveNode(
        id=row.id,
        text=text,
        start=row.start,
        end=row.end,
        page=row.page,
        heading=row.heading,
        table_header=row.table_header,
        position=row.position,
        document_id=row.document_id,
        document=row.path,
        loader=row.loader,
        modified=row.modified,
        digest=row.digest,
    )

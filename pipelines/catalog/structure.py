"""What the catalog knows of documents beyond single passages: their parts, their sizes, their meaning as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import Engine, bindparam, func, select

from pipelines.catalog.cache import look_up
from pipelines.catalog.database import explained
from pipelines.catalog.graph import GraphView
from pipelines.catalog.tables import documents, nodes

if TYPE_CHECKING:
    from pipelines.index import Vector

_PARENTS = select(nodes.c.id, nodes.c.parent).where(
    nodes.c.parent.is_not(None), nodes.c.id.in_(bindparam("ids", expanding=True))
)
_SIBLINGS = (
    select(nodes.c.parent, func.count().label("parts"))
    .where(
        nodes.c.document.in_(bindparam("documents", expanding=True)),
        nodes.c.parent.in_(bindparam("ids", expanding=True)),
    )
    .group_by(nodes.c.parent)
)
_SIZES = select(documents.c.id, documents.c.tokens).where(
    documents.c.id.in_(bindparam("ids", expanding=True))
)
_LEAVES = (
    select(nodes.c.id, nodes.c.document)
    .where(nodes.c.document.in_(bindparam("ids", expanding=True)), nodes.c.leaf)
    .order_by(nodes.c.document, nodes.c.position)
)
_DIGESTS = (
    select(nodes.c.document, nodes.c.digest)
    .join(documents, documents.c.id == nodes.c.document)
    .where(documents.c.generation == bindparam("of"), nodes.c.leaf)
    .order_by(nodes.c.document, nodes.c.position)
)


class Structure:
    """Reads one generation, as one version of the catalog shows it."""

    def __init__(self, engine: Engine, generation: int, cache_key: str) -> None:
        self._engine, self._generation, self._cache_key = engine, generation, cache_key
        self.graph = GraphView(engine, generation)

    def parents(self, ids: Sequence[str]) -> dict[str, str]:
        """The larger node that holds a node, for those that one holds."""
        return {row.id: row.parent for row in self._rows(_PARENTS, ids)}

    def parts(self, of: Sequence[int], ids: Sequence[str]) -> dict[str, int]:
        """How many nodes a larger node is made of; `of` are the documents that these nodes lie in."""
        found = self._rows(_SIBLINGS, ids, documents=sorted(set(of)))
        return {row.parent: row.parts for row in found}

    def sizes(self, ids: Sequence[int]) -> dict[int, int]:
        """Tokens of all chunks of documents: no fewer than those of the text."""
        return {row.id: row.tokens for row in self._rows(_SIZES, ids)}

    def leaves(self, ids: Sequence[int]) -> dict[int, list[str]]:
        """The passages of documents that are searched for, in their order."""
        found: dict[int, list[str]] = {}
        for row in self._rows(_LEAVES, ids):
            found.setdefault(row.document, []).append(row.id)
        return found

    def closest(self, vector: Sequence[float], top_k: int) -> list[tuple[int, float]]:
        """Documents by cosine similarity with the mean of their passages' vectors, best first."""
        ids, matrix = self._means
        question = np.asarray(vector, dtype=np.float32)
        scores = matrix @ (question / np.linalg.norm(question))
        best = np.argsort(-scores, kind="stable")[:top_k]
        return [(ids[place], float(scores[place])) for place in best]

    @cached_property
    def _means(self) -> tuple[list[int], Vector]:
        """Document ids, and a row of unit length for each: the mean of its passages, the first counted twice."""
        of: dict[int, list[bytes]] = {}
        with explained("the catalog"), self._engine.connect() as connection:
            for row in connection.execute(_DIGESTS, {"of": self._generation}):
                of.setdefault(row.document, []).append(row.digest)
            ids, rows = [], []
            for document, digests in of.items():  # one at a time: the vectors of a whole index may be large
                held = look_up(connection, self._cache_key, list(dict.fromkeys(digests)))
                units = [held[each] / np.linalg.norm(held[each]) for each in digests if each in held]
                if units:
                    mean = np.mean([units[0], *units], axis=0)
                    ids.append(document)
                    rows.append(mean / np.linalg.norm(mean))
        return ids, np.stack(rows).astype(np.float32) if rows else np.zeros((0, 1), np.float32)

    def _rows(self, statement: Any, ids: Sequence[Any], **more: Any) -> Iterator[Any]:
        with explained("the catalog"), self._engine.connect() as connection:
            for offset in range(0, len(ids), 400):
                yield from connection.execute(statement, {"ids": list(ids[offset : offset + 400]), **more})

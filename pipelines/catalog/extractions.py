"""What models said of texts: one cache for all, keyed by model with prompt and by text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from sqlalchemy import Engine, bindparam, delete, insert, select

from pipelines.catalog.database import explained
from pipelines.catalog.rows import Triplet
from pipelines.catalog.tables import extractions, nodes

_LOOK_UP = select(extractions.c.digest, extractions.c.paths).where(
    extractions.c.model == bindparam("model"),
    extractions.c.digest.in_(bindparam("digests", expanding=True)),
)
_UNREAD = (
    select(nodes.c.document, nodes.c.digest, nodes.c.tokens)
    .where(
        nodes.c.document.in_(bindparam("documents", expanding=True)),
        nodes.c.leaf,
        nodes.c.digest.not_in(select(extractions.c.digest).where(extractions.c.model == bindparam("model"))),
    )
    .distinct()
)


class Extractions:
    """Paths that were paid for once, by the fingerprint of the model and what it was told."""

    def __init__(self, engine: Engine, model: str) -> None:
        self._engine, self._model = engine, model

    def get(self, digests: Sequence[bytes]) -> dict[bytes, list[Triplet]]:
        """The paths of those texts that were asked about; an empty list where the model said nothing of use."""
        found = {}
        with explained("the catalog"), self._engine.connect() as connection:
            for offset in range(0, len(digests), 500):
                values = {"model": self._model, "digests": list(digests[offset : offset + 500])}
                for row in connection.execute(_LOOK_UP, values):
                    found[row.digest] = [Triplet(*parts) for parts in json.loads(row.paths)]
        return found

    def put(self, digest: bytes, paths: Iterable[Triplet]) -> None:
        """Keep what was said of a text, durable on return."""
        told = json.dumps([(each.subject, each.relation, each.object) for each in paths], ensure_ascii=False)
        row = {"model": self._model, "digest": digest, "paths": told}
        with explained("the catalog"), self._engine.begin() as connection:
            same = (extractions.c.model == self._model, extractions.c.digest == digest)
            connection.execute(delete(extractions).where(*same))
            connection.execute(insert(extractions), row)

    def unread(self, documents: Sequence[int]) -> dict[int, tuple[int, int]]:
        """Passages that were not asked about yet and their tokens, by document; those without any are left out."""
        found: dict[int, tuple[int, int]] = {}
        with explained("the catalog"), self._engine.connect() as connection:
            known = connection.dialect.has_table(connection, extractions.name)  # not in an older storage
            for offset in range(0, len(documents) if known else 0, 500):
                values = {"model": self._model, "documents": list(documents[offset : offset + 500])}
                for row in connection.execute(_UNREAD, values):
                    passages, tokens = found.get(row.document, (0, 0))
                    found[row.document] = passages + 1, tokens + row.tokens
        return found


def drop_unused(engine: Engine) -> int:
    """Delete what was said of texts that no live passage has; the number deleted."""
    with explained("the catalog"), engine.begin() as connection:
        live = select(nodes.c.digest).where(nodes.c.leaf)
        return connection.execute(delete(extractions).where(extractions.c.digest.not_in(live))).rowcount

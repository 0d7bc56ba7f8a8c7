"""The embedding cache: one for all models, keyed by model fingerprint and text."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import Connection, Engine, bindparam, func, insert, select

from pipelines.catalog.database import explained
from pipelines.catalog.tables import embeddings

if TYPE_CHECKING:
    from pipelines.index import Vector


def digest(text: str) -> bytes:
    """The key of a text in the cache: 16 bytes of BLAKE2b."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


_LOOK_UP = select(embeddings.c.digest, embeddings.c.vector).where(
    embeddings.c.model == bindparam("model"), embeddings.c.digest.in_(bindparam("digests", expanding=True))
)


class EmbeddingCache:
    """Vectors that were paid for once, by the model fingerprint that made them."""

    def __init__(self, engine: Engine, model: str) -> None:
        self._engine = engine
        self._model = model

    def get(self, digests: Sequence[bytes]) -> dict[bytes, Vector]:
        """The vectors that are held of those asked for."""
        with self._engine.connect() as connection:
            return look_up(connection, self._model, digests)

    def put(self, digests: Sequence[bytes], vectors: Vector) -> None:
        """Keep new vectors, durable on return."""
        rows = [
            {"model": self._model, "digest": key, "vector": vector.astype("<f4").tobytes()}
            for key, vector in zip(digests, vectors, strict=True)
        ]
        with explained("the embedding cache"), self._engine.begin() as connection:
            held = look_up(connection, self._model, digests)
            fresh = {row["digest"]: row for row in rows if row["digest"] not in held}
            if fresh:
                connection.execute(insert(embeddings), list(fresh.values()))

    def count(self) -> int:
        """How many vectors of this model are held."""
        query = select(func.count()).select_from(embeddings).where(embeddings.c.model == self._model)
        with self._engine.connect() as connection:
            return connection.scalar(query) or 0


def look_up(connection: Connection, model: str, digests: Sequence[bytes]) -> dict[bytes, Vector]:
    """The vectors of a model by the digest of their text; those not held are left out."""
    found: dict[bytes, Vector] = {}
    for offset in range(0, len(digests), 500):  # SQLite binds 999 values a statement in old builds
        part: dict[str, Any] = {"model": model, "digests": list(digests[offset : offset + 500])}
        for key, vector in connection.execute(_LOOK_UP, part):
            found[key] = np.frombuffer(vector, dtype="<f4")
    return found

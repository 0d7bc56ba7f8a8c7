"""Generations: one index beside another, and the one row that says which of them answers."""

from __future__ import annotations

import time

from sqlalchemy import Engine, delete, insert, select, update

from pipelines.catalog import graph
from pipelines.catalog.database import explained
from pipelines.catalog.rows import Generation
from pipelines.catalog.tables import documents, embeddings, generations, nodes, retired
from pipelines.catalog.version import bump

_COLUMNS = (
    generations.c.id,
    generations.c.fingerprint,
    generations.c.recipe,
    generations.c.cache_key,
    generations.c.state,
    generations.c.sound,
    generations.c.dimension,
    generations.c.probe,
)


class Generations:
    """The verbs on generations; writes need the storage's lock."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def all(self) -> list[Generation]:
        """Every generation, oldest first."""
        with explained("the catalog"), self._engine.connect() as connection:
            rows = connection.execute(select(*_COLUMNS).order_by(generations.c.id)).all()
        return [Generation(*row) for row in rows]

    def active(self) -> Generation | None:
        """The one that answers questions, if any is complete."""
        return next((each for each in self.all() if each.state == "active"), None)

    def find(self, fingerprint: str) -> Generation | None:
        """The newest that was built as a config asks, the active one first."""
        fitting = [each for each in self.all() if each.fingerprint == fingerprint]
        return max(fitting, key=lambda each: (each.state == "active", each.id), default=None)

    def create(self, fingerprint: str, *, recipe: str, cache_key: str) -> Generation:
        """Begin a new one beside the others."""
        values = {
            "fingerprint": fingerprint,
            "recipe": recipe,
            "cache_key": cache_key,
            "state": "building",
            "created": time.time(),
        }
        with explained("the catalog"), self._engine.begin() as connection:
            key = connection.execute(insert(generations), values).inserted_primary_key
        assert key is not None
        return self.get(int(key[0]))

    def get(self, generation: int) -> Generation:
        """One by its id."""
        with self._engine.connect() as connection:
            row = connection.execute(select(*_COLUMNS).where(generations.c.id == generation)).one()
        return Generation(*row)

    def set_probe(self, generation: int, dimension: int, probe: bytes) -> None:
        """Record what the model answers to the probe text."""
        with explained("the catalog"), self._engine.begin() as connection:
            chosen = update(generations).where(generations.c.id == generation)
            connection.execute(chosen.values(dimension=dimension, probe=probe))

    def switch(self, generation: int) -> None:
        """Let one answer from now on; the one before it is kept as old."""
        with explained("the catalog"), self._engine.begin() as connection:
            was = update(generations).where(generations.c.state == "active", generations.c.id != generation)
            connection.execute(was.values(state="old"))
            connection.execute(
                update(generations).where(generations.c.id == generation).values(state="active")
            )
            bump(connection)

    def set_sound(self, generation: int, sound: bool) -> None:
        """Record whether the derived stores hold all that they must; readers do without them until they do."""
        with explained("the catalog"), self._engine.begin() as connection:
            chosen = update(generations).where(generations.c.id == generation)
            connection.execute(chosen.values(sound=sound))
            bump(connection)

    def delete(self, generation: int) -> None:
        """Forget one with its documents and nodes; its derived stores are the caller's to drop."""
        with explained("the catalog"), self._engine.begin() as connection:
            members = select(documents.c.id).where(documents.c.generation == generation)
            graph.drop(connection, generation)
            connection.execute(delete(nodes).where(nodes.c.document.in_(members)))
            connection.execute(delete(documents).where(documents.c.generation == generation))
            connection.execute(delete(retired).where(retired.c.generation == generation))
            connection.execute(delete(generations).where(generations.c.id == generation))

    def drop_unused_vectors(self) -> int:
        """Delete cached vectors that no live node has the text of; the number deleted."""
        with explained("the catalog"), self._engine.begin() as connection:
            joined = nodes.join(documents).join(generations)
            same = (nodes.c.digest == embeddings.c.digest) & (generations.c.cache_key == embeddings.c.model)
            live = select(nodes.c.id).select_from(joined).where(same, nodes.c.leaf)
            return connection.execute(delete(embeddings).where(~live.correlate(embeddings).exists())).rowcount

"""The catalog's version: counts up with every change that a reader must notice."""

from __future__ import annotations

from sqlalchemy import Connection, Integer, String, cast, select, update

from pipelines.catalog.tables import meta

_READ = select(meta.c.value).where(meta.c.key == "version")


def read(connection: Connection) -> int:
    """The version as this connection sees it."""
    return int(connection.scalar(_READ) or 0)


def bump(connection: Connection) -> None:
    """Count up, within the transaction that makes the change."""
    more = cast(cast(meta.c.value, Integer) + 1, String(32))
    connection.execute(update(meta).where(meta.c.key == "version").values(value=more))

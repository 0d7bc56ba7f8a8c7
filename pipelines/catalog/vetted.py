"""Which texts moderation has allowed, and which moderation that was."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Engine, delete, insert, select

from pipelines.catalog.database import explained
from pipelines.catalog.tables import vetted
from pipelines.errors import StorageError


def known(engine: Engine) -> dict[str, str]:
    """The moderation that allowed a text last, by load fingerprint."""
    try:
        with explained("the catalog"), engine.connect() as connection:
            return {row.key: row.moderation for row in connection.execute(select(vetted))}
    except StorageError:  # made by an older version, and not written to since
        return {}


def record(engine: Engine, texts: Sequence[str], moderation: str) -> None:
    """Note that texts, by load fingerprint, were allowed."""
    if texts:
        with explained("the catalog"), engine.begin() as connection:
            write(connection, texts, moderation)


def write(connection: Connection, texts: Sequence[str], moderation: str) -> None:
    """As `record`, in a transaction under way."""
    for offset in range(0, len(texts), 500):
        part = list(dict.fromkeys(texts[offset : offset + 500]))
        connection.execute(delete(vetted).where(vetted.c.key.in_(part)))
        connection.execute(insert(vetted), [{"key": each, "moderation": moderation} for each in part])

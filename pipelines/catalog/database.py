"""Opening the catalog's database, and saying clearly why it can't be opened."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, delete, event, insert, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from pipelines.catalog.tables import SCHEMA_VERSION, meta, metadata
from pipelines.errors import StorageError

FILE_NAME = "catalog.sqlite"


def connect(storage: Path, url: str | None = None, *, create: bool = False) -> Engine:
    """Open the catalog: SQLite under `storage`, or any SQLAlchemy URL.

    Raises StorageError where there is none and `create` is off, or where it can't be used.
    """
    if url is None:
        return _open_file(storage / FILE_NAME, create=create)
    try:
        engine = create_engine(make_url(url))
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise StorageError(f"catalog: not a database URL that can be opened here ({error})") from None
    with explained(engine.url.render_as_string(hide_password=True)):
        _prepare(engine, create=create)
    return engine


def _open_file(path: Path, *, create: bool) -> Engine:
    if not path.exists():
        if not create:
            raise StorageError(f"nothing is ingested yet in {path.parent}: run `searchask ingest` first")
        with explained(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
    where = URL.create("sqlite", database=str(path))
    if create or (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        engine = create_engine(where, connect_args={"timeout": 60})
    else:
        engine = create_engine(where, creator=lambda: _look(path), poolclass=NullPool)
    event.listen(engine, "connect", _tune)
    with explained(path):
        _prepare(engine, create=create)
    return engine


def _look(path: Path) -> sqlite3.Connection:
    """A connection to a file in a folder that this user can't write to, and SQLite make no journal in."""
    nobody_writes = not path.with_name(path.name + "-wal").exists()
    options = "mode=ro&immutable=1" if nobody_writes else "mode=ro"
    return sqlite3.connect(f"{path.as_uri()}?{options}", uri=True, timeout=60, check_same_thread=False)


def _tune(connection: sqlite3.Connection, _record: object) -> None:
    # 16 kB pages: ten vectors of 384 dimensions fill one, where two waste a quarter of 4 kB.
    connection.execute("PRAGMA page_size=16384")
    try:
        connection.execute("PRAGMA journal_mode=WAL")
    except sqlite3.OperationalError as error:
        if "readonly" not in str(error):  # a reader of a read-only storage needs no journal
            raise
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA foreign_keys=ON")


def _prepare(engine: Engine, *, create: bool) -> None:
    """Make the tables where there are none, add those that an older version lacks; a reader does with what is there."""
    with engine.connect() as connection:
        known = engine.dialect.has_table(connection, "meta")
        found = (
            int(connection.scalar(select(meta.c.value).where(meta.c.key == "schema")) or 0) if known else 0
        )
    if found > SCHEMA_VERSION:
        raise StorageError(
            f"this storage was written by a newer Searchask (schema {found}, this one knows {SCHEMA_VERSION}): "
            "upgrade with `pip install -U searchask`"
        )
    if not known and not create:
        raise StorageError("the catalog is empty: run `searchask ingest` first")
    if found < SCHEMA_VERSION and create:
        with engine.begin() as connection:
            if engine.dialect.name == "sqlite":  # whose driver would commit after each table otherwise
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            metadata.create_all(connection)
            rows = [{"key": "schema", "value": str(SCHEMA_VERSION)}]
            rows += [] if known else [{"key": "version", "value": "0"}]
            connection.execute(delete(meta).where(meta.c.key == "schema"))
            connection.execute(insert(meta), rows)


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """A connection all of whose statements see the catalog at one moment, whatever is committed meanwhile."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")  # its driver begins nothing for a SELECT
        elif engine.dialect.name in ("postgresql", "mysql", "mariadb"):
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection


@contextmanager
def explained(place: object) -> Iterator[None]:
    """Turn what a disk or a database says into a StorageError that names the place and the remedy."""
    try:
        yield
    except (DBAPIError, sqlite3.Error, OSError) as error:
        cause: Any = error.orig if isinstance(error, DBAPIError) else error
        said = str(cause)
        if "not a database" in said or "malformed" in said:
            remedy = "it is not a catalog, or it is damaged: restore it from a backup, or move it away and ingest anew"
        elif "readonly" in said or getattr(cause, "errno", 0) in (errno.EACCES, errno.EROFS, errno.EPERM):
            remedy = "it is read-only for this user: change its permissions, or set another `storage`"
        elif "disk is full" in said or getattr(cause, "errno", 0) in (
            errno.ENOSPC,
            errno.EDQUOT,
            errno.EFBIG,
        ):
            remedy = "no space is left on its disk: free some, and run again; nothing is lost"
        elif "disk I/O error" in said:
            remedy = (
                "its disk failed a read or a write: see that it has space left and is sound; nothing is lost"
            )
        elif getattr(cause, "errno", 0) in (errno.EEXIST, errno.ENOTDIR):
            remedy = "there is a file where a folder is needed: move it away, or set another `storage`"
        elif "unable to open" in said:
            remedy = "it can't be opened: check the folder and its permissions"
        elif "locked" in said:
            remedy = "it is held by another program: wait for it or stop it"
        else:
            remedy = said.splitlines()[0] if said else type(cause).__name__
        raise StorageError(f"{place}: {remedy}") from error

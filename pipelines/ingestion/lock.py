"""One ingestion at a time per storage; the second is told who holds it since when."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from pipelines.catalog.database import explained
from pipelines.errors import StorageError


@contextmanager
def only_ingestion(storage: Path) -> Iterator[None]:
    """Hold the storage for writing; raises StorageError where another process does.

    The operating system lets go of the lock when its holder dies, so a killed run never blocks the next.
    """
    with explained(storage):
        storage.mkdir(parents=True, exist_ok=True)
        lock = FileLock(storage / "ingest.lock")
    with explained(storage):
        try:
            lock.acquire(timeout=0)
        except Timeout:  # is an OSError too
            raise StorageError(f"{storage}: {_holder(storage)}; wait for it, or stop it") from None
    try:
        note = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.time()}
        with explained(storage):
            (storage / "ingest.holder").write_text(json.dumps(note), encoding="utf-8")
        yield
    finally:
        lock.release()


def _holder(storage: Path) -> str:
    try:
        note = json.loads((storage / "ingest.holder").read_text(encoding="utf-8"))
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(note["since"]))
        return f"another ingestion holds it since {since} (process {note['pid']} on {note['host']})"
    except (OSError, ValueError, KeyError):
        return "another ingestion holds it"

"""Ingest again whenever the documents have changed."""

from __future__ import annotations

import time
from collections.abc import Callable

from pipelines.config import Config
from pipelines.errors import SearchaskError
from pipelines.ingestion.run import stop_on_signals
from pipelines.ingestion.scan import open_loaders, scan

_RETRY = 60.0
"""Seconds after which what failed is tried again."""
_LOOK = 3600.0
"""Seconds after which documents are read that only reading can tell about, such as web pages."""

Snapshot = dict[str, frozenset[tuple[str, int, int]]]


def watch(run: Callable[[], int], config: Config, *, seconds: float) -> int:
    """Call `run` now and after every change that a scan sees, until Ctrl-C or SIGTERM.

    Scanning works on any file system, network drives included, where change notifications do not. `run` returns
    0 where all went well, 130 where it was interrupted.
    """
    with stop_on_signals() as stopped:
        before: Snapshot | None = None
        due = 0.0
        while not stopped():
            now = _snapshot(config)
            if now != before or time.monotonic() >= due:
                code = run()
                if code == 130:
                    break
                due = time.monotonic() + (_RETRY if code else _LOOK)
                before = now
            _pause(seconds, stopped)
    return 0


def _pause(seconds: float, stopped: Callable[[], bool]) -> None:
    until = time.monotonic() + seconds
    while not stopped() and time.monotonic() < until:
        time.sleep(0.2)


def _snapshot(config: Config) -> Snapshot:
    try:
        sources = scan(open_loaders(config))
    except SearchaskError:
        return {}  # a folder that is gone for now; the run says so
    return {
        name: frozenset((each.path, each.size, each.modified) for each in found)
        for name, found in sources.items()
    }

"""Turns between processes, by file locks, in which nobody starves."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from filelock import FileLock

_POLL = 0.005
_LONGEST = 120.0
"""Seconds; a turn takes a second or two, so after this the holder hangs or is stopped."""


class Turns:
    """One holder at a time among all processes and threads; a context manager, entered as often as one likes.

    A file lock alone lets a busy writer take it again before a waiting reader has looked. The second lock is the
    door: who waits for a turn holds the door, so the last holder must queue behind.
    """

    def __init__(self, path: Path) -> None:
        self._door = FileLock(f"{path}.door", timeout=_LONGEST, poll_interval=_POLL)
        self._turn = FileLock(path, timeout=_LONGEST, poll_interval=_POLL)

    def __enter__(self) -> None:
        with self._door:
            self._turn.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._turn.release()

"""How far an ingestion is, in a file that any process can read; and asking it to stop from any process.

`<storage>/ingest.progress` is written by the holder of the storage's lock only, and is gone when no ingestion
runs. `<storage>/ingest.stop` names the run that is to stop, so that one left behind stops no other.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pipelines.catalog.database import explained
from pipelines.catalog.jobs import JobDocument
from pipelines.ingestion.events import Event

_TICK = 0.5
"""Seconds between looks at what is new, to tell it, and at whether a stop is asked for."""
_HEARTBEAT = 10.0
"""Seconds after which the file is written though nothing is new: on another host only its age tells a dead run."""
_SILENT = 120.0
"""Seconds after which a run on another host counts as dead."""
_IN_HAND, _FINISHED, _FAILURES = 20, 10, 20
_ERROR = 500
"""Characters of an error that are told; the job history has all of it."""


@dataclass(frozen=True, slots=True)
class InHand:
    """A document that is being worked on."""

    document: str
    stage: str
    """`read`, `cut` (waits for the model), `embed` or `store`."""
    since: float
    """When it came to this stage, as `time.time` counts."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A document that is done, or that failed with an error."""

    document: str
    seconds: float
    chunks: int
    error: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """An ingestion that runs, as it was at most a second ago."""

    pid: int
    host: str
    born: str
    """When the process began, as its system counts: tells it from a later one of the same number."""
    started: float
    job: int = 0
    """0 while documents are still compared with the index."""
    began: float = 0.0
    """When the first document was begun."""
    total: int = 0
    """Documents that something is to be done with."""
    done: int = 0
    failed: int = 0
    chunks: int = 0
    tokens: int = 0
    stopping: bool = False
    """A stop was asked for; the documents in hand are finished first."""
    in_hand: tuple[InHand, ...] = ()
    """The latest first, twenty at most."""
    finished: tuple[Finished, ...] = ()
    """The last ones that were done, the latest first."""
    failures: tuple[Finished, ...] = ()
    """The last ones that failed, the latest first."""

    @property
    def token(self) -> str:
        """What a request to stop this run, and no other, says."""
        return f"{self.host} {self.pid} {self.born} {self.started}"


def read_progress(storage: Path) -> Progress | None:
    """The ingestion that runs on a storage, in this process or in any other; None where none does."""
    path = _file(storage)
    try:
        told = json.loads(path.read_bytes())
        age = time.time() - path.stat().st_mtime
        progress = _parsed(told)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    here = progress.host == socket.gethostname()
    return progress if (alive(progress.pid, progress.born) if here else age < _SILENT) else None


def request_stop(storage: Path) -> bool:
    """Ask the ingestion that runs on a storage to stop after the documents in hand; False where none runs."""
    progress = read_progress(storage)
    if progress is None:
        return False
    with explained(storage):
        _stop_file(storage).write_text(progress.token, encoding="utf-8")
    return True


def alive(pid: int, born: str = "") -> bool:
    """Whether a process of this host runs; a killed one that nobody has waited for does not."""
    found = _birth(pid)
    return found is not None and (not born or not found or born == found)


def _birth(pid: int) -> str | None:
    """When a process began, as Linux counts; empty where the system doesn't tell, None where there is no such."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return None if fields[0] in (b"Z", b"X") else fields[19].decode("ascii")
    try:
        os.kill(pid, 0)
    except PermissionError:
        return ""  # it is another user's
    except (OSError, OverflowError):
        return None
    return ""


class ProgressFile:
    """Tells what the run of this process does, while it is entered; the storage's lock must be held.

    A thread of its own writes, twice a second at most: telling costs the run nothing, and a disk that is full or
    read-only only makes it silent.
    """

    def __init__(self, storage: Path) -> None:
        self._storage = storage
        self._changing, self._writing = threading.Lock(), threading.Lock()
        self._ended, self._stop = threading.Event(), threading.Event()
        self._dirty = False
        self._written = 0.0
        pid = os.getpid()
        self._now = Progress(pid, socket.gethostname(), _birth(pid) or "", time.time())
        self._counts = {"done": 0, "failed": 0, "chunks": 0, "tokens": 0}
        self._work = {"job": 0, "total": 0, "began": 0.0}
        self._hand: dict[str, dict[str, float]] = {"read": {}, "cut": {}, "embed": {}, "store": {}}
        self._finished: deque[Finished] = deque(maxlen=_FINISHED)
        self._failures: deque[Finished] = deque(maxlen=_FAILURES)

    def __enter__(self) -> Self:
        with suppress(OSError):
            _stop_file(self._storage).unlink(missing_ok=True)
        self._write()
        self._thread = threading.Thread(target=self._keep_telling, name="progress", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        for path in (_file(self._storage), _stop_file(self._storage)):
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def begin(self, job: int, total: int) -> None:
        """The comparison is over, and a job with so many documents begins."""
        with self._changing:
            self._work = {"job": job, "total": total, "began": time.time()}
        self._write()

    def stop_asked(self) -> bool:
        """Whether another process asked this run to stop."""
        return self._stop.is_set()

    def report(self, event: Event) -> None:
        """Take in what the ingestion tells; called from its threads."""
        with self._changing:
            self._dirty = True
            if event.row is None:
                self._move(event.document, event.stage)
            else:
                self._finish(event, event.row)
        if event.row is not None and event.row.error:
            self._write()

    def _move(self, document: str, stage: str) -> None:
        """Put documents where they are now; each is moved a few times in all, however many are in hand."""
        hand, now = self._hand, time.time()
        if stage != "cut":  # whatever was embedded before has its vectors now
            hand["store"].update(dict.fromkeys(hand["embed"], now))
            hand["embed"] = {}
        if stage == "embed":  # tells the last document of a window: all up to it are embedded together
            for waiting in (hand["cut"], hand["read"]):
                if document in waiting:
                    names = list(waiting)
                    for name in names[: names.index(document) + 1]:
                        del waiting[name]
                        hand["embed"][name] = now
            return
        for stages in hand.values():
            stages.pop(document, None)
        hand.setdefault(stage, {})[document] = now

    def _finish(self, event: Event, row: JobDocument) -> None:
        for stages in self._hand.values():
            stages.pop(event.document, None)
        one = Finished(row.document, round(row.seconds, 3), event.chunks, row.error[:_ERROR])
        (self._failures if row.error else self._finished).appendleft(one)
        self._counts["failed" if row.error else "done"] += 1
        self._counts["chunks"] += event.chunks
        self._counts["tokens"] += event.tokens

    def _keep_telling(self) -> None:
        while not self._ended.wait(_TICK):
            if not self._stop.is_set() and self._is_told_to_stop():
                self._stop.set()
                self._dirty = True
            if self._dirty or time.monotonic() - self._written > _HEARTBEAT:
                self._write()

    def _is_told_to_stop(self) -> bool:
        try:
            return _stop_file(self._storage).read_text(encoding="utf-8") == self._now.token
        except (OSError, ValueError):
            return False

    def _write(self) -> None:
        path = _file(self._storage)
        fresh = path.with_name(path.name + ".new")
        with self._writing:
            with self._changing:
                self._dirty = False
                told = json.dumps(self._told())
            self._written = time.monotonic()
            with suppress(OSError):
                fresh.write_text(told, encoding="ascii")
                fresh.replace(path)

    def _told(self) -> dict[str, Any]:
        hand = [InHand(*one) for stage in self._hand for one in self._newest(stage)]
        hand.sort(key=lambda one: -one.since)
        return {
            **asdict(self._now),
            **self._work,
            **self._counts,
            "stopping": self._stop.is_set(),
            "in_hand": [asdict(one) for one in hand[:_IN_HAND]],
            "finished": [asdict(one) for one in self._finished],
            "failures": [asdict(one) for one in self._failures],
        }

    def _newest(self, stage: str) -> list[tuple[str, str, float]]:
        names = list(self._hand[stage])[-_IN_HAND:]
        return [(name, stage, self._hand[stage][name]) for name in reversed(names)]


def _parsed(told: dict[str, Any]) -> Progress:
    told["in_hand"] = tuple(InHand(**one) for one in told["in_hand"])
    told["finished"] = tuple(Finished(**one) for one in told["finished"])
    told["failures"] = tuple(Finished(**one) for one in told["failures"])
    return Progress(**told)


def _file(storage: Path) -> Path:
    return storage / "ingest.progress"


def _stop_file(storage: Path) -> Path:
    return storage / "ingest.stop"

"""The ingestion in the background: a child process that outlives the tab, and the page's server too."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any, Literal

from pipelines.config import Config
from pipelines.errors import Refused
from pipelines.ingestion.progress import Progress, read_progress, request_stop

_ROOT = Path(__file__).parents[2]
# With -P and the folder of this package as the last one, no file beside a config or among uploads can stand for
# a module of the child.
_PROGRAM = "import sys; sys.path.append(sys.argv.pop(1)); from pipelines.cli import main; sys.exit(main())"
_SAID = 20_000
"""Bytes of what a child said that are read: its last ones."""
_SHOWN = 2000
"""Characters of a refusal that are shown."""


@dataclass(frozen=True, slots=True)
class State:
    """What is going on with the ingestion of one config."""

    kind: Literal["idle", "running", "ended"] = "idle"
    started: float = 0.0
    ended: float = 0.0
    ours: bool = False
    """Started by this worker; a terminal's, or one from before the server was restarted, is not."""
    progress: Progress | None = None
    """While it runs; None as long as it only begins to."""
    outcome: str = ""
    """Of one that ended: done, failed, interrupted, refused, or stopped where it broke off."""
    summary: Mapping[str, Any] = field(default_factory=dict)
    """The JSON of `ingest --json`; empty where it did not come so far."""
    message: str = ""
    """Why it was refused, or what it said last."""


def command(file: Path, *options: str) -> list[str]:
    """How an ingestion is started: so that people who ask are served before it."""
    return [*_nicely(), *_python(), "ingest", str(file), "--yes", "--json", *options]


class Worker:
    """Starts, watches and cancels the ingestion of one config; safe to use from several threads."""

    def __init__(self, config: Config) -> None:
        self._file = config.path.resolve()
        self._storage = config.storage
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._cancelled = False
        self._state = State()

    def start(self, *, retry_failed: bool = False, allow_vanish: bool = False) -> None:
        """Begin an ingestion; raises Refused where one runs already, here or in a terminal."""
        with self._lock:
            if self._child is not None:
                raise Refused(_runs_already(self._child.pid, self._state.started))
            if other := read_progress(self._storage):
                raise Refused(_runs_already(other.pid, other.started, other.host))
            options = ["--retry-failed"] * retry_failed + ["--allow-vanish"] * allow_vanish
            try:
                child, said = _begun(command(self._file, *options))
            except OSError as error:
                raise Refused(f"the ingestion can't be started: {error.strerror}") from None
            self._child, self._cancelled = child, False
            self._state = State("running", started=time.time(), ours=True)
            threading.Thread(target=self._await, args=(child, said), daemon=True).start()

    def cancel(self) -> bool:
        """Stop what runs after the documents in hand, also a terminal's; False where nothing runs."""
        with self._lock:
            if request_stop(self._storage):
                self._cancelled = True
                return True
            if self._child is None:
                return False
            if not self._cancelled and self._state.progress is None:  # not begun: nothing is there to finish
                self._child.terminate()
            self._cancelled = True
            return True

    def state(self) -> State:
        """What is going on now."""
        with self._lock:
            progress = read_progress(self._storage)
            if self._child is not None:
                if progress is not None and progress.pid == self._child.pid:
                    self._state = replace(self._state, progress=progress)
                return self._state
            if progress is not None:
                self._state = State()  # what ended before is the past
                return State("running", started=progress.started, progress=progress)
            return self._state

    def _await(self, child: subprocess.Popen[bytes], said: _Said) -> None:
        """Wait for the end of a child, so that it leaves no zombie, and keep what it said."""
        code = child.wait()
        with said.files:
            out, err = _text(said.out), _text(said.err)
        with self._lock:
            self._state = _ended(self._state.started, code, out, err, cancelled=self._cancelled)
            self._child = None


@dataclass(frozen=True, slots=True)
class _Said:
    """Where a child writes to: files, since nobody empties a pipe when the server is gone."""

    out: IO[bytes]
    err: IO[bytes]
    files: ExitStack


def _begun(command: list[str]) -> tuple[subprocess.Popen[bytes], _Said]:
    with ExitStack() as files:
        out = files.enter_context(tempfile.TemporaryFile())
        err = files.enter_context(tempfile.TemporaryFile())
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True
        )
        return child, _Said(out, err, files.pop_all())


def _nicely() -> list[str]:
    """What gives way to the people who ask meanwhile, where the system has it."""
    nice = shutil.which("nice")
    return [nice, "-n", "10"] if nice else []


def _python() -> list[str]:
    return [sys.executable, "-P", "-c", _PROGRAM, str(_ROOT)]


def _runs_already(pid: int, since: float, host: str = "") -> str:
    moment = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(since))
    where = f" on {host}" if host else ""
    return f"an ingestion runs already, since {moment} (process {pid}{where}): wait for it, or cancel it"


def _text(file: IO[bytes]) -> str:
    file.seek(max(0, file.seek(0, os.SEEK_END) - _SAID))
    return file.read().decode("utf-8", "replace").strip()


def _ended(started: float, code: int, said: str, complained: str, *, cancelled: bool) -> State:
    """The state after a child has ended."""
    try:
        summary = json.loads(said)
        outcome, message = str(summary["outcome"]), str(summary.get("error", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        summary = {}
        if code == 2:
            outcome, message = "refused", complained[-_SHOWN:]
        elif cancelled or code == 130:
            outcome, message = "interrupted", ""
        else:
            last = complained.splitlines()[-1] if complained else ""
            outcome, message = "stopped", f"it ended with exit code {code}" + (f": {last}" if last else "")
    return State(
        "ended",
        started=started,
        ended=time.time(),
        ours=True,
        outcome=outcome,
        summary=summary,
        message=message,
    )

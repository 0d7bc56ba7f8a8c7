"""Logins that can't be guessed by trying, and sessions that end."""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
import time
import unicodedata
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import SearchaskError
from pipelines.page.users import LONGEST, Hash, read_users

_FREE_TRIES = 3
_LONGEST_WAIT = 60.0
_FORGOTTEN_AFTER = 900.0
_REMEMBERED = 10_000
_AT_ONCE, _IN_LINE = 2, 8

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Tries:
    failed: int
    until: float
    """No try counts before."""


class Logins:
    """Checks names and passwords against a file of users; safe to use from several threads.

    After a few failures for a name each further try is refused unseen, for a time that doubles up to a minute.
    """

    def __init__(self, file: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Read the file; raises `ConfigError` where it is broken, `SearchaskError` where it names nobody."""
        self._file, self._clock = file, clock
        self._guard = threading.Lock()
        self._tries: OrderedDict[str, _Tries] = OrderedDict()
        self._line = threading.BoundedSemaphore(_IN_LINE)
        self._turns = threading.BoundedSemaphore(_AT_ONCE)
        self._nobody = Hash.of(secrets.token_hex())
        self._stamp = _stamp(file)
        self._users = read_users(file)
        if not self._users:
            raise SearchaskError(f"{file}: there are no users; add one with `searchask user add {file} NAME`")

    def check(self, name: str, password: str) -> bool:
        """Whether they may log in; False without a look where tries come too often, or too many at once."""
        name = unicodedata.normalize("NFC", name.strip())
        if len(name) > LONGEST or len(password) > LONGEST or not self._line.acquire(blocking=False):
            return False
        try:
            if not self._admit(name):
                return False
            with self._turns:
                entry = self.entry(name)
                right = (entry or self._nobody).fits(password) and entry is not None
        finally:
            self._line.release()
        if right:
            with self._guard:
                self._tries.pop(name, None)
        return right

    async def allow(self, name: str, password: str) -> bool:
        """As `check`, for an event loop that must not wait for it."""
        return await asyncio.to_thread(self.check, name, password)

    def entry(self, name: str) -> Hash | None:
        """What the file says of a user now; nothing while it can't be read, which lets nobody in."""
        stamp = _stamp(self._file)
        with self._guard:
            if stamp != self._stamp:
                self._stamp = stamp
                try:
                    self._users = read_users(self._file)
                except SearchaskError as error:
                    self._users = {}
                    _log.error("nobody can log in: %s", error)
            return self._users.get(name)

    def _admit(self, name: str) -> bool:
        """Whether a try may be made now; it counts as failed until it turns out to be right."""
        now = self._clock()
        with self._guard:
            tries = self._tries.get(name)
            if tries is None or now - tries.until > _FORGOTTEN_AFTER:
                tries = self._tries[name] = _Tries(0, now)
            if now < tries.until:
                return False
            tries.failed += 1
            if tries.failed >= _FREE_TRIES:
                tries.until = now + min(_LONGEST_WAIT, 2.0 ** min(tries.failed - _FREE_TRIES, 10))
            else:
                tries.until = now
            self._tries.move_to_end(name)
            while len(self._tries) > _REMEMBERED:
                self._tries.popitem(last=False)
        return True


def _stamp(file: Path) -> tuple[int, ...]:
    try:
        stat = file.stat()
    except OSError:
        return ()
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


class Sessions(dict[str, str]):
    """Who is logged in, by token: ends when the user is removed, gets another password, or after a while.

    Takes the place of the dict in which Gradio keeps logins for ever.
    """

    def __init__(
        self,
        logins: Logins,
        *,
        days: float = 30.0,
        most: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._logins, self._seconds, self._most, self._clock = logins, days * 86_400, most, clock
        self._begun: dict[str, tuple[float, Hash | None]] = {}

    def __setitem__(self, token: str, name: str) -> None:
        name = unicodedata.normalize("NFC", name.strip())
        self._begun[token] = self._clock(), self._logins.entry(name)
        super().__setitem__(token, name)
        while len(self) > self._most:
            self._end(next(iter(self)))

    def __delitem__(self, token: str) -> None:
        self._begun.pop(token, None)
        super().__delitem__(token)

    def get(self, token: str | None, default: str | None = None) -> str | None:  # type: ignore[override]
        """The user of a token, while the login holds."""
        name = super().get(token) if token else None
        begun = self._begun.get(token) if token else None
        if token is None or name is None or begun is None:
            return default
        since, entry = begun
        if entry is None or self._clock() - since > self._seconds or self._logins.entry(name) != entry:
            self._end(token)
            return default
        return name

    def _end(self, token: str) -> None:
        self._begun.pop(token, None)
        self.pop(token, None)

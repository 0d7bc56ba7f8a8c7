"""One thing that several threads use while another may put a new one in its place."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class _Held(Generic[T]):
    value: T
    users: int = 0
    current: bool = True


class Shared(Generic[T]):
    """Holds one value; a value that was replaced is closed once its last user is done."""

    def __init__(self, close: Callable[[T], None]) -> None:
        self._close = close
        self._lock = threading.Lock()
        self._held: _Held[T] | None = None

    @property
    def value(self) -> T | None:
        """What is held now, to look at; `borrow` to use it."""
        held = self._held
        return None if held is None else held.value

    def replace(self, value: T | None) -> None:
        """Hold another value, or none."""
        with self._lock:
            before, self._held = self._held, None if value is None else _Held(value)
            if before is not None:
                before.current = False
            idle = before is not None and not before.users
        if before is not None and idle:
            self._close(before.value)

    @contextmanager
    def borrow(self) -> Iterator[T | None]:
        """The value as it is now, kept open for this block."""
        with self._lock:
            held = self._held
            if held is not None:
                held.users += 1
        if held is None:
            yield None
            return
        try:
            yield held.value
        finally:
            with self._lock:
                held.users -= 1
                last = not held.users and not held.current
            if last:
                self._close(held.value)

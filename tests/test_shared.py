"""One value for many threads: replaced while it is used, closed once, when its last user is done."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipelines.shared import Shared


class Thing:
    def __init__(self) -> None:
        self.closed = 0


def close(thing: Thing) -> None:
    thing.closed += 1


def test_nothing_is_held_at_first() -> None:
    shared: Shared[Thing] = Shared(close)
    assert shared.value is None
    with shared.borrow() as thing:
        assert thing is None


def test_what_nobody_uses_is_closed_at_once() -> None:
    shared, first, second = Shared(close), Thing(), Thing()
    shared.replace(first)
    assert shared.value is first
    shared.replace(second)
    assert (first.closed, second.closed) == (1, 0)
    shared.replace(None)
    shared.replace(None)
    assert (first.closed, second.closed) == (1, 1)


def test_what_is_used_is_closed_after_its_last_user() -> None:
    shared, first, second = Shared(close), Thing(), Thing()
    shared.replace(first)
    with shared.borrow() as outer:
        with shared.borrow() as inner:
            shared.replace(second)
            assert outer is inner is first
            with shared.borrow() as after:
                assert after is second
        assert first.closed == 0
    assert (first.closed, second.closed) == (1, 0)


def test_replaced_twice_while_used() -> None:
    shared, things = Shared(close), [Thing(), Thing(), Thing()]
    shared.replace(things[0])
    with shared.borrow():
        shared.replace(things[1])
        shared.replace(things[2])
        assert [each.closed for each in things] == [0, 1, 0]
    assert [each.closed for each in things] == [1, 1, 0]


def test_an_error_gives_it_back() -> None:
    shared, thing = Shared(close), Thing()
    shared.replace(thing)
    with pytest.raises(KeyError), shared.borrow():
        shared.replace(None)
        raise KeyError
    assert thing.closed == 1
    with pytest.raises(KeyError), shared.borrow():
        raise KeyError


def test_a_close_that_fails_leaves_the_new_value() -> None:
    def refuse(thing: Thing) -> None:
        raise OSError("busy")

    shared, second = Shared(refuse), Thing()
    shared.replace(Thing())
    with pytest.raises(OSError, match="busy"):
        shared.replace(second)
    assert shared.value is second


def test_many_threads() -> None:
    shared, things = Shared(close), [Thing() for _ in range(300)]
    shared.replace(things[0])
    done = threading.Event()

    def use() -> int:
        wrong = 0
        while not done.is_set():
            with shared.borrow() as thing:
                wrong += thing is None or thing.closed > 0
        return wrong

    with ThreadPoolExecutor(8) as pool:
        users = [pool.submit(use) for _ in range(8)]
        for thing in things[1:]:
            shared.replace(thing)
        done.set()
        assert [user.result() for user in users] == [0] * 8
    assert [each.closed for each in things] == [1] * 299 + [0]

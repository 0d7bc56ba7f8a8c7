"""What the loaders of a config find, unread."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace

from pipelines.config import Config
from pipelines.documents import Loader, Source


def open_loaders(config: Config) -> dict[str, Loader]:
    """Every loader of the config, ready to scan; raises SearchaskError where one can't be."""
    return {
        name: loader.build(base=config.base_of("loaders", name))
        for name, loader in config.spec.loaders.items()
    }


def scan(loaders: dict[str, Loader]) -> dict[str, list[Source]]:
    """Every document of every loader, in the order of the loader; nothing is opened."""
    return {name: _settled(loader.scan()) for name, loader in loaders.items()}


_TICK = 20_000_000
"""Nanoseconds within which a file system may give two writes the same time."""


def _settled(sources: Iterable[Source]) -> list[Source]:
    """Sources, those written just now with a time that no later scan finds: they may change again and keep it."""
    settled = []
    for source in sources:
        age = abs(time.time_ns() - source.modified)
        settled.append(replace(source, modified=source.modified - age - 1) if age < _TICK else source)
    return settled

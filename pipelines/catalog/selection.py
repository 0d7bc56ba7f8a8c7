"""Which documents and nodes a filter allows, as the catalog knows them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy import Engine, bindparam, select

from pipelines.catalog import contents
from pipelines.catalog.database import explained
from pipelines.catalog.tables import blocks, documents, nodes
from pipelines.catalog.tables import contents as texts
from pipelines.filters import Filters, days
from pipelines.reading.globs import matcher
from pipelines.text.language import language_of
from pipelines.words import Words

FEW = 1_000
"""Passages up to which a selection is compared with the question one by one instead of asking the stores."""
_LISTED = 8
"""Values named where a filter matches nothing."""
_KEPT = 16
"""Selections remembered for one version of the catalog."""

_NO_MATCH = Words(
    "no document matches the filter {filter}{guess}; {present}",
    "没有文档符合筛选条件 {filter}{guess}；{present}",
)
_NOT_TOGETHER = Words(
    "no document matches all of the filters {filters}, though each of them matches some",
    "没有文档同时符合筛选条件 {filters}，但每个条件单独都有符合的文档",
)
_GUESS = Words(" (did you mean {close!r}?)", "（是否想写 {close!r}？）")
_PRESENT = Words("there is {values}", "现有：{values}")
_PRESENT_MORE = Words("there is {values} and {more:,} more", "现有：{values} 等，另有 {more:,} 个")
_ABSENT = Words("no document has a {field}", "没有文档带有 {field}")

_DOCUMENTS = (
    select(
        documents.c.id,
        documents.c.path,
        documents.c.load,
        documents.c.modified,
        documents.c.chunks,
        texts.c.format,
    )
    .join(texts, texts.c.key == documents.c.load)
    .where(documents.c.generation == bindparam("of"), documents.c.content != "")
)
_HEADS = select(blocks.c.key, blocks.c.data).where(
    blocks.c.number == 0, blocks.c.key.in_(bindparam("keys", expanding=True))
)
_LEAVES = select(nodes.c.id, nodes.c.heading).where(
    nodes.c.document.in_(bindparam("documents", expanding=True)), nodes.c.leaf
)


@dataclass(frozen=True, slots=True)
class Place:
    """What can be filtered by of one document."""

    id: int
    path: str
    load: str
    format: str
    day: date | None
    chunks: int

    @property
    def folders(self) -> list[str]:
        """The folders that it lies in, the nearest first."""
        return [str(folder) for folder in PurePosixPath(self.path).parents if str(folder) != "."]

    @property
    def ending(self) -> str:
        """What stands behind the last dot of its name."""
        return PurePosixPath(self.path).suffix.lower().lstrip(".")


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a filter leaves."""

    documents: frozenset[int]
    headings: tuple[tuple[str, ...], ...]
    """Of each group, one must stand in the heading path."""
    nodes: frozenset[str] | None
    """Ids of the leaves, where they are few or a heading is asked for; None for all of the documents."""
    count: int

    def admits(self, document: int, heading: str) -> bool:
        """Whether a passage of that document under that heading may be found."""
        return document in self.documents and _under(heading, self.headings)


class Selection:
    """Filters over the documents of one generation, as one version of the catalog shows them."""

    def __init__(self, engine: Engine, generation: int, languages: dict[str, str] | None = None) -> None:
        """`languages` are those known from before, by load fingerprint; a text never changes under its own."""
        self._engine, self._generation = engine, generation
        self.languages = {} if languages is None else languages
        self._known: dict[Filters, Allowed] = {}

    def allowed(self, filters: Filters) -> Allowed:
        """What the filters leave, remembered for the next question."""
        found = self._known.get(filters)
        if found is None:
            found = self._find(filters)
            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[filters] = found
        return found

    def unmatched(self, filters: Filters, language: str) -> str:
        """Why the filters match nothing, with the values that there are; empty where they match something."""
        if self.allowed(filters).count:
            return ""
        for name, values in filters.wanted:
            alone = Filters(((name, values),))
            if not self.allowed(alone).count:
                guess, present = self._guess(name, values, language), self._present(name, language)
                return _NO_MATCH.of(language, filter=alone, guess=guess, present=present)
        return _NOT_TOGETHER.of(language, filters=filters)

    def leaves(self, allowed: Allowed) -> frozenset[str]:
        """The ids of all leaves that a filter leaves."""
        if allowed.nodes is not None:
            return allowed.nodes
        held = self._leaves(allowed.documents)
        return frozenset(key for key, heading in held if _under(heading, allowed.headings))

    def values(self, name: str) -> list[str]:
        """The values of a field that documents have, most frequent first; days of the last change as months."""
        counted: dict[str, int] = {}
        for value in self._values(name):
            counted[value] = counted.get(value, 0) + 1
        return sorted(counted, key=lambda value: (-counted[value], value))

    @cached_property
    def _places(self) -> list[Place]:
        with explained("the catalog"), self._engine.connect() as connection:
            rows = connection.execute(_DOCUMENTS, {"of": self._generation}).all()
        return [
            Place(row.id, row.path, row.load, row.format, _day(row.modified), row.chunks)
            for row in sorted(rows, key=lambda row: str(row.path))
        ]

    def _find(self, filters: Filters) -> Allowed:
        tests = [self._test(name, values) for name, values in filters.wanted if name != "heading"]
        kept = [place for place in self._places if all(test(place) for test in tests)]
        headings = tuple(
            tuple(value.casefold() for value in values)
            for name, values in filters.wanted
            if name == "heading"
        )
        ids = frozenset(place.id for place in kept)
        count = sum(place.chunks for place in kept)
        leaves = None
        if headings or count <= FEW:
            leaves = frozenset(key for key, heading in self._leaves(ids) if _under(heading, headings))
            count = len(leaves)
        return Allowed(ids, headings, leaves, count)

    def _leaves(self, ids: Iterable[int]) -> list[tuple[str, str]]:
        wanted, found = sorted(ids), []
        with explained("the catalog"), self._engine.connect() as connection:
            for offset in range(0, len(wanted), 500):
                part = {"documents": wanted[offset : offset + 500]}
                found += [(row.id, row.heading) for row in connection.execute(_LEAVES, part)]
        return found

    def _test(self, name: str, values: tuple[str, ...]) -> Callable[[Place], bool]:
        """Whether a document has one of the values."""
        if name == "document":
            paths = matcher(values)
            names = matcher([value for value in values if "/" not in value])
            return lambda place: paths(place.path) or names(PurePosixPath(place.path).name)
        if name == "folder":
            inside = matcher([value.strip("/") or "**" for value in values])
            return lambda place: any(map(inside, place.folders))
        if name == "type":
            kinds = {value.lower().lstrip(".") for value in values}
            return lambda place: place.format.lower() in kinds or place.ending in kinds
        if name == "date":
            spans = [days(value) for value in values]
            return lambda place: (
                place.day is not None and any(low <= place.day <= high for low, high in spans)
            )
        tongues = {value.lower() for value in values}
        languages = self._languages()
        return lambda place: languages.get(place.load) in tongues

    def _languages(self) -> Mapping[str, str]:
        """The language of each text, from its beginning; read once."""
        missing = sorted({place.load for place in self._places} - self.languages.keys())
        with explained("the catalog"), self._engine.connect() as connection:
            for offset in range(0, len(missing), 500):
                for row in connection.execute(_HEADS, {"keys": missing[offset : offset + 500]}):
                    self.languages[row.key] = language_of(contents.unpack(row.data))
        return self.languages

    def _values(self, name: str) -> Iterable[str]:
        match name:
            case "document":
                return (place.path for place in self._places)
            case "folder":
                return (folder for place in self._places for folder in place.folders)
            case "type":
                return (place.format for place in self._places)
            case "date":
                return (f"{place.day:%Y-%m}" for place in self._places if place.day)
            case "language":
                known = self._languages()
                return (known[place.load] for place in self._places if place.load in known)
        leaves = self._leaves(place.id for place in self._places)
        return (heading for _, heading in leaves if heading)

    def _guess(self, name: str, values: tuple[str, ...], language: str) -> str:
        if name == "date":
            return ""
        known = self.values(name)
        if name == "document":
            known = [*known, *(PurePosixPath(path).name for path in known)]
        close = [match for value in values for match in get_close_matches(value, known, 1, 0.6)]
        return _GUESS.of(language, close=close[0]) if close else ""

    def _present(self, name: str, language: str) -> str:
        known = self.values(name)
        if not known:
            return _ABSENT.of(language, field=name)
        words = _PRESENT_MORE if len(known) > _LISTED else _PRESENT
        return words.of(language, values=", ".join(known[:_LISTED]), more=len(known) - _LISTED)


def _under(heading: str, groups: tuple[tuple[str, ...], ...]) -> bool:
    path = heading.casefold() if groups else ""
    return all(any(value in path for value in group) for group in groups)


def _day(modified: Any) -> date | None:
    """The day, here, of a time in nanoseconds; None where there is none."""
    try:
        return datetime.fromtimestamp(modified / 1e9).date() if modified else None
    except (ValueError, OverflowError, OSError):
        return None

"""What a search is limited to: documents, or parts of them, with certain metadata."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from pipelines.errors import SearchaskError

FIELDS = ("document", "folder", "type", "date", "language", "heading")
"""What can be filtered by. `document` and `folder` are globs, `type` a format, `date` the day of the last change
(`2024`, `2024-05`, `>=2024-05-01`), `language` that of the document, `heading` a part of the heading path."""

DATE_FORMS = "2024, 2024-05, 2024-05-01, >=2024-05, <2024-05-01 or 2024-01..2024-06"
"""How a date is written, for messages."""

_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")
_BOUND = re.compile(r"\s*(>=|<=|>|<)?\s*([\d-]+)\s*")


@dataclass(frozen=True, slots=True)
class Filters:
    """Conditions that all must hold; several values of one field are alternatives."""

    wanted: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Field and values."""

    def __bool__(self) -> bool:
        return bool(self.wanted)

    def __str__(self) -> str:
        return " and ".join(f"{name}={'|'.join(values)}" for name, values in self.wanted)

    def and_also(self, other: Filters | None) -> Filters:
        """Both together."""
        return self if other is None else Filters(self.wanted + other.wanted)


def parse(conditions: Iterable[str]) -> Filters:
    """Filters as the command line gives them, `field=value` each; raises SearchaskError."""
    found: dict[str, list[str]] = {}
    for condition in conditions:
        name, equals, value = condition.partition("=")
        name, value = name.strip().lower(), value.strip()
        if name.endswith((">", "<")):  # date>=2024-05 reads well, and means the same
            name, value = name[:-1].strip(), f"{name[-1]}={value}"
        elif not equals and (bound := re.fullmatch(r"\s*date\s*([<>].*)", condition, re.I)):
            name, value = "date", bound[1]
        if name not in FIELDS:
            raise SearchaskError(f"there is no filter {name!r}{_guess(name, FIELDS)}; write field=value")
        if not value:
            raise SearchaskError(f"filter {name}: which {name}? Write {name}=VALUE")
        found.setdefault(name, []).append(value)
    return of(found)


def of(conditions: Mapping[str, Iterable[str]]) -> Filters:
    """Filters from values by field; raises SearchaskError for a date that is none."""
    for value in conditions.get("date", ()):
        days(value)
    return Filters(tuple((name, tuple(values)) for name, values in conditions.items() if values))


def days(text: str) -> tuple[date, date]:
    """The first and the last day that a date condition allows; raises SearchaskError for what is no date."""
    low, dots, high = text.partition("..")
    if dots:
        return (
            _period(low)[0] if low.strip() else date.min,
            _period(high)[1] if high.strip() else date.max,
        )
    bound = _BOUND.fullmatch(text)
    if bound is None:
        raise _no_date(text)
    first, last = _period(bound[2])
    match bound[1]:
        case ">=":
            return first, date.max
        case ">":
            return last + timedelta(days=1), date.max
        case "<=":
            return date.min, last
        case "<":
            return date.min, first - timedelta(days=1)
    return first, last


def _period(text: str) -> tuple[date, date]:
    """The first and the last day of a year, a month or a day."""
    parts = _DATE.fullmatch(text.strip())
    if parts is None:
        raise _no_date(text)
    year, month, day = (int(part) if part else 0 for part in parts.groups())
    try:
        first = date(year, month or 1, day or 1)
        if day:
            return first, first
        after = date(year + 1, 1, 1) if not month or month == 12 else date(year, month + 1, 1)
        return first, after - timedelta(days=1)
    except (ValueError, OverflowError):
        raise _no_date(text) from None


def _no_date(text: str) -> SearchaskError:
    return SearchaskError(f"filter date: {text.strip()!r} is no date; write {DATE_FORMS}")


def _guess(word: str, known: Iterable[str]) -> str:
    names = list(known)
    close = difflib.get_close_matches(word.lower(), names, n=1, cutoff=0.6)
    return f" (did you mean {close[0]!r}?)" if close else f" (there are {', '.join(names)})"

"""What a search is limited to: documents, or parts of them, with certain metadata."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from pipelines.errors import SearchaskError
from pipelines.words import Words

FIELDS = ("document", "folder", "type", "date", "language", "heading")
"""What can be filtered by. `document` and `folder` are globs, `type` a format, `date` the day of the last change
(`2024`, `2024-05`, `>=2024-05-01`), `language` that of the document, `heading` a part of the heading path."""

_UNKNOWN = Words(
    "there is no filter {name!r}{guess}; write field=value", "没有筛选字段 {name!r}{guess}；请写 字段=值"
)
_NO_VALUE = Words(
    "filter {name}: which {name}? Write {name}=VALUE", "筛选条件 {name}：缺少值。请写 {name}=值"
)
_FORMS = "2024, 2024-05, 2024-05-01, >=2024-05, <2024-05-01"
_NO_DATE = Words(
    "filter date: {text!r} is no date; write {forms} or 2024-01..2024-06",
    "筛选条件 date：{text!r} 不是日期；请写 {forms} 或 2024-01..2024-06",
)
_MEANT = Words(" (did you mean {close!r}?)", "（是否想写 {close!r}？）")
_KNOWN = Words(" (there are {names})", "（可用：{names}）")
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
        return ", ".join(f"{name}={'|'.join(values)}" for name, values in self.wanted)

    def and_also(self, other: Filters | None) -> Filters:
        """Both together."""
        return self if other is None else Filters(self.wanted + other.wanted)


def parse(conditions: Iterable[str], language: str = "en") -> Filters:
    """Filters as a person types them, `field=value` each; raises SearchaskError, in that language."""
    found: dict[str, list[str]] = {}
    for condition in conditions:
        name, equals, value = condition.partition("=")
        name, value = name.strip().lower(), value.strip()
        if name.endswith((">", "<")):  # date>=2024-05 reads well, and means the same
            name, value = name[:-1].strip(), f"{name[-1]}={value}"
        elif not equals and (bound := re.fullmatch(r"\s*date\s*([<>].*)", condition, re.I)):
            name, value = "date", bound[1]
        if name not in FIELDS:
            raise SearchaskError(_UNKNOWN.of(language, name=name, guess=_guess(name, language)))
        if not value:
            raise SearchaskError(_NO_VALUE.of(language, name=name))
        found.setdefault(name, []).append(value)
    return of(found, language)


def of(conditions: Mapping[str, Iterable[str]], language: str = "en") -> Filters:
    """Filters from values by field; raises SearchaskError for a date that is none."""
    for value in conditions.get("date", ()):
        days(value, language)
    return Filters(tuple((name, tuple(values)) for name, values in conditions.items() if values))


def days(text: str, language: str = "en") -> tuple[date, date]:
    """The first and the last day that a date condition allows; raises SearchaskError for what is no date."""
    low, dots, high = text.partition("..")
    if dots:
        return (
            _period(low, language)[0] if low.strip() else date.min,
            _period(high, language)[1] if high.strip() else date.max,
        )
    bound = _BOUND.fullmatch(text)
    if bound is None:
        raise _no_date(text, language)
    first, last = _period(bound[2], language)
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


def _period(text: str, language: str) -> tuple[date, date]:
    """The first and the last day of a year, a month or a day."""
    parts = _DATE.fullmatch(text.strip())
    if parts is None:
        raise _no_date(text, language)
    year, month, day = (int(part) if part else 0 for part in parts.groups())
    try:
        first = date(year, month or 1, day or 1)
        if day:
            return first, first
        after = date(year + 1, 1, 1) if not month or month == 12 else date(year, month + 1, 1)
        return first, after - timedelta(days=1)
    except (ValueError, OverflowError):
        raise _no_date(text, language) from None


def _no_date(text: str, language: str) -> SearchaskError:
    return SearchaskError(_NO_DATE.of(language, text=text.strip(), forms=_FORMS))


def _guess(word: str, language: str) -> str:
    close = difflib.get_close_matches(word.lower(), FIELDS, n=1, cutoff=0.6)
    return _MEANT.of(language, close=close[0]) if close else _KNOWN.of(language, names=", ".join(FIELDS))

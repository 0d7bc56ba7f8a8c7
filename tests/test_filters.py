"""Filters in words: fields, dates, and what is said of those that are none."""

from __future__ import annotations

import re
from datetime import date

import pytest

from pipelines.errors import SearchaskError
from pipelines.filters import Filters, days, parse


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2024", date(2024, 1, 1), date(2024, 12, 31)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2024-12", date(2024, 12, 1), date(2024, 12, 31)),
        ("2024-05-01", date(2024, 5, 1), date(2024, 5, 1)),
        (">=2024-05", date(2024, 5, 1), date.max),
        ("> 2024-05", date(2024, 6, 1), date.max),
        ("<=2024-05", date.min, date(2024, 5, 31)),
        ("<2024", date.min, date(2023, 12, 31)),
        ("2024-01..2024-03", date(2024, 1, 1), date(2024, 3, 31)),
        ("..2024", date.min, date(2024, 12, 31)),
        ("2024-02-03..", date(2024, 2, 3), date.max),
    ],
)
def test_dates(text: str, first: date, last: date) -> None:
    assert days(text) == (first, last)


@pytest.mark.parametrize("text", ["", "May", "2024-13", "2023-02-29", "=2024", "0000", "2024-1-1-1", "24"])
def test_what_is_no_date(text: str) -> None:
    with pytest.raises(SearchaskError, match="is no date; write 2024, 2024-05"):
        days(text)


def test_conditions_of_the_command_line() -> None:
    found = parse(["type=pdf", "type=markdown", "heading=Leave = paid", "date>=2024-05", "date<2025"])
    assert found.wanted == (
        ("type", ("pdf", "markdown")),
        ("heading", ("Leave = paid",)),
        ("date", (">=2024-05", "<2025")),
    )
    assert not parse([])
    both = Filters((("type", ("pdf",)),)).and_also(Filters((("type", ("md",)),)))
    assert str(both) == "type=pdf, type=md"


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("typ=pdf", "did you mean 'type'"),
        ("colour=red", "there are document, folder, type, date, language, heading"),
        ("type=", "write type=VALUE"),
        ("pdf", "write field=value"),
        ("date=soon", "is no date"),
    ],
)
def test_conditions_that_are_none(condition: str, said: str) -> None:
    with pytest.raises(SearchaskError, match=f"(?i){said}"):
        parse([condition])


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("typ=pdf", "没有筛选字段 'typ'（是否想写 'type'？）；请写 字段=值"),
        ("colour=red", "可用：document, folder"),
        ("type=", "请写 type=值"),
        ("date=soon", "'soon' 不是日期；请写 2024"),
        ("date=2024-13..2025", "不是日期"),
    ],
)
def test_mistakes_are_told_in_chinese_too(condition: str, said: str) -> None:
    with pytest.raises(SearchaskError, match=re.escape(said)):
        parse([condition], "zh")

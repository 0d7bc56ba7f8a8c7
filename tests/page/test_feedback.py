"""Thumbs and comments, kept with the answers."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from pipelines.catalog.tables import feedback as rows
from pipelines.errors import SearchaskError
from pipelines.page.answers import Chat, Turn, ask
from pipelines.page.feedback import Rating, keep
from pipelines.page.site import Site
from tests.support.house import House


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = House(tmp_path)
    house.fill(2)
    house.ingest()
    return house


def asked(site: Site) -> Turn:
    *_, turn = ask(Chat(), site.entry("config"), "When does the cafeteria open?", "", "en")
    return turn


def kept(house: House) -> list[tuple[Any, ...]]:
    catalog = house.catalog()
    with catalog.engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(select(rows.c.answer, rows.c.good, rows.c.comment))]
    catalog.close()
    return found


def test_a_thumb_then_a_comment(house: House) -> None:
    site = Site(house.file)
    first, second = asked(site), asked(site)
    good, bad = Rating.of(first, good=True), Rating.of(second, good=False)
    assert good is not None
    assert bad is not None
    keep(site, good)
    keep(site, bad)
    keep(site, bad, " 太长了 <b>😀</b> ")
    assert kept(house) == [(good.answer, True, ""), (bad.answer, False, "太长了 <b>😀</b>")]
    site.close()


def test_a_strange_comment(house: House) -> None:
    site = Site(house.file)
    rating = Rating.of(asked(site), good=False)
    assert rating is not None
    keep(site, rating, "half \ud83d of it\x00" + "x" * 100_000)
    ((_, _, comment),) = kept(house)
    assert comment.startswith("half ? of it")
    assert len(comment) == 2000
    site.close()


def test_what_was_not_stored_has_no_thumb(house: House) -> None:
    assert Rating.of(Turn(1, "config", "", "q"), good=True) is None
    *_, turn = ask(Chat(), Site(house.file).entry("config"), "", "", "en")
    assert Rating.of(turn, good=True) is None


def test_an_answer_of_a_storage_that_is_gone(house: House) -> None:
    site = Site(house.file)
    rating = Rating.of(asked(site), good=True)
    assert rating is not None
    shutil.rmtree(house.config.storage)
    with pytest.raises(SearchaskError, match="nothing is ingested"):
        keep(site, rating)
    house.ingest()
    with pytest.raises(SearchaskError):
        keep(site, rating)
    assert kept(house) == []
    site.close()


def test_a_base_that_is_gone(house: House) -> None:
    with pytest.raises(SearchaskError, match="no knowledge base"):
        keep(Site(house.file), Rating("other", 1, True))

"""Answers are kept with their evidence, and with what people thought of them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import select

from pipelines.catalog import Catalog, answers
from pipelines.catalog.tables import SCHEMA_VERSION, feedback
from pipelines.querying.knowledge_base import KnowledgeBase
from tests.support.house import House


def rated(catalog: Catalog) -> list[tuple[int, bool, str]]:
    with catalog.engine.connect() as connection:
        query = select(feedback.c.answer, feedback.c.good, feedback.c.comment)
        return [tuple(row) for row in connection.execute(query)]


def test_a_second_opinion_replaces_the_first(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.fill(3)
    house.ingest()
    with KnowledgeBase(house.config) as base:
        first, second = base.ask("When does the cafeteria open?"), base.ask("北京地铁有几条线路？")
        assert first.id is not None
        assert second.id is not None
        catalog = base.index.catalog
        answers.rate(catalog.engine, first.id, good=True)
        answers.rate(catalog.engine, second.id, good=True)
        answers.rate(catalog.engine, first.id, good=False, comment=" wrong floor " + "x" * 5000)
        told = {key: (good, comment) for key, good, comment in rated(catalog)}
    assert told[second.id] == (True, "")
    assert told[first.id][0] is False
    assert told[first.id][1].startswith("wrong floor")
    assert len(told[first.id][1]) == answers.COMMENT


def test_a_storage_of_an_older_version_gets_what_it_lacks(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.fill(3)
    house.ingest()
    file = house.config.storage / "catalog.sqlite"
    with sqlite3.connect(file) as old:
        old.execute("drop table feedback")
        old.execute("update meta set value = '1' where key = 'schema'")
    with KnowledgeBase(house.config) as base:  # a reader does with what is there
        assert base.ask("When does the cafeteria open?").outcome == "answered"
    assert house.ingest().outcome == "done"
    catalog = house.catalog()
    assert rated(catalog) == []
    catalog.close()
    with sqlite3.connect(file) as new:
        assert dict(new.execute("select key, value from meta"))["schema"] == str(SCHEMA_VERSION)

"""An open index is asked by many threads while another process writes."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from pipelines.errors import StorageError
from pipelines.querying.index import OpenIndex
from pipelines.querying.knowledge_base import KnowledgeBase
from tests.support.house import House


def test_many_ask_while_documents_change(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.fill(20)
    house.ingest()
    failures: list[BaseException] = []
    done = threading.Event()
    asked = [0] * 6
    with KnowledgeBase(house.config) as base:

        def keep_asking(number: int) -> None:
            try:
                while not done.is_set():
                    answer = base.ask(f"What is number {number} of one or two?")
                    assert answer.citations
                    asked[number] += 1
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=keep_asking, args=[number]) for number in range(len(asked))]
        for thread in threads:
            thread.start()
        for version in ("two", "one", "two"):
            house.fill(20, version)
            house.ingest()
        house.edit(embed_model={"type": "fake", "dimension": 24})  # another generation, in another collection
        house.ingest()
        done.set()
        for thread in threads:
            thread.join(60)
    assert failures == []
    assert min(asked) > 0


def test_a_view_is_closed_once_its_last_reader_is_done(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.fill(3)
    house.ingest()
    index = OpenIndex(house.config)
    with index._reading() as before:
        house.fill(3, "two")
        house.ingest()
        index.refresh()
        with index._reading() as now:
            assert now is not before
        assert before.vectors.count() > 0  # still open for this reader
    with pytest.raises(StorageError):
        before.vectors.count()
    index.close()


def test_the_first_document_of_an_index_answers(tmp_path: Path) -> None:
    house = House(tmp_path, {"embed_model": {"type": "local"}})
    house.write("a.md", "# Cafeteria\n\nThe cafeteria opens at eight. Badges are issued by the front desk.\n")
    house.ingest()
    with KnowledgeBase(house.config) as base:
        assert base.ask("When does the cafeteria open?").outcome == "answered"
        assert base.ask("Who won the chess championship?").outcome == "refused"

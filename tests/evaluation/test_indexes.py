"""Indexes of configs that are compared: their own where that fits, else built beside it; nothing is paid for twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines.config import Config, load_config
from pipelines.evaluation import indexes
from pipelines.ingestion.events import Summary
from pipelines.querying.knowledge_base import KnowledgeBase
from tests.support.house import House


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = House(tmp_path)
    house.fill(4)
    house.ingest()
    return house


def variant(house: House, name: str, **changes: Any) -> Config:
    """A config that builds on the house's."""
    import yaml

    file = house.root / name
    file.write_text(yaml.safe_dump({"extends": "config.yaml", **changes}), encoding="utf-8")
    return load_config(file)


def built(config: Config, house: House) -> tuple[Config, list[Summary]]:
    told: list[Summary] = []
    storage = house.config.storage
    found = indexes.indexed(config, beside=storage, built=lambda folder, summary: told.append(summary))
    return found, told


def test_an_index_that_is_in_step_is_used_as_it_is(house: House) -> None:
    found, told = built(house.config, house)
    assert found.storage == house.config.storage and not told
    found, told = built(variant(house, "b.yaml", retrievers={"meaning": {"type": "vector"}}), house)
    assert found.storage == house.config.storage and not told


def test_another_node_parser_gets_an_index_beside_and_the_own_one_stays(house: House) -> None:
    before = house.live()
    smaller = variant(house, "b.yaml", node_parser={"type": "sentence", "chunk_size": 24, "chunk_overlap": 0})
    found, (summary,) = built(smaller, house)
    assert found.storage.parent == house.config.storage / indexes.FOLDER
    assert summary.done == 4 and house.live() == before and house.agrees()
    assert house.plan().counts()["unchanged"] == 4
    with KnowledgeBase(found) as base:
        assert base.retrieve("When does the cafeteria open?").candidates
    again, told = built(smaller, house)
    assert again.storage == found.storage
    assert sum(each.spent.texts for each in told) == 0 and sum(each.written for each in told) == 0


def test_what_one_has_embedded_is_not_embedded_for_another(house: House) -> None:
    same_texts = variant(house, "b.yaml", keyword={"dictionary": ["cafeteria"]})
    found, (summary,) = built(same_texts, house)
    assert found.storage != house.config.storage
    assert summary.spent.texts == 0 and summary.spent.from_cache > 0
    smaller = variant(house, "c.yaml", node_parser={"type": "sentence", "chunk_size": 24, "chunk_overlap": 0})
    _, (first,) = built(smaller, house)
    both = variant(
        house,
        "d.yaml",
        node_parser={"type": "sentence", "chunk_size": 24, "chunk_overlap": 0},
        keyword={"dictionary": ["cafeteria"]},
    )
    _, (second,) = built(both, house)
    assert first.spent.texts > 0 and second.spent.texts == 0


def test_another_model_borrows_nothing(house: House) -> None:
    _, (summary,) = built(variant(house, "b.yaml", embed_model={"type": "fake", "seed": 1}), house)
    assert summary.spent.from_cache == 0 and summary.spent.texts > 0


def test_configs_that_agree_on_the_index_share_it(house: House) -> None:
    parser = {"type": "sentence", "chunk_size": 24, "chunk_overlap": 0}
    one = variant(house, "b.yaml", node_parser=parser)
    other = variant(house, "c.yaml", node_parser=parser, language="zh")
    assert built(one, house)[0].storage == built(other, house)[0].storage


def test_documents_that_changed_meanwhile_are_brought_in_step(house: House) -> None:
    parser = variant(house, "b.yaml", node_parser={"type": "sentence", "chunk_size": 24, "chunk_overlap": 0})
    found, _ = built(parser, house)
    house.write("doc000.md", "# Anew\n\nEverything is different now.\n")
    again, (summary,) = built(parser, house)
    assert again.storage == found.storage and summary.done == 1


def test_they_can_all_be_dropped(house: House) -> None:
    built(variant(house, "b.yaml", keyword={"dictionary": ["cafeteria"]}), house)
    assert indexes.drop(house.config.storage) == 1 and indexes.drop(house.config.storage) == 0
    assert house.agrees()

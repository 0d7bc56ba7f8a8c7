"""Questions limited to some documents, over a real catalog, Chroma and Tantivy."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.catalog import selection
from pipelines.config import load_config
from pipelines.errors import ConfigError, SearchaskError
from pipelines.filters import Filters, parse
from pipelines.querying import hits
from pipelines.querying.knowledge_base import KnowledgeBase
from tests.support.cli import refused, searchask
from tests.support.house import House

QUESTION = "When does the cafeteria open?"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    house = House(tmp_path_factory.mktemp("filters"))
    house.write(
        "policies/leave.md",
        "# Leave\n\nThe cafeteria opens at eight. Leave is fifteen days."
        + " Ask the line manager two weeks ahead." * 9
        + "\n\n## Sick\n\nThe cafeteria brings soup.\n",
    )
    house.write("policies/old/trips.md", "# Trips\n\nThe cafeteria packs lunch for trips.\n")
    house.write("menu.txt", "The cafeteria opens at nine on Sundays.\n")
    house.write("食堂.txt", "食堂早上八点开门，中午供应面条。cafeteria 是食堂的英文名。员工可以刷卡用餐。\n")
    for name, day in (("policies/leave.md", 1_700_000_000), ("menu.txt", 1_715_000_000)):
        os.utime(house.docs / name, (day, day))
    house.ingest()
    return house


@pytest.fixture
def base(house: House) -> Iterator[KnowledgeBase]:
    with KnowledgeBase(house.config) as base:
        yield base


def found(base: KnowledgeBase, *conditions: str) -> set[str]:
    candidates = base.retrieve(QUESTION, filters=parse(conditions)).candidates
    return {each.document for each in candidates}


@pytest.mark.parametrize(
    ("conditions", "documents"),
    [
        (["document=policies/*.md"], {"policies/leave.md"}),
        (["document=leave.md"], {"policies/leave.md"}),
        (["document=policies/**"], {"policies/leave.md", "policies/old/trips.md"}),
        (["folder=policies"], {"policies/leave.md", "policies/old/trips.md"}),
        (["folder=*/old"], {"policies/old/trips.md"}),
        (["type=markdown"], {"policies/leave.md", "policies/old/trips.md"}),
        (["type=txt"], {"menu.txt", "食堂.txt"}),
        (["language=zh"], {"食堂.txt"}),
        (["date=2023-11"], {"policies/leave.md"}),
        (["date<2025", "type=text"], {"menu.txt"}),
        (["date=2023..2024-06"], {"policies/leave.md", "menu.txt"}),
        (["heading=sick"], {"policies/leave.md"}),
        (["document=menu.txt", "document=*.md"], {"menu.txt", "policies/leave.md", "policies/old/trips.md"}),
    ],
)
def test_what_a_filter_leaves(base: KnowledgeBase, conditions: list[str], documents: set[str]) -> None:
    assert found(base, *conditions) == documents


def test_a_heading_leaves_only_its_passages(base: KnowledgeBase) -> None:
    candidates = base.retrieve(QUESTION, filters=parse(["heading=sick"])).candidates
    assert [each.heading for each in candidates] == ["Leave > Sick"]
    assert {"meaning", "words", "both"} <= set(candidates[0].by)


@pytest.mark.parametrize(
    ("conditions", "said"),
    [
        (["document=menu.tx"], "did you mean 'menu.txt'"),
        (["type=pdf"], "there is markdown, text"),
        (["language=fr"], "there is en, zh"),
        (["date=2019"], "2023-11"),
        (["heading=Overtime"], "Leave"),
        (["type=txt", "folder=policies"], "each of them matches some"),
    ],
)
def test_a_filter_that_matches_nothing_says_so(base: KnowledgeBase, conditions: list[str], said: str) -> None:
    with pytest.raises(SearchaskError, match=said):
        base.ask(QUESTION, filters=parse(conditions))


def test_a_filter_that_matches_nothing_says_so_in_the_questions_language(base: KnowledgeBase) -> None:
    for conditions, said in (
        (["document=menu.tx"], "没有文档符合筛选条件 document=menu.tx（是否想写 'menu.txt'？）；现有："),
        (["type=txt", "folder=policies"], "没有文档同时符合筛选条件 type=txt, folder=policies"),
    ):
        with pytest.raises(SearchaskError, match=re.escape(said)):
            base.ask("员工有几天年假？", filters=parse(conditions))


def test_values_are_bounded(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.fill(12)
    house.ingest()
    with KnowledgeBase(house.config) as base, pytest.raises(SearchaskError, match="and 4 more"):
        base.ask(QUESTION, filters=parse(["document=nothing.pdf"]))


def test_large_selections_ask_the_stores_for_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = {"meaning": {"type": "vector", "top_k": 2}, "words": {"type": "keyword", "top_k": 2}}
    house = House(tmp_path, {"retrievers": {**few, "both": {"type": "fusion", "of": ["meaning", "words"]}}})
    for number in range(25):
        house.write(f"a/{number}.md", f"The cafeteria opens at {number}.")
        house.write(
            f"b/{number}.md", f"Badge {number} is issued by the front desk, which the cafeteria is beside."
        )
    house.ingest()
    limits = parse(["folder=b"])
    with KnowledgeBase(house.config) as base:
        exact = base.retrieve("The cafeteria opens", filters=limits).candidates
    for module in (selection, hits):
        monkeypatch.setattr(module, "FEW", 0)
    monkeypatch.setattr(hits, "_SPARE", 0)
    with KnowledgeBase(house.config) as base:
        with base.index._reading() as view:
            assert view.selection.allowed(limits).nodes is None
        asked = base.retrieve("The cafeteria opens", filters=limits).candidates
    assert {each.document[0] for each in asked} == {"b"}
    assert [each.score for each in asked] == pytest.approx([each.score for each in exact], abs=1e-4)


def test_filters_of_a_retriever_hold_for_its_parts_and_with_those_of_a_question(
    tmp_path: Path, house: House
) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(
        f"extends: {house.file}\n"
        "retrievers:\n"
        "  meaning: {type: vector}\n"
        "  words: {type: keyword}\n"
        "  both: {type: fusion, of: [meaning, words], filters: {folder: policies, date: 2023}}\n"
        "query_engines: {answer: {retriever: both, postprocessors: []}}\n",
        encoding="utf-8",
    )
    with KnowledgeBase(load_config(file)) as base:
        assert found(base) == {"policies/leave.md"}
        answer = base.ask(QUESTION, filters=parse(["type=txt"]))
    assert answer.outcome == "refused"
    assert any("no document matches all of the filters" in note for note in answer.trace.notes)


def test_a_document_alone_is_judged_against_the_whole_index(base: KnowledgeBase) -> None:
    answer = base.ask("cafeteria opens Sundays", filters=parse(["document=menu.txt"]))
    assert answer.outcome == "answered"
    assert {each.document for each in answer.citations} == {"menu.txt"}


def test_the_language_of_a_text_is_looked_up_once(house: House) -> None:
    with KnowledgeBase(house.config) as base:
        found(base, "language=zh")
        with base.index._reading() as view:
            known = view.selection.languages
        assert sorted(known.values()) == ["en", "en", "en", "zh"]
        house.write("policies/old/trips.md", "# Trips\n\nThe cafeteria packs lunch for all trips.\n")
        house.ingest()
        assert found(base, "language=en", "folder=policies/old") == {"policies/old/trips.md"}
        with base.index._reading() as view:
            assert view.selection.languages is known


def test_a_config_says_what_is_wrong_with_a_filter(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.edit(
        retrievers={
            "meaning": {"type": "vector", "filters": {"langauge": "zh"}},
            "words": {"type": "keyword", "filters": {"date": "soon", "folder": []}},
        }
    )
    with pytest.raises(ConfigError) as caught:
        _ = house.config
    said = str(caught.value)
    assert "retrievers.meaning.filters.langauge: unknown key (did you mean 'language'?)" in said
    assert "retrievers.words.filters.date" in said
    assert "is no date; write 2024, 2024-05" in said


def test_the_command_line(house: House) -> None:
    said = searchask(
        "retrieve", house.file, QUESTION, "--filter", "folder=policies", "--filter", "date=2023", "--json"
    )
    assert {each["document"] for each in said.json["candidates"]} == {"policies/leave.md"}
    refused(searchask("ask", house.file, QUESTION, "--filter", "typ=pdf"), "did you mean 'type'")
    refused(searchask("ask", house.file, QUESTION, "--filter", "type=pdf"), "there is markdown, text")


def test_empty_filters_change_nothing(base: KnowledgeBase) -> None:
    assert [each.node for each in base.retrieve(QUESTION, filters=Filters()).candidates] == [
        each.node for each in base.retrieve(QUESTION).candidates
    ]

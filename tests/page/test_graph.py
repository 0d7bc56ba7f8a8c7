"""The graph around a term: what is missing before there is one, what is drawn, and where a click leads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipelines.catalog import Catalog
from pipelines.errors import SearchaskError
from pipelines.page.graph import MOST, completions, place, surroundings, wanting
from pipelines.words import Language
from tests.support.house import House

GRAPH = {"near": {"type": "keyword"}, "linked": {"type": "graph", "of": "near"}}
FILES = {
    "moon_harbour.md": "# Moon Harbour\n\nMoon Harbour is a 2001 drama film. It was directed by Ada Lindgren.\n",
    "ada_lindgren.md": "# Ada Lindgren\n\nAda Lindgren was raised in Elsinore Bay. There ADA LINDGREN wrote.\n",
    "云岚系统.md": "# 云岚系统\n\n云岚系统是公司的报表平台，由“星河部门”维护。\n",
    "星河部门.md": "# 星河部门\n\n星河部门在三楼办公，主管是周明。\n",
}


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = House(tmp_path)
    for name, text in FILES.items():
        house.write(name, text)
    return house


def with_graph(house: House) -> House:
    house.edit(retrievers=GRAPH, query_engines={"answer": {"retriever": "linked"}})
    house.ingest()
    return house


@contextmanager
def opened(house: House) -> Iterator[Catalog]:
    catalog = Catalog(house.config.storage)
    yield catalog
    catalog.close()


def test_what_is_missing_is_said(house: House) -> None:
    assert "type: graph" in wanting(house.config, None, "en")
    assert "type: graph" in surroundings(house.config, None, "moon harbour", "zh")["note"]
    house.ingest()
    house.edit(retrievers=GRAPH, query_engines={"answer": {"retriever": "linked"}})
    with opened(house) as catalog:
        assert "not built yet" in wanting(house.config, catalog, "en")
        assert "尚未建立" in surroundings(house.config, catalog, "moon harbour", "zh")["note"]
        assert completions(catalog, "moon") == []
    assert "not built yet" in wanting(house.config, None, "en")
    house.ingest()
    with opened(house) as catalog:
        assert wanting(house.config, catalog, "en") == ""
        assert "choose one" in surroundings(house.config, catalog, " ", "en")["note"]
        unknown = surroundings(house.config, catalog, "Zebra ${1}", "en")
    assert unknown["note"] == "No document is called “Zebra ${1}”, and none names it."
    assert unknown["neighbours"] == unknown["lists"] == []


@pytest.mark.parametrize(
    ("term", "language", "key", "beside", "documents"),
    [
        ("The Moon Harbour", "en", "moon harbour", "ada lindgren", ["moon_harbour.md"]),
        ("云岚系统", "zh", "云岚系统", "星河部门", ["云岚系统.md"]),
    ],
)
def test_around_a_term(
    house: House, term: str, language: Language, key: str, beside: str, documents: list[str]
) -> None:
    with opened(with_graph(house)) as catalog:
        view = surroundings(house.config, catalog, term, language)
        assert view["term"] == key and view["note"] == ""
        drawn = {each["term"]: each for each in view["neighbours"]}
        assert beside in drawn and key not in drawn
        assert all(0 < each["share"] <= 1 and str(each["term"]) in each["title"] for each in drawn.values())
        assert len(drawn) <= MOST
        called, *_, named = view["lists"]
        assert key in called["head"]
        assert [row["document"] for row in called["rows"]] == documents
        assert all(row["node"] and row["text"] for row in named["rows"])
        onward = surroundings(house.config, catalog, beside, language)
        assert key in {each["term"] for each in onward["neighbours"]}


def test_a_passage_opens_at_the_term(house: House) -> None:
    with opened(with_graph(house)) as catalog:
        view = surroundings(house.config, catalog, "ada lindgren", "en")
        rows = {row["document"]: row["node"] for row in view["lists"][-1]["rows"]}
        assert rows.keys() == {"moon_harbour.md", "ada_lindgren.md"}
        found = place(catalog, rows["moon_harbour.md"], "ada lindgren", "en")
        assert (found.document, found.loader, found.quote) == ("moon_harbour.md", "files", "Ada Lindgren")
        assert found.start is not None
        assert FILES["moon_harbour.md"][found.start :].startswith("Ada Lindgren")
        assert place(catalog, rows["moon_harbour.md"], "", "en").quote == ""
        for gone in ("", "nobody", "x" * 10_000):
            with pytest.raises(SearchaskError, match="不在索引中"):
                place(catalog, gone, "ada lindgren", "zh")
    with pytest.raises(SearchaskError, match="no longer in the index"):
        place(None, "any", "any", "en")


def test_terms_are_completed(house: House) -> None:
    with opened(with_graph(house)) as catalog:
        assert "moon harbour" in completions(catalog, "Moo")
        assert "云岚系统" in completions(catalog, "云")
        assert completions(catalog, "") == []
        assert completions(catalog, "%") == []
        assert completions(catalog, "q" * 100_000) == []
    assert completions(None, "moon") == []

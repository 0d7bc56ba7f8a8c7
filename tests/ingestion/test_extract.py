"""Paths that an LLM reads while documents are ingested: paid for once, kept in step, never in the way."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from pipelines.catalog import usage
from pipelines.catalog.graph import GraphView
from pipelines.catalog.tables import extractions, graph_paths
from pipelines.commands.ingesting import show_plan, show_summary
from pipelines.errors import ConfigError, Refused
from pipelines.ingestion.sweep import prune
from tests.ingestion.test_graph import FILM, house_with
from tests.support.chat_server import ChatServer, chat_server
from tests.support.crash import Nursery, the_nursery
from tests.support.house import House

SAID = {
    "Moon Harbour (2001)": "(Moon Harbour, directed by, Ada Lindgren)\n(Moon Harbour, made in, Port Elsinore)",
    "born 1950": "(Ada Lindgren, grew up in, Port Elsinore)",
    "考勤制度": "（年假，批准者，人力资源部）",
}


@pytest.fixture
def model() -> Iterator[ChatServer]:
    """A model that knows three passages and says nothing of use about others."""
    with chat_server("") as server:

        def reply() -> str:
            asked = server.requests[-1]["messages"][1]["content"]
            return next((said for part, said in SAID.items() if part in asked), "I see no facts here.")

        server.next_reply = reply  # type: ignore[method-assign]
        yield server


def graphed(**extract: Any) -> dict[str, Any]:
    return {
        "meaning": {"type": "vector"},
        "linked": {"type": "graph", "of": "meaning", "extract": {"type": "llm", "workers": 1, **extract}},
    }


def llm(server: ChatServer, **more: Any) -> dict[str, Any]:
    return {"type": "openai_like", "model": "reader", "base_url": server.url, "retries": 0, **more}


def house_of(tmp_path: Path, server: ChatServer, **settings: Any) -> House:
    house = house_with(tmp_path, **settings)
    house.edit(**{"retrievers": graphed(), "llm": llm(server), **settings})
    return house


def paths(house: House) -> dict[str, set[tuple[str, str, str]]]:
    """The paths of each document that answers now."""
    catalog = house.catalog()
    active = catalog.generations.active()
    names = {row.id: row.path for row in catalog.documents(active.id)} if active else {}
    found: dict[str, set[tuple[str, str, str]]] = {}
    with catalog.engine.connect() as connection:
        for row in connection.execute(select(graph_paths)):
            assert row.node in catalog.leaves(row.document)
            found.setdefault(names[row.document], set()).add((row.subject, row.relation, row.object))
    catalog.close()
    return found


ALL = {
    "film.md": {
        ("Moon Harbour", "directed by", "Ada Lindgren"),
        ("Moon Harbour", "made in", "Port Elsinore"),
    },
    "person.md": {("Ada Lindgren", "grew up in", "Port Elsinore")},
    "leave.md": {("年假", "批准者", "人力资源部")},
}


def test_paths_are_read_once(tmp_path: Path, model: ChatServer, capsys: pytest.CaptureFixture[str]) -> None:
    house = house_of(tmp_path, model)
    house.write("other.md", "Nothing much happens here at all.\n")
    summary = house.ingest()
    assert summary.outcome == "done"
    assert paths(house) == ALL
    assert summary.to_dict()["graph"] == {"passages": 4, "from_cache": 0, "paths": 4, "useless": 1}
    show_summary(summary, [])
    assert (
        "4 passages read by the llm, 0 from the cache: 4 paths; 1 passages gave none"
        in capsys.readouterr().out
    )
    asked = len(model.requests)
    (house.docs / "film.md").touch()
    (house.docs / "person.md").rename(house.docs / "director.md")
    shutil.copy(house.docs / "leave.md", house.docs / "copy.md")
    house.ingest()
    assert len(model.requests) == asked
    assert paths(house) == {
        **{name: ALL[name] for name in ("film.md", "leave.md")},
        "director.md": ALL["person.md"],
        "copy.md": ALL["leave.md"],
    }
    assert house.plan().work == []


def test_what_they_name_is_followed_and_shown(tmp_path: Path, model: ChatServer) -> None:
    house = house_of(tmp_path, model)
    house.ingest()
    catalog = house.catalog()
    active = catalog.generations.active()
    assert active is not None
    around = GraphView(catalog.engine, active.id).around("ada lindgren")
    ids = {row.path: row.id for row in catalog.documents(active.id)}
    catalog.close()
    assert {(each.subject, each.relation, each.object, each.document) for each in around.relations} == {
        ("Moon Harbour", "directed by", "Ada Lindgren", ids["film.md"]),
        ("Ada Lindgren", "grew up in", "Port Elsinore", ids["person.md"]),
    }
    assert around.relations[0].object_term == "ada lindgren"


def test_an_edit_and_a_deletion_take_their_paths_with_them(tmp_path: Path, model: ChatServer) -> None:
    house = house_of(tmp_path, model)
    house.ingest()
    house.write("film.md", "# Film\n\nIt is about the sea.\n")
    (house.docs / "person.md").unlink()
    house.ingest(allow_vanish=True)
    assert paths(house) == {"leave.md": ALL["leave.md"]}
    catalog = house.catalog()
    with catalog.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(extractions)) == 4
    dropped = prune(house.config, catalog)
    catalog.close()
    assert dropped["paths"] == 2  # of the texts that are gone


def test_the_option_redoes_just_that(
    tmp_path: Path, model: ChatServer, capsys: pytest.CaptureFixture[str]
) -> None:
    house = house_with(tmp_path)
    house.ingest()
    house.edit(retrievers=graphed(), llm=llm(model, price={"input": 1, "output": 2}))
    plan = house.plan()
    assert {change.reason for change in plan.changes} == {
        "its names are found in another way since; nothing is embedded"
    }
    assert (plan.tokens, plan.calls.number) == (0, 3)
    told = plan.to_dict()["estimate"]["graph"]
    assert told["calls"] == 3
    assert told["cost"] == pytest.approx((told["tokens_in"] + 2 * told["tokens_out"]) / 1e6)
    show_plan(plan)
    assert "about 3 calls of the llm for the graph" in capsys.readouterr().out
    summary = house.ingest()
    assert (summary.spent.texts, summary.cut, len(model.requests)) == (0, 0, 3)
    assert paths(house) == ALL
    house.edit(llm=llm(model, temperature=0.7, max_tokens=300))  # how it answers questions
    assert house.plan().work == []
    house.edit(retrievers=graphed(max_paths=1))
    assert house.plan().calls.number == 3
    house.ingest()
    assert all(len(found) == 1 for found in paths(house).values())
    house.edit(retrievers=graphed())  # known from before
    assert house.plan().calls.number == 0
    house.ingest()
    assert (paths(house), len(model.requests)) == (ALL, 6)
    house.edit(retrievers={"meaning": {"type": "vector"}, "linked": {"type": "graph", "of": "meaning"}})
    house.ingest()
    assert paths(house) == {}


def test_an_endpoint_that_fails_keeps_what_is_indexed(tmp_path: Path, model: ChatServer) -> None:
    house = house_of(tmp_path, model)
    house.ingest()
    house.write("film.md", FILM.replace("2001", "2002"))
    model.status = 500
    summary = house.ingest()
    assert (summary.outcome, summary.failed) == ("failed", 1)
    assert paths(house) == ALL
    assert "2001" in house.live()["film.md"][0]
    model.status = 200
    summary = house.ingest()
    assert (summary.outcome, summary.done) == ("done", 1)
    assert "2002" in house.live()["film.md"][0]
    assert set(paths(house)) == {"person.md", "leave.md"}  # the model says nothing of use about 2002


def test_an_endpoint_that_is_down_stops_the_run(tmp_path: Path, model: ChatServer) -> None:
    house = house_of(tmp_path, model)
    for number in range(20):
        house.write(f"more{number}.md", f"Number {number} is here.\n")
    model.status = 500
    summary = house.ingest()
    assert summary.outcome == "failed"
    assert "the endpoint answered 500" in summary.error
    assert len(model.requests) <= 12
    model.status = 200
    assert house.ingest().outcome == "done"
    assert paths(house) == ALL


def test_usage_and_limits(tmp_path: Path, model: ChatServer) -> None:
    house = house_of(tmp_path, model, llm=llm(model, price={"input": 1, "output": 2}))
    house.edit(limits={"per_ingestion": {"tokens": 50}})
    with pytest.raises(Refused, match="would be embedded or read by the model"):
        house.ingest()
    assert model.requests == []
    house.edit(limits={})
    summary = house.ingest()
    catalog = house.catalog()
    (row,) = [each for each in usage.sums(catalog.engine, 1) if each.model == "reader"]
    catalog.close()
    assert (row.kind, row.calls) == ("ingestion", 3)
    assert row.money == pytest.approx((row.tokens_in + 2 * row.tokens_out) / 1e6) == summary.money
    house.edit(
        limits={"per_day": {"tokens": row.tokens_in + row.tokens_out + 40}}, retrievers=graphed(max_paths=1)
    )
    with pytest.raises(Refused, match=r"limits.per_day: 40 tokens are left"):
        house.ingest()


def test_a_run_stops_where_it_gets_to_a_limit(tmp_path: Path, model: ChatServer) -> None:
    house = house_with(tmp_path)
    house.edit(llm=llm(model), retrievers=graphed())
    for number in range(12):
        house.write(f"n{number}.md", f"The report {number} was written by Bo Sand. " * 2)
    plan = house.plan()
    limit = plan.calls.sent + plan.calls.written
    model.next_reply = lambda: "word " * 900  # type: ignore[method-assign] - which no estimate foresees
    house.edit(limits={"per_ingestion": {"tokens": limit}})
    summary = house.ingest()
    assert summary.outcome == "failed"
    assert summary.error.startswith("limits.per_ingestion:")
    asked = len(model.requests)
    assert 0 < asked < 15
    house.edit(limits={})
    assert house.ingest().outcome == "done"
    assert len(model.requests) == 15  # none was asked about twice


@pytest.mark.parametrize("step", ["read by the model@2", "stored", "half the commit@2"])
def test_a_killed_run_pays_for_no_passage_twice(tmp_path: Path, model: ChatServer, step: str) -> None:
    house = house_of(tmp_path, model)
    nursery: Nursery = the_nursery()
    assert nursery.crash(house.file, step, group=1)
    assert house.ingest().outcome == "done"
    assert paths(house) == ALL
    assert len(model.requests) == 3
    assert house.agrees()


def test_a_stopped_run_goes_on_where_it_was(tmp_path: Path, model: ChatServer) -> None:
    house = house_of(tmp_path, model)
    summary = house.ingest(stopped=lambda: len(model.requests) >= 2)
    assert (summary.outcome, summary.failed) == ("interrupted", 0)
    assert len(model.requests) == 2
    assert house.ingest().outcome == "done"
    assert (paths(house), len(model.requests)) == (ALL, 3)


def test_a_config_without_a_model_says_so_at_its_line(tmp_path: Path) -> None:
    house = House(tmp_path, {"retrievers": graphed()})
    with pytest.raises(ConfigError, match=r"extract.type: 'llm' needs a model: add `llm:`, or use 'names'"):
        _ = house.config


def test_there_is_one_graph(tmp_path: Path, model: ChatServer) -> None:
    both = {**graphed(), "other": {"type": "graph", "of": "meaning"}}
    house = House(tmp_path, {"retrievers": both, "llm": llm(model)})
    with pytest.raises(ConfigError, match=r"there is one graph: write the `extract` of 'linked'"):
        _ = house.config


def test_money_for_reading_needs_a_price(tmp_path: Path, model: ChatServer) -> None:
    settings = {"retrievers": graphed(), "llm": llm(model), "limits": {"per_ingestion": {"money": 1}}}
    with pytest.raises(ConfigError, match=r"money can't be counted: `llm` gives no `price`"):
        _ = House(tmp_path, settings).config

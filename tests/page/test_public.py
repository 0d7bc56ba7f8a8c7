"""What programs may call: JSON for answers and for mistakes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.page.answers import LONGEST
from pipelines.page.public import Public
from pipelines.page.site import Site
from tests.support.house import House

QUESTION = "When does the cafeteria open?"
CALLS = ["ask", "retrieve", "list_documents"]


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = House(tmp_path)
    house.fill(3)
    house.ingest()
    return house


@pytest.fixture
def public(house: House) -> Public:
    return Public(Site(house.root))


def call(public: Public, name: str, **values: Any) -> Any:
    function: Callable[..., str] = getattr(public, name)
    return json.loads(function(**({} if name == "list_documents" else {"question": QUESTION}) | values))


def test_ask(public: Public) -> None:
    told = call(public, "ask", knowledge_base="config")
    assert list(told) == ["question", "outcome", "text", "citations", "trace"]
    assert told == {**call(public, "ask"), "trace": told["trace"]}


def test_retrieve(public: Public) -> None:
    told = call(public, "retrieve")
    assert list(told) == ["question", "candidates"]
    assert {each["document"] for each in told["candidates"]} <= {f"doc00{number}.md" for number in range(3)}


def test_list_documents(house: House, public: Public) -> None:
    assert [each["document"] for each in call(public, "list_documents")] == [
        "doc000.md",
        "doc001.md",
        "doc002.md",
    ]
    shutil.rmtree(house.config.storage)
    assert call(public, "list_documents") == []
    assert "nothing is ingested yet" in call(public, "ask")["error"]


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("wrong", ["other", "../config", 5, 1.5, True, ["config"], {"a": 1}, "x" * 100_000])
def test_a_wrong_knowledge_base(public: Public, name: str, wrong: Any) -> None:
    told = call(public, name, knowledge_base=wrong)
    assert list(told) == ["error"]
    assert len(told["error"]) < 300


@pytest.mark.parametrize("name", ["ask", "retrieve"])
@pytest.mark.parametrize("wrong", ["other", 5, ["answer"], {"a": 1}, None, "x" * 100_000])
def test_a_wrong_engine(public: Public, name: str, wrong: Any) -> None:
    told = call(public, name, engine=wrong)
    assert list(told) == ["error"]
    assert len(told["error"]) < 300


@pytest.mark.parametrize("name", ["ask", "retrieve"])
@pytest.mark.parametrize("wrong", ["", " \x00", None, 5, ["a"], {"text": "a"}, "x" * (LONGEST + 1)])
def test_a_wrong_question(public: Public, name: str, wrong: Any) -> None:
    assert list(call(public, name, question=wrong)) == ["error"]


def test_a_strange_question(public: Public) -> None:
    for question in ("half \ud83d of it", "年假\u2028?", "<b>", "x" * LONGEST):
        told = call(public, "ask", question=question)
        assert "error" not in told
        json.dumps(told, ensure_ascii=False).encode()


@pytest.mark.parametrize("name", CALLS)
def test_a_broken_config(house: House, public: Public, name: str) -> None:
    house.edit(node_parser={"type": "sentense"})
    assert "config.yaml:" in call(public, name)["error"]

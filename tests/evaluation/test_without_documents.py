"""A config without loaders: the model answers alone, under its label, to be compared with one that has documents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines.config import load_config
from pipelines.errors import ConfigError, SearchaskError
from pipelines.ingestion.run import ingest
from pipelines.querying.knowledge_base import KnowledgeBase
from tests.support.chat_server import chat_server
from tests.support.cli import searchask


def written(tmp_path: Path, url: str, more: str = "") -> Path:
    file = tmp_path / "alone.yaml"
    llm = f"{{type: openai_like, model: m, base_url: '{url}', api_key: k, retries: 0}}"
    file.write_text(f"storage: alone\nllm: {llm}\n{more}", encoding="utf-8")
    return file


def test_the_model_answers_alone_and_the_label_says_so(tmp_path: Path) -> None:
    with chat_server("Paris.") as server:
        with KnowledgeBase(load_config(written(tmp_path, server.url))) as base:
            answer = base.ask("What is the capital of France?")
        assert (answer.outcome, answer.text, answer.citations) == ("from_model", "Paris.", ())
        assert answer.label and len(server.requests) == 1
        said = searchask("ask", tmp_path / "alone.yaml", "法国的首都是哪里？")
    assert said.code == 0 and "Paris." in said.out


@pytest.mark.parametrize(
    "more",
    [
        "",
        "retrievers: {words: {type: keyword}}\n",
        "retrievers: {meaning: {type: vector}, about: {type: summary}}\n",
        "query_engines: {answer: {retriever: both, policy: {type: open}}}\n",
    ],
)
def test_whatever_the_engine_is_made_of(tmp_path: Path, more: str) -> None:
    with (
        chat_server("Paris.") as server,
        KnowledgeBase(load_config(written(tmp_path, server.url, more))) as base,
    ):
        assert base.ask("Where?").outcome == "from_model"


def test_there_is_nothing_to_ingest(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, "http://127.0.0.1:9/v1"))
    with pytest.raises(SearchaskError, match="names no loader, so there is nothing to ingest"):
        ingest(config)


def test_without_a_model_loaders_are_needed(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("storage: st\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path / "c.yaml")
    (problem,) = caught.value.problems
    assert problem.key == "loaders" and "name a loader" in problem.message


def test_loaders_that_were_taken_out_do_not_empty_an_index(tmp_path: Path) -> None:
    from tests.support.house import House

    house = House(tmp_path)
    house.fill(3)
    house.ingest()
    before = house.live()
    changes: dict[str, Any] = {
        "llm": {"type": "openai_like", "model": "m", "base_url": "http://127.0.0.1:9/v1"}
    }
    del house.settings["loaders"]
    house.edit(**changes)
    with pytest.raises(SearchaskError, match="nothing to ingest"):
        house.ingest(allow_vanish=True)
    assert house.live() == before

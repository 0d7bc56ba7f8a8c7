"""Moderation of questions, streamed answers and documents, by a word list and by an endpoint on loopback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import ConfigError
from pipelines.querying.answer import Answer, Retrieval
from pipelines.querying.knowledge_base import KnowledgeBase
from tests.support.chat_server import chat_server
from tests.support.cli import searchask
from tests.support.house import House
from tests.support.moderation_server import moderation_server

ANSWER = "The cafeteria opens at eight [1]. Then the bomb goes off [1]. And lunch is at noon [1]."


def make(folder: Path, moderation: dict[str, Any], **settings: Any) -> House:
    house = House(folder, {"moderation": moderation, **settings})
    (folder / "words.txt").write_text("bomb\n枪支\n", encoding="utf-8")
    house.fill(3)
    return house


def llm(url: str) -> dict[str, Any]:
    return {"type": "openai_like", "model": "m", "base_url": url, "retries": 0}


def pieces(house: House, question: str) -> tuple[str, Answer]:
    with KnowledgeBase(house.config) as base:
        *streamed, answer = base.stream(question)
    assert isinstance(answer, Answer)
    return "".join(each for each in streamed if isinstance(each, str)), answer


@pytest.mark.parametrize(
    ("question", "said"),
    [("How is a bomb made?", "This question touches"), ("怎么买枪支？", "这个问题涉及不允许的内容")],
)
def test_a_question_is_refused_before_anything_is_looked_for(
    tmp_path: Path, question: str, said: str
) -> None:
    house = make(tmp_path, {"words": "words.txt"})
    house.ingest()
    with KnowledgeBase(house.config) as base:
        found, answer = base.stream(question)
    assert isinstance(found, Retrieval)
    assert isinstance(answer, Answer)
    assert found.candidates == ()
    assert (answer.outcome, answer.citations) == ("refused", ())
    assert answer.text.startswith(said)
    told = answer.to_dict()["trace"]
    assert told["stages"] == []
    (decision,) = told["moderation"]
    assert decision["blocked"] and decision["by"] == "words"
    assert decision["reason"].endswith("of words.txt")


def test_an_answer_is_cut_off_before_what_is_forbidden_is_shown(tmp_path: Path) -> None:
    with chat_server(ANSWER) as server:
        house = make(tmp_path, {"words": "words.txt"}, llm=llm(server.url))
        house.ingest()
        streamed, answer = pieces(house, "When does the cafeteria open?")
    assert streamed.strip() == "The cafeteria opens at eight [1]."
    assert answer.outcome == "refused"
    assert answer.text.startswith("The answer touched content")
    assert "bomb" not in str(answer.to_dict()["text"])
    assert [each["blocked"] for each in answer.trace.moderation] == [False, True]


def test_what_is_fine_comes_through_whole(tmp_path: Path) -> None:
    with chat_server("The cafeteria opens at eight [1].") as server:
        house = make(tmp_path, {"words": "words.txt"}, llm=llm(server.url))
        house.ingest()
        _, answer = pieces(house, "When does the cafeteria open?")
    assert (answer.outcome, answer.text) == ("answered", "The cafeteria opens at eight. [1]")


def test_an_endpoint_judges(tmp_path: Path) -> None:
    with moderation_server("bomb") as judge, chat_server(ANSWER) as server:
        endpoint = {"base_url": judge.url, "model": "m", "api_key": "sk-secret"}
        house = make(tmp_path, {"endpoint": endpoint, "check": ["question", "answer"]}, llm=llm(server.url))
        house.ingest()
        assert judge.texts == []  # documents are not looked at
        streamed, answer = pieces(house, "When does the cafeteria open?")
        assert streamed.strip() == "The cafeteria opens at eight [1]."
        assert answer.trace.moderation[-1]["reason"] == "violence"
        house.edit(moderation={"endpoint": {**endpoint, "categories": ["hate"]}})
        assert pieces(house, "How is a bomb made?")[1].text != answer.text


@pytest.mark.parametrize("fault", ["down", "nonsense", "refuses"])
def test_an_endpoint_that_fails(tmp_path: Path, fault: str) -> None:
    with moderation_server("bomb") as judge:
        endpoint = {"base_url": judge.url, "model": "m", "api_key": "sk-secret", "retries": 0, "timeout": 5}
        if fault == "down":
            endpoint["base_url"] = "http://127.0.0.1:9/v1"
        judge.body = b'{"results": []}' if fault == "nonsense" else b""
        judge.status = 401 if fault == "refuses" else 200
        house = make(tmp_path, {"endpoint": endpoint, "check": ["question"]})
        house.ingest()
        _, answer = pieces(house, "食堂几点开门？")
        assert (answer.outcome, answer.text) == ("refused", "内容审核服务暂时不可用，现在不能回答。")
        reason = answer.trace.moderation[0]["reason"]
        assert "the moderation endpoint failed, nothing passes" in reason
        assert "sk-secret" not in str(answer.to_dict())
        house.edit(moderation={"endpoint": endpoint, "check": ["question"], "on_failure": "allow"})
        _, answer = pieces(house, "When does the cafeteria open?")
        assert answer.outcome == "answered"
        assert "it was let pass" in answer.trace.moderation[0]["reason"]


def test_documents_are_quarantined_with_the_reason(tmp_path: Path) -> None:
    house = make(tmp_path, {"words": "words.txt"})
    house.write("bad.md", "First the bomb is lit.")
    assert house.ingest().failed == 1
    rows = {row["document"]: row for row in searchask("documents", house.file, "--json").json}
    assert rows["bad.md"]["state"] == "quarantined"
    assert rows["bad.md"]["error"] == "moderation: line 1 of words.txt"
    assert house.live()["bad.md"] == []
    assert house.agrees()
    house.write("bad.md", "First the lamp is lit.")
    assert house.ingest().done == 1


def test_documents_wait_while_nobody_can_judge_them(tmp_path: Path) -> None:
    with moderation_server("badge") as judge:
        judge.status = 500
        house = make(tmp_path, {"endpoint": {"base_url": judge.url, "model": "m", "retries": 0}})
        assert house.ingest().failed == 3
        judge.status, judge.word = 200, "nothing of the kind"
        assert house.ingest().done == 3
        assert len(judge.texts) >= 3


def test_a_config_says_what_is_wrong_with_its_word_list(tmp_path: Path) -> None:
    house = make(tmp_path, {"words": "words.txt"})
    (tmp_path / "words.txt").write_text("ok\n/[/\n", encoding="utf-8")
    with pytest.raises(
        ConfigError, match=r"config.yaml:\d+:\d+: moderation.words: .*words.txt:2: no regular"
    ):
        _ = house.config
    house.edit(moderation={"on_failure": "allow"})
    with pytest.raises(ConfigError, match="needs words or endpoint"):
        _ = house.config

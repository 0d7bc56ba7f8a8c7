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


def actions(house: House) -> dict[str, str]:
    return {change.path: f"{change.action}: {change.reason}" for change in house.plan().work}


def test_an_edited_word_list_rechecks_what_is_indexed_without_embedding(tmp_path: Path) -> None:
    house = make(tmp_path, {"words": "words.txt"})
    house.write("lamp.md", "First the lamp is lit. Then the wick is cut.")
    assert house.ingest().done == 4
    assert house.plan().work == []
    (tmp_path / "words.txt").write_text("# lights\nlamp\n枪支\n", encoding="utf-8")
    said = "stale: moderation changed; it is checked, and nothing is embedded"
    assert actions(house) == {f"doc00{n}.md": said for n in range(3)} | {"lamp.md": said}
    assert house.plan().tokens == 0
    with KnowledgeBase(house.config) as base:  # open all the time, as a page is
        assert documents_of(base, "When is the lamp lit?")[0] == "lamp.md"
        summary = house.ingest()
        assert "lamp.md" not in documents_of(base, "When is the lamp lit?")
    assert (summary.done, summary.failed, summary.spent.texts, summary.read) == (3, 1, 0, 0)
    row = states(house)["lamp.md"]
    assert (row["state"], row["error"], row["chunks"]) == (
        "quarantined",
        "moderation: line 2 of words.txt",
        0,
    )
    assert house.live()["lamp.md"] == []
    assert house.agrees()
    catalog = house.catalog()
    assert len(catalog.texts()) == 3  # the forbidden text is gone
    catalog.close()
    assert house.plan().work == []  # it is left alone until it or the moderation changes
    (tmp_path / "words.txt").write_text("wick\n", encoding="utf-8")
    assert actions(house)["lamp.md"] == (
        "failed: moderation changed, and it is checked again: moderation: line 2 of words.txt"
    )
    assert house.ingest().failed == 1
    assert states(house)["lamp.md"]["error"] == "moderation: line 1 of words.txt"
    (tmp_path / "words.txt").write_text("bomb\n", encoding="utf-8")
    summary = house.ingest()
    assert (summary.done, summary.failed, summary.spent.texts) == (4, 0, 0)
    assert states(house)["lamp.md"]["state"] == "done"
    assert len(house.live()["lamp.md"]) > 0
    assert house.agrees()
    assert house.plan().work == []


def test_documents_that_were_never_looked_at_are_and_are_let_go_with_the_moderation(tmp_path: Path) -> None:
    house = House(tmp_path, {"embed_model": {"type": "fake"}})
    (tmp_path / "words.txt").write_text("lamp\n", encoding="utf-8")
    house.write("lamp.md", "The lamp is lit.")
    house.write("wick.md", "The wick is cut.")
    house.ingest()
    house.edit(moderation={"words": "words.txt"})
    said = "stale: moderation has not looked at it yet; it is checked, and nothing is embedded"
    assert actions(house) == {"lamp.md": said, "wick.md": said}
    summary = house.ingest()
    assert (summary.done, summary.failed, summary.spent.texts) == (1, 1, 0)
    house.edit(moderation={"words": "words.txt", "check": ["question"]})
    assert list(actions(house)) == ["lamp.md"]
    summary = house.ingest()
    assert (summary.done, summary.failed, summary.spent.texts) == (1, 0, 0)
    assert house.plan().work == []


@pytest.mark.parametrize(
    "edit",
    [
        {"question": {"zh": "不行。", "en": "No."}},
        {"on_failure": "allow"},
        {"check": ["document"]},
    ],
)
def test_what_decides_nothing_about_documents_checks_none(tmp_path: Path, edit: dict[str, Any]) -> None:
    house = make(tmp_path, {"words": "words.txt"})
    house.ingest()
    house.edit(moderation={"words": "words.txt", **edit})
    (tmp_path / "words.txt").write_text("# the same in another order\n枪支\n\nBomb\n", encoding="utf-8")
    assert house.plan().work == []
    (tmp_path / "words.txt").write_text("枪支\nbombs\n", encoding="utf-8")
    assert len(house.plan().work) == 3


def test_an_endpoint_looks_again_and_what_it_can_not_judge_stays(tmp_path: Path) -> None:
    with moderation_server("nothing of the kind") as judge:
        endpoint = {"base_url": judge.url, "model": "one", "retries": 0}
        house = make(tmp_path, {"endpoint": endpoint})
        house.write("lamp.md", "The lamp is lit.")
        house.ingest()
        house.edit(moderation={"endpoint": {**endpoint, "timeout": 5.0}})
        assert house.plan().work == []
        house.edit(moderation={"endpoint": {**endpoint, "model": "two"}})
        judge.word, judge.status = "lamp", 500
        before = len(judge.texts)
        summary = house.ingest()
        assert (summary.outcome, summary.failed) == ("failed", 3)  # the fourth is not tried
        assert "the moderation endpoint failed, nothing passes" in summary.error
        assert all(row["state"] == "done" for row in states(house).values())
        assert len(house.plan().work) == 4
        judge.status = 200
        summary = house.ingest()
        assert (summary.done, summary.failed, summary.spent.texts) == (3, 1, 0)
        assert states(house)["lamp.md"]["state"] == "quarantined"
        assert len(judge.texts) > before
        assert house.agrees()


def test_an_older_version_that_still_answers_is_checked_as_well(tmp_path: Path) -> None:
    house = make(tmp_path, {"words": "words.txt"})
    house.write("lamp.md", "The lamp is lit.")
    house.ingest()
    house.write("lamp.md", "The bomb is lit.")
    house.ingest()
    assert house.live()["lamp.md"] == ["The lamp is lit."]
    (tmp_path / "words.txt").write_text("lamp\nbomb\n", encoding="utf-8")
    assert "checked again" in actions(house)["lamp.md"]
    house.ingest()
    assert house.live()["lamp.md"] == []
    assert states(house)["lamp.md"]["error"] == "moderation: line 2 of words.txt"
    assert house.agrees()


def test_an_index_built_anew_takes_no_forbidden_text_along(tmp_path: Path) -> None:
    house = make(tmp_path, {"words": "words.txt"})
    house.write("lamp.md", "The lamp is lit.")
    house.ingest()
    (tmp_path / "words.txt").write_text("lamp\n", encoding="utf-8")
    house.edit(embed_model={"type": "fake", "dimension": 24})
    assert actions(house)["lamp.md"].endswith("; moderation changed")
    summary = house.ingest()
    assert (summary.done, summary.failed) == (3, 1)
    assert states(house)["lamp.md"]["state"] == "quarantined"
    assert house.live()["lamp.md"] == []
    assert house.agrees()
    with KnowledgeBase(house.config) as base:
        assert base.index.generation.dimension == 24  # the new index answers all the same
        assert "lamp.md" not in documents_of(base, "When is the lamp lit?")


def test_a_recut_text_is_looked_at(tmp_path: Path) -> None:
    house = make(tmp_path, {"words": "words.txt"})
    house.write("lamp.md", "The lamp is lit.")
    house.ingest()
    (tmp_path / "words.txt").write_text("lamp\n", encoding="utf-8")
    house.edit(node_parser={"type": "sentence", "chunk_size": 48, "chunk_overlap": 0})
    assert actions(house)["lamp.md"] == "stale: node_parser was edited; moderation changed"
    house.ingest()
    assert house.live()["lamp.md"] == []
    assert states(house)["lamp.md"]["state"] == "quarantined"
    assert house.agrees()
    assert house.plan().work == []


def states(house: House) -> dict[str, dict[str, Any]]:
    catalog = house.catalog()
    try:
        return {row["document"]: row for row in catalog.listing()}
    finally:
        catalog.close()


def documents_of(base: KnowledgeBase, question: str) -> list[str]:
    return [each.document for each in base.retrieve(question).candidates]


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

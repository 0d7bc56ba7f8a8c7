"""`searchask finetune export`: what becomes an example, what does not, and why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipelines.components.policies import Refusal
from pipelines.components.responses import Prompts
from pipelines.evaluation.questions import Evidence, Question, write_questions
from tests.support.chat_server import chat_server
from tests.support.cli import Said, refused, searchask
from tests.support.house import House

PLACES = "Lisbon Porto Madrid Seville Lyon Nantes Turin Parma Ghent Bruges Basel Zurich Vienna Linz".split()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A note on each place, one in Chinese, ingested; a test that edits the config puts it back."""
    house = House(tmp_path_factory.mktemp("house"))
    for number, place in enumerate(PLACES):
        house.write(
            f"{place}.md",
            f"# {place}\n\nThe office in {place} has desk {700 + number}. The {place} door opens at eight, as usual.\n",
        )
    house.write("年假.md", "# 年假\n\n工作满一年的员工每年有五天年假；满十年的有十天。年假要提前两周申请。\n")
    assert house.ingest().outcome == "done"
    return house


def gold(place: str, **more: Any) -> Question:
    number = 700 + PLACES.index(place)
    text = f"Which desk has the office in {place}?"
    return Question(f"g-{place}", text, answers=(str(number),), documents=(f"{place}.md",), **more)


def export(house: House, folder: Path, questions: list[Question], *words: object) -> Said:
    write_questions(folder / "q.jsonl", questions)
    return searchask(
        "finetune", "export", house.file, "--questions", folder / "q.jsonl", "--out", folder / "out", *words
    )


def written(folder: Path, name: str = "train") -> dict[str, list[str]]:
    """System text and answer of each example, by question."""
    lines = (folder / "out" / f"{name}.jsonl").read_text("utf-8").splitlines()
    found = {}
    for line in lines:
        row = json.loads(line)
        assert list(row) == ["messages"]
        system, user, assistant = row["messages"]
        assert [each["role"] for each in row["messages"]] == ["system", "user", "assistant"]
        found[user["content"]] = [system["content"], assistant["content"]]
    return found


ALL = [gold(place) for place in PLACES]


def test_gold_answers_with_the_sentence_they_rest_on(house: House, tmp_path: Path) -> None:
    leave = Question(
        "zh",
        "满十年有几天年假？",
        answers=("十天", "10 天"),
        documents=("年假.md",),
        evidence=(Evidence("年假.md", "满十年的有十天"),),
    )
    loose = Question("loose", "Is Basel old?", answers=("It is.",), documents=("Basel.md",))
    said = export(house, tmp_path, [*ALL, leave, loose], "--validation", 0, "--json")
    assert (said.code, said.err) == (0, "")
    found = written(tmp_path)
    told, answer = found["Which desk has the office in Lyon?"]
    assert answer == "704\n\nEvidence: “The office in Lyon has desk 704.”"
    assert told.startswith(Prompts().knowledge.en)
    told, answer = found["满十年有几天年假？"]
    assert answer == "十天\n\n依据：“满十年的有十天。”"
    assert told.startswith(Prompts().knowledge.zh)
    assert found["Is Basel old?"][1] == "It is."
    report = said.json
    assert report["answers"] == {"gold with evidence": 15, "gold without evidence": 1}
    assert report["train"]["languages"] == {"en": 15, "zh": 1} and report["train"]["documents"] == 15
    assert report["files"] == [str(tmp_path / "out" / "train.jsonl")] and report["left_out"] == {}


def test_the_split_keeps_documents_apart_and_costs_are_those_of_training(
    house: House, tmp_path: Path
) -> None:
    twice = [
        Question(
            f"d-{place}",
            f"When does the {place} door open?",
            answers=("at eight",),
            documents=(f"{place}.md",),
        )
        for place in PLACES
    ]
    house.edit(
        llm={
            "type": "openai",
            "model": "gpt-4o-mini",
            "api_key": "sk-none-000",
            "price": {"input": 1, "output": 1, "training_price": 3.0},
        },
        query_engines={"answer": {"retriever": "both", "response": {"type": "extractive"}}},
    )
    try:
        said = export(house, tmp_path, [*ALL, *twice], "--validation", 0.25, "--epochs", 2, "--json")
        shown = export(house, tmp_path, [*ALL, *twice], "--validation", 0.25, "--epochs", 2).out
    finally:
        house.edit(llm=None, query_engines={"answer": {"retriever": "both"}})
    train, validation = written(tmp_path), written(tmp_path, "validation")
    assert (len(train), len(validation)) == (22, 6)
    places = [
        {place for place in PLACES for question in part if place in question} for part in (train, validation)
    ]
    assert not places[0] & places[1] and len(places[1]) == 3
    report = said.json
    assert report["token_table"] == "o200k_base"
    assert report["cost_per_epoch"] == pytest.approx(report["train"]["tokens"] * 3e-6)
    assert report["cost"] == pytest.approx(2 * report["cost_per_epoch"])
    assert f"{report['cost_per_epoch']:.4f} an epoch × 2 = {report['cost']:.4f}, by o200k_base" in shown
    again = export(house, tmp_path, [*ALL, *twice][::-1], "--validation", 0)
    assert again.code == 0 and "set `training_price` in the price of `llm`" in again.out
    assert not (tmp_path / "out" / "validation.jsonl").exists()  # it holds what is trained on now


def test_what_is_left_out_is_told(house: House, tmp_path: Path) -> None:
    others = [
        Question("dup", "which desk has the office in LYON", answers=("9",), documents=("Lyon.md",)),
        Question("test", "What is in Linz?", answers=("x",), documents=("Linz.md",), split="test"),
        Question("no", "Who is the mayor of Ulm?", answerable=False),
        Question("gone", "What is in Graz?", answers=("x",), documents=("Graz.md",)),
        Question(
            "stale",
            "When closes Linz?",
            answers=("at nine",),
            documents=("Linz.md",),
            evidence=(Evidence("Linz.md", "It closes at nine."),),
        ),
        Question("long", "Why? " * 200, answers=("at eight",), documents=("Linz.md",)),
    ]
    said = export(house, tmp_path, [*ALL, *others], "--json", "--longest", 150)
    assert said.json["left_out"] == {
        "asked twice": 1,
        "held out: split test": 1,
        "unanswerable (--refusals takes them)": 1,
        "documents not in the index": 1,
        "evidence no longer in the documents": 1,
        "longer than 150 tokens": 1,
    }
    assert said.json["errors"] == {"not in the index: Graz.md": 1}
    assert said.json["train"]["examples"] + said.json["validation"]["examples"] == len(ALL)
    few = export(house, tmp_path / "few", [*ALL[:9], *others], "--longest", 150)
    refused(few, "8 examples to train on and 1 to validate with", "nothing was written", "1 asked twice")
    assert not (tmp_path / "few" / "out").exists()


def test_refusals_in_the_words_of_the_policy(house: House, tmp_path: Path) -> None:
    no = [
        Question("no-en", "Who is the mayor of Ulm?", answerable=False),
        Question("no-zh", "乌尔姆的市长是谁？", answerable=False),
    ]
    said = export(house, tmp_path, [*ALL, *no], "--refusals", "--validation", 0)
    assert "14 gold with evidence, 2 refusal" in said.out
    found = written(tmp_path)
    assert found["Who is the mayor of Ulm?"][1] == Refusal().en
    assert found["乌尔姆的市长是谁？"][1] == Refusal().zh


def test_without_gold_the_engine_answers_and_its_refusals_are_no_knowledge(
    house: House, tmp_path: Path
) -> None:
    open_ = [Question(f"o-{place}", f"Which desk has the office in {place}?") for place in PLACES]
    strange = Question("s", "Quantum chromodynamics lattice?")
    house.edit(query_engines={"answer": {"retriever": "both"}, "exact": {"retriever": "words"}})
    said = export(house, tmp_path, [*open_, strange], "--json", "--validation", 0, "--engine", "exact")
    assert said.json["answers"] == {"engine": 14}
    assert said.json["left_out"] == {"the engine's answer was a refusal": 1}
    answer = written(tmp_path)["Which desk has the office in Ghent?"][1]
    assert "The office in Ghent has desk 708." in answer
    assert "[1]" not in answer and Refusal().en not in answer
    unknown = export(house, tmp_path, open_, "--engine", "nonsense")
    refused(unknown, "no query engine is called 'nonsense'")


def test_a_written_answer_keeps_what_is_supported_only(house: House, tmp_path: Path) -> None:
    asked = Question("o", "Which desk has the office in Turin?")
    with chat_server("The office in Turin has desk 706 [1]. Elephants love purple bananas [1].") as server:
        house.edit(
            llm={"type": "openai_like", "model": "m", "base_url": server.url},
            query_engines={"answer": {"retriever": "both", "response": {"type": "compact"}}},
        )
        try:
            said = export(house, tmp_path, [*ALL[:6], *ALL[7:], asked], "--validation", 0)
            answer = written(tmp_path)["Which desk has the office in Turin?"][1]
            server.status = 500
            failed = export(house, tmp_path, [*ALL[:6], *ALL[7:], asked], "--validation", 0, "--json")
        finally:
            house.edit(llm=None, query_engines={"answer": {"retriever": "both"}})
    assert "1 engine" in said.out
    assert "The office in Turin has desk 706." in answer
    assert "Elephants" not in answer and "[1]" not in answer
    assert failed.json["left_out"] == {"the engine failed": 1}
    ((error, number),) = failed.json["errors"].items()
    assert "the endpoint answered 500" in error and number == 1
    assert len(server.requests) > 1


def test_the_engine_is_not_asked_beyond_a_limit(house: House, tmp_path: Path) -> None:
    with chat_server("The office in Turin has desk 706 [1].") as server:
        house.edit(
            llm={"type": "openai_like", "model": "m", "base_url": server.url},
            limits={"per_question": {"tokens": 5}},
            query_engines={"answer": {"retriever": "both", "response": {"type": "compact"}}},
        )
        open_ = [Question(f"o{number}", f"Which desk has Turin {number}?") for number in range(3)]
        try:
            said = export(house, tmp_path, [*ALL, *open_], "--json")
        finally:
            house.edit(llm=None, limits={}, query_engines={"answer": {"retriever": "both"}})
    assert said.json["left_out"] == {"not asked: a limit was reached": 3}
    assert server.requests == []


def test_wrong_input_is_a_sentence(house: House, tmp_path: Path) -> None:
    refused(export(house, tmp_path, ALL, "--validation", 0.9), "--validation must be between")
    refused(export(house, tmp_path, ALL, "--epochs", 0), "--epochs must be at least 1")
    refused(export(house, tmp_path, []), "holds no question")
    (tmp_path / "out").write_text("a file", encoding="utf-8")
    refused(export(house, tmp_path, ALL), "out can't be written to")
    empty = House(tmp_path / "empty")
    refused(export(empty, tmp_path, ALL), "nothing is ingested yet")

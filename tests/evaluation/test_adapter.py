"""Adapters: a map that is there is found, none is made up, and what was held out decides."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipelines.evaluation.adapter import (
    MOST_PASSAGES,
    STRENGTHS,
    Examples,
    _kept,
    folds,
    gain_at_least,
    grouped,
    reciprocal_ranks,
    strength_for,
    trained,
)
from pipelines.evaluation.questions import Question, write_questions
from pipelines.evaluation.run import fingerprints
from pipelines.ingestion.fingerprints import embed_key, generation_key
from pipelines.models.adapter import read_adapter
from tests.support import openai_server as server_module
from tests.support.cli import Said, refused, searchask
from tests.support.house import House
from tests.support.openai_server import OpenAIServer

WIDE = 16
DOCUMENTS = 120
FACTS = 64


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def turn(angle: float = 1.2) -> np.ndarray:
    """A rotation by that angle in eight planes."""
    pair = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.kron(np.eye(WIDE // 2), pair)


def examples(count: int = DOCUMENTS, *, turned: bool = True, noise: float = 0.2) -> Examples:
    """A question a document, whose vector is that of its passage, turned; or drawn from nothing."""
    rng = np.random.default_rng(3)
    passages = unit(rng.normal(size=(2 * count, WIDE)))
    asked = passages[::2] @ turn().T if turned else rng.normal(size=(count, WIDE))
    document = np.repeat(np.arange(count), 2)
    gold = np.eye(count, dtype=bool)
    return Examples(
        questions=unit(asked + noise * rng.normal(size=asked.shape) / np.sqrt(WIDE)),
        passages=passages,
        document=document,
        gold=gold,
        answers=gold[:, document] & (np.arange(2 * count) % 2 == 0),
        group=np.arange(count),
    )


def test_a_linear_map_is_found_and_holds_for_unseen_documents() -> None:
    known = examples()
    learnt, held = np.arange(0, 90), np.arange(90, DOCUMENTS)
    strength = strength_for(known, learnt)
    assert strength in STRENGTHS
    weights = trained(known, learnt, strength)
    before = reciprocal_ranks(known, held, np.eye(WIDE), np.arange(DOCUMENTS)).mean()
    after = reciprocal_ranks(known, held, weights, np.arange(DOCUMENTS)).mean()
    assert before < 0.3
    assert after > 0.8
    found = unit(unit(known.questions[held]) @ weights.T)
    assert (found * known.passages[::2][held]).sum(axis=1).mean() > 0.8  # cos(1.2) is 0.36


def test_where_nothing_is_to_be_learnt_nothing_is() -> None:
    noise = examples(turned=False)
    gains = []
    for rows in np.split(np.arange(DOCUMENTS), 2):
        if strength := strength_for(noise, rows):
            others = np.setdiff1d(np.arange(DOCUMENTS), rows)
            weights = trained(noise, rows, strength)
            gains.append(
                reciprocal_ranks(noise, others, weights, others)
                - reciprocal_ranks(noise, others, np.eye(WIDE), others)
            )
    assert all(gain_at_least(each, np.arange(len(each)), 0.95) <= 0 for each in gains)


def test_a_strong_pull_leaves_questions_where_they_are() -> None:
    known, rows = examples(), np.arange(60)
    far = [np.linalg.norm(trained(known, rows, each) - np.eye(WIDE)) for each in STRENGTHS]
    assert far == sorted(far)


def test_questions_that_share_a_document_stay_together() -> None:
    group = grouped([{1, 2}, {3}, {2, 4}, {5}, {4}, {3}])
    assert [group[0] == each for each in group] == [True, False, True, False, True, False]
    assert group[1] == group[5] != group[3]
    fold = folds(group, 2, seed=0)
    assert all(len(set(fold[group == each])) == 1 for each in set(group))
    assert sorted(np.bincount(fold)) == [3, 3]


def test_a_gain_of_one_document_is_no_gain_of_many() -> None:
    """Ten questions about one document say no more than one of them does."""
    gains = np.array([1.0] * 10 + [0.0] * 30)
    assert gain_at_least(gains, np.arange(40), 0.95) > 0
    assert gain_at_least(gains, np.array([0] * 10 + list(range(1, 31))), 0.95) == 0


def test_of_too_many_passages_the_right_ones_are_kept() -> None:
    rng = np.random.default_rng(0)
    cosines = rng.random((400, 9_000))
    pool = np.arange(9_000) % 3 > 0
    target = rng.choice(np.flatnonzero(pool), 400)
    kept = _kept(pool, cosines, target)
    assert len(kept) == MOST_PASSAGES
    assert set(target) <= set(kept)
    assert pool[kept].all()
    assert (np.diff(kept) > 0).all()


class Turned:
    """An embedding model that puts each question a fixed rotation away from the passage that answers it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, angle: float = 1.2) -> None:
        self.rotation = turn(angle)
        monkeypatch.setattr(server_module, "vectors", self.vectors)

    def vectors(self, model: str, texts: Sequence[str]) -> np.ndarray:
        return np.stack([self._vector(text) for text in texts])

    def _vector(self, text: str) -> np.ndarray:
        number = int((re.search(r"\d+", text) or ["999"])[0])
        vector = unit(np.random.default_rng(number).normal(size=WIDE))
        return self.rotation @ vector if text.startswith("query: ") else vector


@pytest.fixture
def house(tmp_path: Path, openai_server: OpenAIServer) -> House:
    """Documents that each tell one fact, ingested with a model of which only questions are off."""
    model = {
        "type": "openai_like",
        "model": "turned",
        "base_url": openai_server.url,
        "query_prefix": "query: ",
    }
    house = House(
        tmp_path,
        {
            "embed_model": model,
            "retrievers": {"meaning": {"type": "vector", "top_k": 20}, "words": {"type": "keyword"}},
            "query_engines": {"answer": {"retriever": "meaning", "postprocessors": []}},
        },
    )
    for number in range(FACTS):
        house.write(f"{number}.md", f"Fact {number} is told here and nowhere else.\n")
    return house


def questions(house: House, **more: Any) -> Path:
    """A set that asks for each fact, and for some that nobody tells."""
    found = [
        Question(f"q{number}", f"What is fact {number}?", documents=(f"{number}.md",), **more)
        for number in range(FACTS)
    ]
    file = house.root / "questions.jsonl"
    write_questions(file, [*found, Question("none", "What is fact 777?", answerable=False)])
    return file


def trains(house: House, *more: object, out: str = "adapters/a.npz") -> Said:
    """What the command says."""
    asked = ("--questions", house.root / "questions.jsonl", "--out", house.root / out)
    return searchask("finetune", "embedding", house.file, *asked, *more)


def test_from_a_question_set_to_better_answers(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    Turned(monkeypatch)
    house.ingest()
    questions(house)
    said = trains(house)
    assert said.code == 0, said.text
    row = re.search(r"meaning +([\d.]+) → ([\d.]+) .* ([+\d.]+) +([+\d.]+)$", said.out, re.MULTILINE)
    assert row, said.out
    assert float(row[1]) < 0.3
    assert float(row[2]) > 0.7
    assert float(row[4]) > 0.3
    assert f"{FACTS} questions, each held out" in said.out
    assert "`adapter: adapters/a.npz`" in said.out

    def first() -> str:
        asked = searchask("retrieve", house.file, "What is fact 17?", "--json").json
        return str(asked["candidates"][0]["document"])

    before, prints, index = first(), fingerprints(house.config, "answer"), house.live()
    assert before != "17.md"
    house.edit(embed_model={**house.settings["embed_model"], "adapter": "adapters/a.npz"})
    assert first() == "17.md"
    # An adapter is no reason to do anything to the index, but what was measured before it was another system.
    assert not house.plan().work
    assert house.live() == index
    after = fingerprints(house.config, "answer")
    assert {key for key in after if after[key] != prints[key]} == {"adapter"}
    held = house.config.spec.embed_model.holding(None)
    bare = house.config.spec.model_copy(update={"embed_model": held})
    assert embed_key(bare) == embed_key(house.config.spec)
    assert generation_key(bare) == generation_key(house.config.spec)
    about = read_adapter(house.root / "adapters" / "a.npz").about
    assert about["questions"] == "questions.jsonl"
    assert about["learnt_from"] == FACTS

    # Trained again with the adapter in the config: from the model's own vectors, to the same weights.
    content = read_adapter(house.root / "adapters" / "a.npz").content
    again = trains(house, "--json")
    assert again.code == 0
    assert again.json["file"].endswith("a.npz")
    assert again.json["gains"][-1]["before"]["mrr@10"] < 0.3
    assert read_adapter(house.root / "adapters" / "a.npz").content == content


def test_what_does_not_help_is_refused_and_not_written(house: House) -> None:
    house.edit(embed_model={"type": "fake", "dimension": WIDE})
    house.ingest()
    questions(house)
    said = trains(house)
    assert said.code == 2
    assert "the adapter does not help, and nothing was written: " in said.err
    assert "each held out" in said.out
    assert not (house.root / "adapters").exists()
    assert trains(house, "--json").json["file"] is None


def test_a_ranking_that_has_no_vectors_gains_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    Turned(monkeypatch)
    house.ingest()
    questions(house)
    said = trains(house, "--retriever", "words")
    refused_why = "with it 'words' ranks no better for the questions held out: MRR@10 +0.000"
    assert (said.code, refused_why in said.err) == (2, True)
    assert not (house.root / "adapters").exists()


def test_questions_marked_test_are_held_out(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    Turned(monkeypatch)
    house.ingest()
    file = questions(house)
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    for row in rows[:24]:
        row["split"] = "test"
    rows[40]["documents"].append("3.md")  # it would tell the adapter of a document that is held out
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    said = trains(house, "--json")
    assert said.code == 0, said.text
    assert (said.json["held_out"], said.json["learnt_from"]) == (24, FACTS - 25)


def test_bad_input_is_told_and_nothing_is_written(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    Turned(monkeypatch)
    questions(house)
    refused(trains(house), "run `searchask ingest` first")
    house.ingest()
    refused(trains(house, "--retriever", "both"), "no retriever is called 'both'", "meaning, words")
    refused(trains(house, out="questions.jsonl"), "ends in .npz")
    few = [
        Question("q1", "What is fact 1?", documents=("1.md",)),
        Question("q2", "And 2?", documents=("x.md",)),
    ]
    write_questions(house.root / "questions.jsonl", few)
    refused(trains(house), "1 questions of use are not enough", "name no document of the index: 1")
    questions(house)
    house.edit(embed_model={"type": "fake", "dimension": WIDE})
    refused(trains(house), "the index was built with another embed_model")
    assert not (house.root / "adapters").exists()

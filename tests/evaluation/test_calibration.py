"""Thresholds found on questions: better than the usual numbers, or the usual numbers."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from pipelines.components.postprocessors import Evidence
from pipelines.components.runtime.evidence import Signs
from pipelines.config import load_config
from pipelines.config.calibration import read_calibration
from pipelines.errors import ConfigError, SearchaskError
from pipelines.evaluation.calibration import Seen, fitted
from pipelines.querying.knowledge_base import KnowledgeBase
from tests.support.cli import refused, searchask
from tests.support.house import House

ROOT = Path(__file__).parents[2]


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = House(tmp_path)
    house.fill(12)
    house.ingest()
    rows = [{"question": f"What is number {number} of one?", "answerable": True} for number in range(12)]
    rows += [{"question": f"Where do {number} penguins sleep?", "answerable": False} for number in range(12)]
    lines = "\n".join(json.dumps(row) for row in rows)
    (tmp_path / "q.jsonl").write_text(lines + "\n", encoding="utf-8")
    return house


def seen(answerable: bool, words: float, top: float) -> Seen:
    return Seen(answerable, top, Signs(words=words))


def test_the_best_thresholds_are_found() -> None:
    spec = load_config(ROOT / "config" / "default.yaml").spec
    chance = random.Random(1)
    some = [seen(True, chance.uniform(0.31, 0.5), chance.uniform(0.8, 1.0)) for _ in range(60)]
    some += [seen(False, chance.uniform(0.1, 0.29), chance.uniform(0.5, 0.7)) for _ in range(60)]
    found = fitted(spec, "answer", some)
    assert found.auc == 1.0
    assert 0.7 < found.cutoff < 0.8
    assert found.evidence.words == 0.3
    assert found.by_evidence.balanced_accuracy > 0.95 > found.by_default.balanced_accuracy
    usual = Evidence(type="evidence")
    assert found.evidence.stands_out == usual.stands_out  # nothing says that another is better


def test_noise_leaves_the_usual_numbers() -> None:
    spec = load_config(ROOT / "config" / "default.yaml").spec
    chance = random.Random(2)
    some = [
        seen(kind, chance.uniform(0.0, 0.5), chance.random()) for kind in (True, False) for _ in range(40)
    ]
    found = fitted(spec, "answer", some, most_refused=1.0)
    assert found.by_evidence.balanced_accuracy < 0.65
    if found.by_evidence == found.by_default:
        assert found.evidence.words == Evidence(type="evidence").words


def test_few_answerable_questions_are_refused() -> None:
    spec = load_config(ROOT / "config" / "default.yaml").spec
    some = [seen(True, number / 100, number / 100) for number in range(100)]
    some += [seen(False, 0.2, 0.5) for _ in range(50)]
    for cap in (0.0, 0.1, 0.3):
        found = fitted(spec, "answer", some, most_refused=cap)
        wrong = sum(each.top < found.cutoff for each in some if each.answerable) / 100
        assert wrong <= cap


def test_too_few_questions() -> None:
    spec = load_config(ROOT / "config" / "default.yaml").spec
    with pytest.raises(SearchaskError, match="at least 10 questions"):
        fitted(spec, "answer", [seen(True, 0.3, 1.0)] * 30 + [seen(False, 0.1, 0.5)] * 3)


def test_calibrate_writes_what_a_config_can_name(house: House) -> None:
    said = searchask("calibrate", house.file, "--questions", house.root / "q.jsonl")
    assert said.code == 0, said.text
    assert "AUC" in said.out
    assert "calibration: calibration/config.yaml" in said.out
    file = house.root / "calibration" / "config.yaml"
    found = read_calibration(file).engines["answer"]
    assert found.answerable == found.unanswerable == 12
    engine = {"retriever": "both", "postprocessors": [{"type": "similarity_cutoff", "cutoff": "calibrated"}]}
    house.edit(calibration="calibration/config.yaml", query_engines={"answer": engine})
    (step,) = house.config.spec.query_engines["answer"].postprocessors
    assert step.cutoff == found.cutoff  # type: ignore[union-attr]
    house.edit(
        query_engines={"answer": {**engine, "postprocessors": [{"type": "evidence", "calibrated": True}]}}
    )
    (step,) = house.config.spec.query_engines["answer"].postprocessors
    assert step.words == found.evidence.words  # type: ignore[union-attr]
    again = searchask("calibrate", house.file, "--questions", house.root / "q.jsonl", "--json")
    assert again.json["engines"]["answer"]["auc"] == found.auc


def test_a_config_that_is_not_calibrated_yet(house: House) -> None:
    cutoff = {"retriever": "both", "postprocessors": [{"type": "similarity_cutoff", "cutoff": "calibrated"}]}
    gate = {"retriever": "both", "postprocessors": [{"type": "evidence", "calibrated": True}]}
    house.edit(calibration="later.yaml", query_engines={"gated": gate, "cut": cutoff})
    with KnowledgeBase(house.config) as base:
        assert "is not calibrated yet" in base.ask("What is number 3 of one?", "gated").trace.notes[0]
        with pytest.raises(SearchaskError, match="no calibration of this engine yet"):
            base.ask("What is number 3 of one?", "cut")
    assert searchask("calibrate", house.file, "--questions", house.root / "q.jsonl").code == 0
    with KnowledgeBase(house.config) as base:
        assert base.ask("What is number 3 of one?", "cut").trace.notes == []
    house.edit(retrievers={"meaning": {"type": "vector", "top_k": 3}, "words": {"type": "keyword"},
                           "both": {"type": "fusion", "of": ["meaning", "words"]}})  # fmt: skip
    with KnowledgeBase(house.config) as base:
        assert "calibrate again" in base.ask("What is number 3 of one?", "cut").trace.notes[0]


def test_a_calibration_that_is_none_is_an_error_at_its_line(house: House) -> None:
    (house.root / "wrong.yaml").write_text("engines: {answer: {cutoff: high}}\n", encoding="utf-8")
    house.edit(calibration="wrong.yaml")
    with pytest.raises(ConfigError, match=r"config.yaml:1:\d+: calibration: .*wrong.yaml is no calibration"):
        _ = house.config


def test_questions_of_one_kind_or_another_engine(house: House) -> None:
    (house.root / "bad.jsonl").write_text('{"question": "Why?"}\n', encoding="utf-8")
    refused(
        searchask("calibrate", house.file, "--questions", house.root / "bad.jsonl"),
        "at least 10 questions",
        "`answerable: false`",
    )
    refused(
        searchask("calibrate", house.file, "--questions", house.root / "q.jsonl", "--engine", "none"),
        "no query engine is called 'none'",
    )


def test_the_default_config_is_calibrated() -> None:
    config = load_config(ROOT / "config" / "default.yaml")
    found = read_calibration(ROOT / "config" / "calibration" / "default.yaml").engines["answer"]
    assert dict(config.notes) == {}
    assert found.by_evidence.balanced_accuracy >= found.by_default.balanced_accuracy
    (gate,) = config.spec.query_engines["answer"].postprocessors
    assert gate.words == found.evidence.words  # type: ignore[union-attr]

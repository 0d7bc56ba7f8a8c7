"""Runs side by side: means, pairs, flips, and what is left out."""

from __future__ import annotations

import json

import pytest

from pipelines.errors import SearchaskError
from pipelines.evaluation.compare import compare
from tests.evaluation.samples import outcome, question, run

QUESTIONS = [question(f"q{number}") for number in range(8)]


def test_a_metric_is_compared_question_by_question() -> None:
    before = run([(each, outcome(each, rank=2)) for each in QUESTIONS])
    after = run([(each, outcome(each, rank=1)) for each in QUESTIONS])
    row = compare([before, after], ["a", "b"]).metrics["mrr@10"]
    (pair,) = row.against
    assert row.means == (0.5, 1.0)
    assert pair is not None and (pair.n, pair.wins, pair.losses, pair.difference) == (8, 8, 0, 0.5)
    assert pair.p < 0.05 and row.corrected[0] is not None and row.corrected[0] >= pair.p


def test_flips_are_told_in_both_directions_with_both_answers() -> None:
    before = run([(each, outcome(each)) for each in QUESTIONS[:3]])
    after = run(
        [
            (QUESTIONS[0], outcome(QUESTIONS[0], says="no")),
            (QUESTIONS[1], outcome(QUESTIONS[1], rank=0)),
            (QUESTIONS[2], outcome(QUESTIONS[2])),
        ]
    )
    flips = compare([before, after], ["a", "b"]).flips
    assert [(flip.question.id, flip.metrics, flip.better) for flip in flips] == [
        ("q0", ("contains",), False),
        ("q1", ("hit@5",), False),
    ]
    assert (flips[0].before.text, flips[0].after.text) == ("yes", "no")
    back = compare([after, before], ["b", "a"]).flips
    assert [flip.better for flip in back] == [True, True]


def test_a_refusal_that_is_wrong_flips_for_the_worse_and_one_that_is_right_for_the_better() -> None:
    known, unknown = question("known"), question("unknown", answerable=False, answers=(), documents=())
    before = run([(known, outcome(known)), (unknown, outcome(unknown))])
    refused = {"outcome": "refused", "says": "not in the documents"}
    after = run([(known, outcome(known, **refused)), (unknown, outcome(unknown, **refused))])
    flips = compare([before, after], ["a", "b"]).flips
    assert [(flip.question.id, flip.better) for flip in flips] == [("known", False), ("unknown", True)]
    assert flips[0].metrics == ("contains", "refused_wrongly") and flips[1].metrics == ("refused_rightly",)


def test_a_question_that_failed_in_one_run_counts_for_neither() -> None:
    before = run([(each, outcome(each)) for each in QUESTIONS])
    after = run(
        [
            (
                each,
                outcome(each, outcome="failed", text="", passages=()) if each.id == "q3" else outcome(each),
            )
            for each in QUESTIONS
        ]
    )
    compared = compare([before, after], ["a", "b"])
    (pair,) = compared.metrics["hit@5"].against
    assert pair is not None and pair.n == 7 and not compared.flips
    assert compared.summaries[1].failed == 1


def test_config_keys_that_differ_are_told_and_storage_is_not() -> None:
    told = [
        {"storage": "a", "chunk_size": "128", "same": "x"},
        {"storage": "b", "chunk_size": "256", "same": "x"},
    ]
    runs = [run([(QUESTIONS[0], outcome(QUESTIONS[0]))], effective=each) for each in told]
    assert compare(runs, ["a", "b"]).differing == {"chunk_size": ("128", "256")}


def test_runs_without_a_common_question_are_refused() -> None:
    one, other = (run([(each, outcome(each))]) for each in QUESTIONS[:2])
    with pytest.raises(SearchaskError, match="no question in common"):
        compare([one, other], ["a", "b"])


def test_it_goes_into_json_and_equal_names_are_told_apart() -> None:
    runs = [run([(QUESTIONS[0], outcome(QUESTIONS[0]))])] * 3
    compared = compare(runs, ["a", "a", "b"])
    assert compared.names == ["a (1)", "a (2)", "b"]
    told = json.loads(json.dumps(compared.to_dict(), allow_nan=False))
    assert len(told["metrics"]["hit@5"]["against_first"]) == 2

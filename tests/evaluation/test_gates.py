"""Conditions of `compare --fail-if`."""

from __future__ import annotations

import pytest

from pipelines.errors import SearchaskError
from pipelines.evaluation.compare import Comparison, compare
from pipelines.evaluation.gates import parse_gate
from tests.evaluation.samples import outcome, question, run


def compared(*firsts: int) -> Comparison:
    """Two runs over as many questions; the second finds the gold document at these ranks."""
    questions = [question(f"q{place}") for place in range(len(firsts))]
    before = run([(each, outcome(each, rank=1)) for each in questions])
    after = run([(each, outcome(each, rank=rank)) for each, rank in zip(questions, firsts, strict=True)])
    return compare([before, after], ["a", "b"])


@pytest.mark.parametrize(
    ("text", "fails"),
    [
        ("mrr < -0.01", True),
        ("mrr < -0.5", False),
        ("mrr@10<=-.25", True),
        ("hit < 0", False),
        ("hit@1 < -0.4", True),
        ("seconds > 100", False),
    ],
)
def test_a_gate_looks_at_the_difference(text: str, fails: bool) -> None:
    assert bool(parse_gate(text).failing(compared(1, 2))) is fails


def test_a_gate_names_run_metric_and_difference() -> None:
    (line,) = parse_gate("mrr < -0.01").failing(compared(1, 2))
    assert line == "b: mrr@10 differs by -0.2500, which is < -0.01"


def test_a_metric_that_was_not_measured_is_no_pass() -> None:
    with pytest.raises(SearchaskError, match="grounded was not measured"):
        parse_gate("grounded < 0").failing(compared(1, 2))


@pytest.mark.parametrize(
    "text", ["", "mrr", "mrr -0.1", "mrr < x", "mrr == 0", "mrr < 0; import os", "mrr <"]
)
def test_what_is_no_condition_is_told_with_an_example(text: str) -> None:
    with pytest.raises(SearchaskError, match=r'"mrr < -0.01" fails where'):
        parse_gate(text)


def test_an_unknown_metric_is_told_with_the_nearest() -> None:
    with pytest.raises(SearchaskError, match=r"no metric is called 'mmr' \(did you mean 'mrr'\?\)"):
        parse_gate("mmr < 0")

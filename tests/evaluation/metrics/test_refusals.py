from __future__ import annotations

import math
import warnings

from pipelines.evaluation.metrics.refusals import refusals, refused
from pipelines.evaluation.outcomes import Outcome, Passage
from tests.evaluation.metrics.parts import outcome, question

ASKED, UNANSWERABLE = question("a.md"), question(answerable=False)


def scored(score: float | None, what: str = "answered") -> Outcome:
    passages = (
        [] if score is None else [Passage(rank=1, node="1", document="a.md", score=score, fate="cited")]
    )
    return Outcome(id="q", outcome=what, passages=tuple(passages))  # type: ignore[arg-type]


def test_a_refusal_is_right_or_wrong() -> None:
    assert refused(ASKED, outcome(outcome="refused")) == {"refused_wrongly": 1}
    assert refused(ASKED, outcome(outcome="answered")) == {"refused_wrongly": 0}
    assert refused(UNANSWERABLE, outcome(outcome="refused")) == {"refused_rightly": 1}
    assert refused(UNANSWERABLE, outcome(outcome="from_model")) == {"refused_rightly": 0}
    assert refused(ASKED, outcome(outcome="failed")) == {}


def test_precision_recall_and_separation_of_a_set() -> None:
    found = refusals(
        [
            (ASKED, scored(0.9)),
            (ASKED, scored(0.8)),
            (ASKED, scored(0.3, "refused")),
            (ASKED, scored(0.1, "failed")),
            (UNANSWERABLE, scored(0.2, "refused")),
            (UNANSWERABLE, scored(0.8)),
        ]
    )
    assert (found.precision, found.recall, found.false_refusals) == (0.5, 0.5, 1 / 3)
    # Of the six pairs, 0.9 wins both, 0.8 wins one and ties one, 0.3 wins one.
    assert found.auc == 4.5 / 6


def test_what_has_nothing_to_divide_by_is_none() -> None:
    assert refusals([]).to_dict() == {"precision": None, "recall": None, "false_refusals": None, "auc": None}
    assert refusals([(ASKED, scored(0.9))]).to_dict() == {
        "precision": None,
        "recall": None,
        "false_refusals": 0.0,
        "auc": None,
    }


def test_nothing_found_is_below_every_score() -> None:
    assert refusals([(ASKED, scored(-3.0)), (UNANSWERABLE, scored(None))]).auc == 1
    assert refusals([(ASKED, scored(math.nan)), (UNANSWERABLE, scored(-3.0))]).auc == 0
    assert refusals([(ASKED, scored(None)), (UNANSWERABLE, scored(None))]).auc is None


def test_equal_scores_separate_nothing_and_say_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert refusals([(ASKED, scored(1.0))] * 30 + [(UNANSWERABLE, scored(1.0))] * 30).auc == 0.5

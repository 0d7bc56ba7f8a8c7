from __future__ import annotations

import json

from pipelines.evaluation.metrics import METRICS, scores, summary
from pipelines.evaluation.outcomes import Called, Judgement, Outcome, Said
from tests.evaluation.metrics.parts import outcome, question

ASKED = question("a.md", answers=("15 days",))


def whole(**values: object) -> Outcome:
    return outcome(
        "a.md",
        **{
            "text": "15 days",
            "sentences": (Said(text="15 days"),),
            "seconds": 2.0,
            "calls": (
                Called(model="m", purpose="answer", tokens_in=100, tokens_out=10),
                Called(model="m", purpose="judge grounded", tokens_in=50, tokens_out=1),
            ),
            "embedded": 7,
            "money": 0.5,
            "stages": {"write": 1000.0},
            "judged": {"grounded": Judgement(verdict=True), "relevant": Judgement(verdict=None, reply="hm")},
            **values,
        },
    )


def test_every_score_is_a_known_metric_in_its_order() -> None:
    found = scores(ASKED, whole())
    assert list(found) == [name for name in METRICS if name in found]
    assert found["grounded"] == 1
    assert "relevant" not in found
    assert (found["seconds"], found["tokens"], found["money"]) == (2.0, 117.0, 0.5)
    assert found["refused_wrongly"] == 0
    assert all(metric.name == name and metric.says for name, metric in METRICS.items())


def test_less_is_better_of_costs_and_wrong_refusals_alone() -> None:
    less = [name for name, metric in METRICS.items() if not metric.higher_is_better]
    assert less == ["refused_wrongly", "seconds", "tokens", "money"]


def test_a_failed_question_costs_what_it_should_have_found() -> None:
    failed = Outcome(id="q", outcome="failed", error="no")
    assert set(scores(ASKED, failed).values()) == {0.0}
    assert {"hit@1", "f1"} <= scores(ASKED, failed).keys()
    assert not {"seconds", "refused_wrongly", "supported"} & scores(ASKED, failed).keys()


def test_a_summary_of_a_set() -> None:
    pairs = [
        (ASKED, whole()),
        (ASKED, whole(seconds=4.0, stages={"write": 3000.0, "rerank": 5.0}, text="no", sentences=())),
        (question(answerable=False), outcome(outcome="refused", money=0.0, evidence_gone=2)),
        (ASKED, Outcome(id="q", outcome="failed", error="no")),
    ]
    found = summary(pairs)
    assert found.outcomes == {"answered": 2, "refused": 1, "from_model": 0, "failed": 1}
    assert found.failed == 1
    assert (found.metrics["f1"].mean, found.metrics["f1"].count) == (1 / 3, 3)
    assert found.refusals.recall == 1
    assert found.seconds == {"p50": 2.0, "p95": 3.8}
    assert found.stages == {"write": {"p50": 2000.0, "p95": 2900.0}, "rerank": {"p50": 5.0, "p95": 5.0}}
    assert (found.tokens, found.judge_tokens, found.money) == (234, 102, 1.0)
    assert (found.judge_nonsense, found.evidence_gone) == (2, 2)
    told = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert told["metrics"]["f1"] == {"mean": 1 / 3, "count": 3}
    assert told["failed"] == 1


def test_money_is_unknown_where_some_has_no_price() -> None:
    assert summary([(ASKED, whole()), (ASKED, whole(money=None))]).money is None


def test_a_set_without_outcomes_is_no_error() -> None:
    found = summary([])
    assert (found.questions, found.metrics, found.seconds) == (0, {}, {})
    json.dumps(found.to_dict(), allow_nan=False)

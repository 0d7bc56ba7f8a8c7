"""Parts of a report's tables."""

from __future__ import annotations

import pytest

from pipelines.evaluation.metrics import METRICS
from pipelines.evaluation.report import tables
from pipelines.evaluation.report.texts import FAMILIES, METRICS_ZH, TEXTS
from tests.evaluation.samples import outcome, question, run

STEP = "query_engines.answer.postprocessors"


@pytest.mark.parametrize(
    ("effective", "told"),
    [
        ({}, "threshold_none"),
        ({f"{STEP}[0].type": "similarity_cutoff", f"{STEP}[0].cutoff": "0.8"}, "threshold"),
        ({f"{STEP}[0].type": "similarity_cutoff", f"{STEP}[0].cutoff": "calibrated"}, "threshold_none"),
        (
            {f"{STEP}[0].type": "rerank", f"{STEP}[1].type": "similarity_cutoff", f"{STEP}[1].cutoff": "0.8"},
            "threshold_rescored",
        ),
        ({f"{STEP}[0].type": "evidence", f"{STEP}[0].words": "0.2"}, "threshold_evidence"),
        ({"query_engines.other.postprocessors[0].type": "evidence"}, "threshold_none"),
    ],
)
def test_cutoff(effective: dict[str, str], told: str) -> None:
    assert tables.cutoff(run([], effective=effective).header)[0] == told


def test_numbers_of_a_gate() -> None:
    effective = {f"{STEP}[2].type": "evidence", f"{STEP}[2].words": "0.2", f"{STEP}[2].calibrated": "true"}
    assert tables.cutoff(run([], effective=effective).header)[1] == {"numbers": "words 0.2"}


def test_every_metric_is_told_in_chinese() -> None:
    assert METRICS_ZH.keys() == METRICS.keys()
    assert {metric.family for metric in METRICS.values()} == FAMILIES.keys()


def test_both_languages_have_the_same_values() -> None:
    import string

    for key, words in TEXTS.items():
        names = [
            {name for _, name, _, _ in string.Formatter().parse(text) if name}
            for text in (words.en, words.zh)
        ]
        assert names[0] == names[1], key


def test_money_without_a_price() -> None:
    from pipelines.evaluation.metrics import summary

    asked = question("a")
    pairs = [(asked, outcome(asked, money=None))]
    assert "1 questions used a model without a price" in tables.money(pairs, summary(pairs), "en")

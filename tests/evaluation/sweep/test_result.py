"""The order of variants, and what is said beside their figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

from pipelines.config import Config
from pipelines.evaluation.report import write_sweep
from pipelines.evaluation.setup import SetUp
from pipelines.evaluation.sweep.notes import notes
from pipelines.evaluation.sweep.result import Ranking, held_out, ranking
from pipelines.evaluation.sweep.run import Measured, Outcome
from pipelines.evaluation.sweep.variants import Variant
from tests.evaluation.report.hostile import TEXTS
from tests.evaluation.report.pages import parsed, row
from tests.evaluation.samples import outcome, question, run

ASKED = [question(f"q{number}") for number in range(10)]


def measured(name: str, ranks: list[int], **values: Any) -> Measured:
    pairs = [(each, outcome(each, rank=rank, **values)) for each, rank in zip(ASKED, ranks, strict=True)]
    edits = 0 if name == "base" else 2 if name == "fast" else 1
    variant = Variant(name, {} if name == "base" else {"a": name}, cast(Config, None), edits)
    return Measured(variant, run(pairs), SetUp("documents embedded", 1, 1000))


def names(found: Ranking) -> list[str]:
    return [each.name for each in found.rows]


def test_the_best_is_first_and_of_equals_the_cheaper() -> None:
    found = ranking(
        [
            measured("base", [2] * 10, embedded=50),
            measured("worse", [5] * 10, embedded=10),
            measured("dear", [1] * 10, embedded=90),
            measured("cheap", [1] * 10, embedded=20),
        ],
        "mrr@10",
    )
    assert names(found) == ["cheap", "dear", "base", "worse"]
    assert found.cost == "tokens"
    assert [each.name for each in found.rows if each.efficient] == ["cheap", "worse"]
    best = found.rows[0]
    assert best.against is not None and best.against.difference == 0.5
    assert best.corrected is not None and best.corrected >= best.against.p
    json.dumps([each.to_dict() for each in found.rows], allow_nan=False)


def test_lower_is_better_where_the_metric_says_so() -> None:
    found = ranking(
        [measured("base", [1] * 10, outcome="refused"), measured("other", [1] * 10)], "refused_wrongly"
    )
    assert names(found) == ["other", "base"]


def test_seconds_are_no_reason_to_leave_the_base_and_money_comes_before_tokens() -> None:
    fast, slow = measured("fast", [1] * 10, seconds=0.01), measured("slow", [1] * 10, seconds=9.0)
    found = ranking([measured("base", [1] * 10), fast, slow], "mrr@10")
    assert (names(found), found.cost) == (["base", "slow", "fast"], "seconds")  # by the number of edits
    assert next(notes(found, Outcome(), None)) == "No variant is better than the base by mrr@10."
    found = ranking([measured("base", [1] * 10, money=0.2), measured("a", [1] * 10, money=0.1)], "mrr@10")
    assert (names(found), found.cost) == (["a", "base"], "money")


def test_questions_that_failed_are_told_and_compared_over_the_others() -> None:
    base, other = measured("base", [2] * 10), measured("other", [1] * 10)
    failed = outcome(ASKED[0], outcome="failed", text="", passages=())
    other.run.outcomes["q0"] = failed
    found = ranking([base, other], "mrr@10")
    assert found.rows[0].against is not None and found.rows[0].against.n == 9
    assert "other: 1 questions failed; it is compared over the others." in list(notes(found, Outcome(), None))


def test_what_is_said_of_a_winner() -> None:
    base, other = measured("base", [2] * 10), measured("other", [1, *[2] * 9])
    found = ranking([base, other], "mrr@10")
    told = list(notes(found, Outcome(), None))
    assert told[0] == (
        "The winner's lead over the base may be chance: p = 1.000, corrected for the number of variants (1)."
    )
    assert told[1].startswith(
        "The winner is the best of 2 on the same 10 questions, so its figure is optimistic"
    )
    tested = held_out(base.run, other.run, "mrr@10")
    assert tested is not None
    told = list(notes(found, Outcome(broken=[(other.variant, "no index")]), tested))
    assert "base 0.5000, winner 0.5500, difference +0.0500 (95%: " in told[1]
    assert "other could not be measured: no index" in told
    assert "optimistic" not in "".join(told)
    assert "未参与选择" in list(notes(found, Outcome(), tested, "zh"))[1]


def test_the_page_holds_the_table_and_the_plot_whatever_the_names(tmp_path: Path) -> None:
    hostile = [measured(f"{number} {text}", [1] * 10) for number, text in enumerate(TEXTS)]
    found = ranking([measured("base", [2] * 10), *hostile], "mrr@10")
    file = tmp_path / "sweep.html"
    for language in ("en", "zh"):
        write_sweep(found, "".join(TEXTS), TEXTS, file, language)  # type: ignore[arg-type]
        soup = parsed(file.read_text("utf-8"))
        assert soup.find("svg")
        cells = row(soup, "9 ◆") if soup.find(string="9 ◆") else row(soup, "9")
        assert cells[1:5] == ["base", "0.500", "0.500 – 0.500", "–"]

from __future__ import annotations

import json
import math
import random
import sys
import warnings

import numpy as np
import pytest
from scipy import stats

from pipelines.errors import MissingExtra
from pipelines.evaluation.statistics import holm, mean_interval, paired


@pytest.fixture(autouse=True)
def no_warnings() -> None:
    warnings.simplefilter("error")


def test_flips_are_tested_as_by_mcnemar() -> None:
    # Hand-computed: 1 of 9 flips by a fair coin, both sides: 2 * (1 + 9) / 2**9.
    a, b = [0] * 8 + [1] + [1] * 20, [1] * 8 + [0] + [1] * 20
    found = paired(a, b)
    assert (found.test, found.wins, found.losses, found.n) == ("mcnemar", 8, 1, 29)
    assert found.p == pytest.approx(20 / 512)
    assert found.difference == pytest.approx(7 / 29)
    assert found.low is not None
    assert found.high is not None
    assert 0 < found.low < 7 / 29 < found.high


def test_few_reals_are_tested_exactly() -> None:
    # Differences 1, 2, 3 and -0.5: of the 16 ways to set their signs, 4 have a sum of at least 5.5 either way.
    found = paired([0, 0, 0, 0.5], [1, 2, 3, 0])
    assert found.test == "permutation"
    assert found.p == pytest.approx(4 / 16)


def test_many_reals_agree_with_scipy() -> None:
    chance = np.random.default_rng(5)
    a = chance.random(200)
    b = a + chance.normal(0.02, 0.1, 200)
    found = paired(a.tolist(), b.tolist())
    assert found.p == pytest.approx(stats.ttest_rel(b, a).pvalue, abs=0.01)
    t = stats.ttest_rel(b, a).confidence_interval(0.95)
    assert (found.low, found.high) == (pytest.approx(t.low, abs=0.002), pytest.approx(t.high, abs=0.002))
    assert found.a == pytest.approx(a.mean())
    assert found.b == pytest.approx(b.mean())


def test_the_same_measurements_give_the_same_figures() -> None:
    chance = random.Random(1)
    a, b = [chance.random() for _ in range(50)], [chance.random() for _ in range(50)]
    assert paired(a, b) == paired(a, b)
    there, back = paired(a, b), paired(b, a)
    assert (there.difference, there.wins) == (-back.difference, back.losses)
    assert there.p == pytest.approx(back.p, abs=0.02)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([], [], (0, 0.0, None, None, 1.0, "none")),
        ([0.5], [0.7], (1, 0.2, None, None, 1.0, "permutation")),
        ([1], [0], (1, -1.0, None, None, 1.0, "mcnemar")),
        ([0.4, 0.4], [0.4, 0.4], (2, 0.0, 0.0, 0.0, 1.0, "none")),
        ([1, 0, 1], [1, 0, 1], (3, 0.0, 0.0, 0.0, 1.0, "none")),
        ([0.1, 0.5, 0.3], [0.3, 0.7, 0.5], (3, 0.2, 0.2, 0.2, 0.25, "permutation")),
        ([0, 0, 0], [1, 1, 1], (3, 1.0, 1.0, 1.0, 0.25, "mcnemar")),
    ],
)
def test_measurements_that_hardly_differ_give_clear_figures(
    a: list[float], b: list[float], expected: tuple[object, ...]
) -> None:
    found = paired(a, b)
    assert (found.n, pytest.approx(found.difference), found.low, found.high, found.p, found.test) == expected
    json.dumps(found.to_dict(), allow_nan=False)


def test_one_flip_among_many_has_an_interval() -> None:
    for a, b in (([0.0] * 300, [0.0] * 299 + [0.5]), ([0] * 299 + [1], [0] * 300)):
        found = paired(a, b)
        assert found.p == 1
        assert found.low is not None
        assert found.high is not None
        assert found.low <= found.difference <= found.high


def test_what_is_no_pair_or_no_number_is_an_error() -> None:
    with pytest.raises(ValueError, match="2 and 1 values"):
        paired([1, 2], [1])
    with pytest.raises(ValueError, match="no finite number"):
        paired([1, math.nan], [1, 2])


def test_intervals_of_means() -> None:
    # Wilson's interval of 9 of 10 (Newcombe 1998 gives the method; figures by hand).
    z = 1.959964
    centre, half = (0.9 + z**2 / 20) / (1 + z**2 / 10), z * math.sqrt(0.009 + z**2 / 400) / (1 + z**2 / 10)
    assert mean_interval([1] * 9 + [0]) == pytest.approx((centre - half, centre + half), abs=1e-6)
    low, high = mean_interval([1.0] * 5) or (0, 0)
    assert (round(low, 3), high) == (0.566, 1.0)
    assert mean_interval([0.2, 0.2]) == (0.2, 0.2)
    assert mean_interval([]) is None
    assert mean_interval([0.3]) is None
    low, high = mean_interval([0.1, 0.2, 0.3, 0.4, 0.5, 0.9]) or (0, 0)
    assert 0.1 < low < 0.4 < high < 0.9


def test_p_values_of_several_metrics_are_corrected_as_by_holm() -> None:
    # R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm") gives 0.03 0.06 0.06 0.02.
    found = holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005})
    assert list(found) == ["a", "b", "c", "d"]
    assert list(found.values()) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm({"a": 0.9, "b": 0.8}) == {"a": 1.0, "b": 1.0}
    assert holm({}) == {}


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.stats", None)
    with pytest.raises(MissingExtra, match=r"searchask\[evaluation\]"):
        paired([0, 1], [1, 1])

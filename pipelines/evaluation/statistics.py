"""Whether a difference between two measurements of the same questions is more than chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any, Literal

from pipelines.extras import require

CONFIDENCE = 0.95
RESAMPLES = 9_999
Test = Literal["mcnemar", "permutation", "none"]
_BATCH = 2_000_000
"""Numbers that are drawn at once: a bound on memory."""


@dataclass(frozen=True, slots=True)
class Paired:
    """What became of a metric from `a` to `b`, over the questions that both have."""

    n: int
    a: float
    """Mean of the one; 0 for no questions."""
    b: float
    """Mean of the other."""
    difference: float
    """`b` - `a`."""
    low: float | None
    """Where the 95% confidence interval of the difference begins; None for fewer than two questions."""
    high: float | None
    p: float
    """How often a difference of that size comes by chance alone; 1 where nothing differs."""
    wins: int
    """Questions with a higher value in `b`, whether or not higher is better."""
    losses: int
    test: Test
    """`mcnemar`: exact, for values of 0 and 1; `none` where nothing differs."""

    def to_dict(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return asdict(self)


def paired(a: Sequence[float], b: Sequence[float], *, seed: int = 0) -> Paired:
    """Compare two measurements of the same questions, in the same order; the same seed gives the same figures.

    Raises ValueError for different lengths and for what is no finite number.
    """
    _check(a, b)
    n = len(a)
    # Rounded, so that 0.3 - 0.1 and 0.2 are no different.
    differences = [round(after - before, 12) for before, after in zip(a, b, strict=True)]
    wins, losses = sum(d > 0 for d in differences), sum(d < 0 for d in differences)
    binary = all(value in (0, 1) for value in [*a, *b])
    test: Test
    if not wins + losses:
        test, p = "none", 1.0
    elif binary:
        test, p = "mcnemar", _mcnemar(wins, losses)
    else:
        test, p = "permutation", _permutation(differences, seed)
    low, high = _bootstrap(differences, seed) or (None, None)
    mean = sum(differences) / n if n else 0.0
    return Paired(
        n=n,
        a=sum(a) / n if n else 0.0,
        b=sum(b) / n if n else 0.0,
        difference=mean,
        low=low,
        high=high,
        p=p,
        wins=wins,
        losses=losses,
        test=test,
    )


def mean_interval(values: Sequence[float], *, seed: int = 0) -> tuple[float, float] | None:
    """The 95% confidence interval of a mean: Wilson's for values of 0 and 1, else by bootstrap.

    None for no values, and for a single one that is neither 0 nor 1. Raises ValueError for what is no finite number.
    """
    _check(values, values)
    if values and all(value in (0, 1) for value in values):
        test = _stats().binomtest(round(sum(values)), len(values))
        interval = test.proportion_ci(CONFIDENCE, method="wilson")
        return float(interval.low), float(interval.high)
    return _bootstrap(values, seed)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """P values of several metrics, corrected so that one of them all is found by chance as seldom as one alone.

    Holm's step-down correction (1979), in the order given.
    """
    corrected: dict[str, float] = {}
    highest = 0.0
    for rank, name in enumerate(sorted(p_values, key=lambda name: p_values[name])):
        highest = max(highest, min(1.0, p_values[name] * (len(p_values) - rank)))
        corrected[name] = highest
    return {name: corrected[name] for name in p_values}


def _check(a: Sequence[float], b: Sequence[float]) -> None:
    if len(a) != len(b):
        raise ValueError(f"{len(a)} and {len(b)} values are no pairs")
    if not all(isfinite(value) for value in [*a, *b]):
        raise ValueError("a value is no finite number")


def _mcnemar(wins: int, losses: int) -> float:
    """McNemar's test, exact: of the questions that flipped, as many each way as a coin gives."""
    return float(_stats().binomtest(wins, wins + losses, 0.5).pvalue)


def _permutation(differences: Sequence[float], seed: int) -> float:
    """Every pair the other way round as often as not; exact for few questions, else by draws."""
    if len(differences) < 2:
        return 1.0
    import numpy as np

    result = _stats().permutation_test(
        (np.asarray(differences, dtype=float),),
        lambda values, axis: np.mean(values, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=RESAMPLES,
        batch=_batch(len(differences)),
        random_state=np.random.default_rng(seed),
    )
    return min(1.0, float(result.pvalue))


def _bootstrap(values: Sequence[float], seed: int) -> tuple[float, float] | None:
    """Of the mean: bias-corrected and accelerated (Efron 1987), or by percentiles where that is not defined."""
    import numpy as np

    if len(values) < 2:
        return None
    if min(values) == max(values):  # resampling gives nothing else
        return float(values[0]), float(values[0])
    for method in ("BCa", "percentile"):
        with np.errstate(all="ignore"):
            interval = (
                _stats()
                .bootstrap(
                    (np.asarray(values, dtype=float),),
                    np.mean,
                    n_resamples=RESAMPLES,
                    batch=_batch(len(values)),
                    confidence_level=CONFIDENCE,
                    method=method,
                    random_state=np.random.default_rng(seed),
                )
                .confidence_interval
            )
        low, high = float(interval.low), float(interval.high)
        if isfinite(low) and isfinite(high):
            return low, high
    return None


def _batch(n: int) -> int:
    return max(1, _BATCH // max(1, n))


def _stats() -> Any:
    return require("scipy.stats", extra="evaluation", what="the comparison of measurements")

"""Conditions on a comparison under which a check fails: `mrr < -0.01`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

from pipelines.errors import SearchaskError
from pipelines.evaluation.compare import Comparison
from pipelines.evaluation.metrics import METRICS
from pipelines.references import suggestion

SHORT = {
    "hit": "hit@5",
    "recall": "recall@5",
    "mrr": "mrr@10",
    "ndcg": "ndcg@10",
    "span_hit": "span_hit@5",
    "span_recall": "span_recall@5",
    "span_mrr": "span_mrr@10",
}
"""Metrics that may be named without their cut."""
_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_GATE = re.compile(r"\s*([a-z_0-9@]+)\s*(<=|>=|<|>)\s*([-+]?(?:\d+\.?\d*|\.\d+))\s*")


@dataclass(frozen=True, slots=True)
class Gate:
    """Fails where the difference of a metric from the first run is so."""

    text: str
    metric: str
    operator: str
    value: float

    def failing(self, comparison: Comparison) -> list[str]:
        """What fails, a line for each run; raises SearchaskError where the metric was not measured."""
        row = comparison.metrics.get(self.metric)
        first, *others = comparison.names
        pairs = dict(zip(others, row.against, strict=True)) if row else dict.fromkeys(others)
        bare = [name for name, pair in pairs.items() if pair is None]
        if bare:
            raise SearchaskError(
                f"--fail-if {self.text!r}: {self.metric} was not measured: no question of the set has it both in "
                f"{first} and in {', '.join(bare)}"
            )
        return [
            f"{name}: {self.metric} differs by {pair.difference:+.4f}, which is {self.operator} {self.value:g}"
            for name, pair in pairs.items()
            if pair is not None and _OPERATORS[self.operator](pair.difference, self.value)
        ]


def parse_gate(text: str) -> Gate:
    """A gate from `METRIC OPERATOR NUMBER`; raises SearchaskError that says what would be right."""
    found = _GATE.fullmatch(text)
    if not found:
        raise SearchaskError(
            f'--fail-if {text!r}: write a metric, one of < <= > >=, and a number: "mrr < -0.01" fails where the mean '
            "reciprocal rank falls by more than 0.01"
        )
    metric, sign, number = found.groups()
    name = SHORT.get(metric, metric)
    if name not in METRICS:
        raise SearchaskError(
            f"--fail-if {text!r}: no metric is called {metric!r}{suggestion(metric, [*METRICS, *SHORT])}"
        )
    return Gate(text, name, sign, float(number))

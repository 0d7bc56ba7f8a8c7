"""Tables of docs/quality.md, from runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipelines.evaluation.compare import Comparison
from pipelines.evaluation.metrics import Summary, scores, summary
from pipelines.evaluation.outcomes import Outcome, Passage
from pipelines.evaluation.questions import Question
from pipelines.evaluation.runs import Run

Pairs = Sequence[tuple[Question, Outcome]]
AMONG = 8
"""Documents among which both of a question over two documents must be."""
COMPARED = ("hit@1", "recall@5", "mrr@10", "found@5", "contains", "f1", "refused_wrongly", "refused_rightly")


def parts(run: Run) -> list[str]:
    """The retrievers whose ranks the run's passages know, the engine's own last."""
    found = {name: None for _, outcome in run.pairs for passage in outcome.passages for name in passage.ranks}
    own = run.header.effective[f"query_engines.{run.header.engine}.retriever"]
    return [*sorted(found.keys() - {own}), own]


def ranked_by(pairs: Pairs, retriever: str) -> list[tuple[Question, Outcome]]:
    """The same outcomes, with passages as one of the retrievers ranked them."""
    return [
        (question, outcome.model_copy(update={"passages": _by(outcome.passages, retriever)}))
        for question, outcome in pairs
    ]


def _by(passages: Iterable[Passage], retriever: str) -> tuple[Passage, ...]:
    found = [
        each.model_copy(update={"rank": each.ranks[retriever]})
        for each in passages
        if retriever in each.ranks
    ]
    return tuple(sorted(found, key=lambda passage: passage.rank))


def recall(pairs: Pairs) -> str:
    """R@1, R@5 and MRR@10."""
    found = summary(pairs).metrics
    return " ".join(f"{found[name].mean:.3f}" for name in ("recall@1", "recall@5", "mrr@10"))


def both(pairs: Pairs) -> float | None:
    """Share of questions over two documents that find both among the first; None where there are none."""
    found = [
        set(question.documents)
        <= set(list(dict.fromkeys(each.document for each in outcome.passages))[:AMONG])
        for question, outcome in pairs
        if question.answerable and len(question.documents) == 2
    ]
    return sum(found) / len(found) if found else None


def cell(run: Run) -> str:
    """Recall, and the questions over two documents where there are any."""
    share = both(run.pairs)
    return recall(run.pairs) if share is None else f"{recall(run.pairs)} / {share:.2f}"


def mean(found: Summary, name: str) -> float:
    """A metric's mean; 0 where no question has it."""
    return found.metrics[name].mean if name in found.metrics else 0.0


def number(value: float | None) -> str:
    """Two places, or a dash."""
    return "–" if value is None else f"{value:.2f}"


def paired_rows(name: str, compared: Comparison) -> list[str]:
    """How the second run differs from the first, a line a metric."""
    rows = []
    for metric in COMPARED:
        row = compared.metrics.get(metric)
        pair = row.against[0] if row else None
        if row is None or pair is None:
            continue
        between = "–" if pair.low is None else f"{pair.low:+.3f} … {pair.high:+.3f}"
        corrected = "–" if row.corrected[0] is None else f"{row.corrected[0]:.3f}"
        rows.append(
            f"| {name} | {metric} | {pair.n} | {pair.a:.3f} | {pair.b:.3f} | {pair.difference:+.3f} | {between} | "
            f"{corrected} |"
        )
    return rows


def found_at_5(run: Run) -> float:
    """Share of gold answers that stand in the first five passages."""
    values = [row["found@5"] for row in (scores(*pair) for pair in run.pairs) if "found@5" in row]
    return sum(values) / len(values)

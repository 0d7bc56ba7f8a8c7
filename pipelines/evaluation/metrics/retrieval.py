"""How well the passages that hold an answer were found: by document, and by evidence span.

By document: passages count as their documents, in the order of the best passage. Where one gold document is enough
(`any_document`), finding one is all there is to find: recall is 1, and nDCG has one gain to earn. Otherwise recall is
the share of the gold documents, and each of them is a gain. By evidence span: see `_share_of_spans`.
Nothing found scores 0, also where a question failed.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log2

from pipelines.evaluation.metrics.metric import Metric, gold_documents
from pipelines.evaluation.outcomes import Outcome, Passage, Span
from pipelines.evaluation.questions import Question

__all__ = ["METRICS", "documents_of", "gold_documents", "holds", "ndcg", "retrieval"]

CUTS = (1, 5, 10)
SPAN_CUT, MRR_CUT, NDCG_CUT = 5, 10, 10
ENOUGH = 0.5
"""Share of a span's characters that a passage must hold to count as holding it."""

METRICS = (
    *(Metric(f"hit@{k}", "retrieval", f"a gold document is among the first {k}") for k in CUTS),
    *(Metric(f"recall@{k}", "retrieval", f"share of what is needed among the first {k}") for k in CUTS),
    Metric("mrr@10", "retrieval", "1 / rank of the first gold document, 0 below rank 10"),
    Metric("ndcg@10", "retrieval", "how near the top the gold documents are, 1 for all of them first"),
    Metric("span_hit@5", "retrieval", "one of the first 5 passages holds evidence"),
    Metric("span_recall@5", "retrieval", "share of the evidence that the first 5 passages hold"),
    Metric("span_mrr@10", "retrieval", "1 / rank of the first passage with evidence, 0 below rank 10"),
)


def retrieval(question: Question, outcome: Outcome) -> dict[str, float]:
    """The metrics of an answerable question with gold documents or evidence; empty for any other."""
    if not question.answerable:
        return {}
    passages = sorted(outcome.passages, key=lambda passage: passage.rank)
    return {**_by_document(question, passages), **_by_span(question, outcome.evidence, passages)}


def documents_of(passages: Sequence[Passage]) -> list[str]:
    """The documents of ranked passages, each once, in the order of its best passage."""
    return list(dict.fromkeys(passage.document for passage in passages))


def ndcg(gold: Sequence[str], ranked: Sequence[str], cut: int, *, one_is_enough: bool = False) -> float:
    """Normalised discounted cumulative gain with gains of 0 and 1, as trec_eval's `ndcg_cut`.

    LlamaIndex's NDCG can't be used: its ideal has all gold documents in it, however many fit above the cut, and it
    knows no question to which one of several documents is enough.
    """
    places = [place for place, name in enumerate(ranked[:cut], 1) if name in gold]
    count = min(len(gold), cut)
    if one_is_enough:
        places, count = places[:1], 1
    return sum(1 / log2(place + 1) for place in places) / sum(1 / log2(at + 1) for at in range(1, count + 1))


def _by_document(question: Question, passages: Sequence[Passage]) -> dict[str, float]:
    gold, ranked = gold_documents(question), documents_of(passages)
    if not gold:
        return {}
    if not ranked:  # which LlamaIndex's metrics refuse
        names = [metric.name for metric in METRICS if not metric.name.startswith("span_")]
        return dict.fromkeys(names, 0.0)
    from llama_index.core.evaluation.retrieval.metrics import MRR, HitRate, Recall

    # They know no cut and no order of passages by document, so that they are given what is above the cut.
    def at(metric: HitRate | Recall | MRR, cut: int) -> float:
        return float(metric.compute(expected_ids=list(gold), retrieved_ids=ranked[:cut]).score)

    needed: HitRate | Recall = HitRate() if question.any_document else Recall()
    return {
        **{f"hit@{cut}": at(HitRate(), cut) for cut in CUTS},
        **{f"recall@{cut}": at(needed, cut) for cut in CUTS},
        "mrr@10": at(MRR(), MRR_CUT),
        "ndcg@10": ndcg(gold, ranked, NDCG_CUT, one_is_enough=question.any_document),
    }


def _by_span(question: Question, spans: Sequence[Span], passages: Sequence[Passage]) -> dict[str, float]:
    """Empty where there is no evidence, or no passage knows where it stands in its document."""
    spans = [span for span in dict.fromkeys(spans) if span.end > span.start]
    if not spans or (passages and all(passage.start is None for passage in passages)):
        return {}
    first = next(
        (
            place
            for place, passage in enumerate(passages[:MRR_CUT], 1)
            if any(holds(passage, s) for s in spans)
        ),
        None,
    )
    found = [span for span in spans if any(holds(passage, span) for passage in passages[:SPAN_CUT])]
    return {
        "span_hit@5": float(bool(found)),
        "span_recall@5": _share_of_spans(spans, found, best_document=question.any_document),
        "span_mrr@10": 1 / first if first else 0.0,
    }


def holds(passage: Passage, span: Span) -> bool:
    """Whether a passage overlaps at least half of a span's characters."""
    if passage.document != span.document or passage.start is None or passage.end is None:
        return False
    overlap = min(passage.end, span.end) - max(passage.start, span.start)
    return overlap > 0 and overlap >= ENOUGH * (span.end - span.start)


def _share_of_spans(spans: Sequence[Span], found: Sequence[Span], *, best_document: bool) -> float:
    """The share of the spans that were found; where one document is enough, of those in the best document."""
    if not best_document:
        return len(found) / len(spans)
    return max(
        sum(span.document == name for span in found) / sum(span.document == name for span in spans)
        for name in {span.document for span in spans}
    )

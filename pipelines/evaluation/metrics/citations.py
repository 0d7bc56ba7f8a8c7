"""Whether citations hold what they are cited for; of questions that were answered from the documents."""

from __future__ import annotations

import re

from pipelines.evaluation.metrics.metric import Metric, gold_documents
from pipelines.evaluation.outcomes import Cited, Outcome, Said
from pipelines.evaluation.questions import Question
from pipelines.querying.alignment import units
from pipelines.text.language import language_of

METRICS = (
    Metric("supported", "citations", "share of the claiming sentences whose citations hold the claim"),
    Metric("cites_gold", "citations", "share of the citations that are in gold documents"),
    Metric("cites_evidence", "citations", "a citation touches the evidence"),
)

ENOUGH = 0.5
"""Share of a sentence's words that its quotes must hold together."""

_LIST_MARK = re.compile(r"^\s*(?:\d{1,2}[.)、]|[-*•])\s+")


def citations(question: Question, outcome: Outcome) -> dict[str, float]:
    """The metrics of an answer; each only where there is something to measure."""
    if outcome.outcome != "answered":
        return {}
    return {**_supported(outcome), **_on_gold(question, outcome)}


def holds(sentence: Said, quotes: str) -> bool:
    """Whether quotes support a sentence that claims something.

    The answer's own word for it is not enough: it lets a sentence pass whose passage was named for a third of its
    words. Here the quotes alone must hold half of its words, and every number in it. Words can't be compared across
    languages, numbers can: there, the answer's word counts where the numbers are right.
    """
    if not sentence.supported:
        return False
    claimed, quoted = units(_LIST_MARK.sub("", sentence.text)), units(quotes)
    held = quoted.all | quoted.spelled
    if not claimed.numbers <= held:
        return False
    if language_of(sentence.text) != language_of(quotes):
        return bool(quotes)
    return len(claimed.all & held) >= ENOUGH * len(claimed)


def claims(sentence: Said) -> bool:
    """Whether a sentence says something that needs support: not a bare yes, nor what introduces a list."""
    text = _LIST_MARK.sub("", sentence.text).rstrip()
    return bool(units(text)) and not (text.endswith((":", "：")) and not sentence.citations)


def _supported(outcome: Outcome) -> dict[str, float]:
    quotes = {cited.number: cited.quote for cited in outcome.citations}
    marks = [
        holds(sentence, "\n".join(quotes.get(number, "") for number in sentence.citations))
        for sentence in outcome.sentences
        if claims(sentence)
    ]
    return {"supported": sum(marks) / len(marks)} if marks else {}


def _on_gold(question: Question, outcome: Outcome) -> dict[str, float]:
    found: dict[str, float] = {}
    cited = outcome.citations
    if not question.answerable or not cited:
        return found
    if gold := gold_documents(question):
        found["cites_gold"] = sum(each.document in gold for each in cited) / len(cited)
    if outcome.evidence and any(each.start is not None for each in cited):
        found["cites_evidence"] = float(any(_touches(each, outcome) for each in cited))
    return found


def _touches(cited: Cited, outcome: Outcome) -> bool:
    start, end = cited.start, cited.end
    if start is None or end is None:
        return False
    spans = (span for span in outcome.evidence if span.document == cited.document)
    return any(start < span.end and span.start < end for span in spans)

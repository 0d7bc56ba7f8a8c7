"""One question asked for measuring: an answer as an outcome, judged where there is a judge."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from pipelines.errors import LimitReached, SearchaskError
from pipelines.evaluation.judge import PURPOSE
from pipelines.evaluation.outcomes import Called, Cited, Judgement, Outcome, Passage, Said, Span
from pipelines.evaluation.questions import Question
from pipelines.querying.answer import Answer
from pipelines.querying.engine import QueryEngine
from pipelines.querying.trace import Candidate

if TYPE_CHECKING:
    from pipelines.components.llms import Price
    from pipelines.models.counted import Call

KEPT = 50
"""Passages of a ranking that are kept."""
KEPT_TEXTS = 10
"""Passages whose text is kept; those that the answer was written from always."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What a judge said of an outcome, as far as it came."""

    judged: dict[str, Judgement]
    calls: Sequence[Call]
    error: str = ""
    """Why it came no further."""


Judging = Callable[[Question, Outcome], Judged]


class Asker:
    """Asks questions as a query engine answers them; nothing is stored, but the ledger knows of it."""

    def __init__(self, engine: QueryEngine, judge: Judging | None = None) -> None:
        self._engine, self._judge = engine, judge

    def ask(self, question: Question, evidence: tuple[Span, ...] = (), gone: int = 0) -> Outcome:
        """What becomes of a question; an error of its own is an outcome too. Raises LimitReached."""
        began = perf_counter()
        try:
            answer = self._engine.ask(question.text)
        except LimitReached:
            raise
        except SearchaskError as error:
            return Outcome(
                id=question.id,
                outcome="failed",
                error=str(error),
                evidence=evidence,
                evidence_gone=gone,
                seconds=perf_counter() - began,
            )
        outcome = outcome_of(question, answer, seconds=perf_counter() - began).model_copy(
            update={"evidence": evidence, "evidence_gone": gone}
        )
        calls: list[Call] = list(answer.trace.calls)
        if self._judge is not None and outcome.outcome != "refused":
            found = self._judge(question, outcome)
            calls += found.calls
            why = f"judge: {found.error}" if found.error else ""
            outcome = outcome.model_copy(update={"judged": found.judged, "error": why})
        return self._counted(outcome, calls)

    def _counted(self, outcome: Outcome, calls: Sequence[Call]) -> Outcome:
        """The outcome with what its calls took, and what the answer cost; the judge is no part of it."""
        pipeline = self._engine.pipeline
        called = tuple(
            Called(
                model=call.model, purpose=call.purpose, tokens_in=call.tokens_in, tokens_out=call.tokens_out
            )
            for call in calls
        )
        price: Price | None = getattr(pipeline.llm, "price", None)
        per_million = pipeline.embed_model.price
        answering = [call for call in called if not call.purpose.startswith(PURPOSE)]
        costs = [None if price is None else price.of(call.tokens_in, call.tokens_out) for call in answering]
        if outcome.embedded:
            costs.append(None if per_million is None else outcome.embedded * per_million / 1e6)
        known = [cost for cost in costs if cost is not None]
        money = sum(known) if len(known) == len(costs) else None
        return outcome.model_copy(update={"calls": called, "money": money})


def outcome_of(question: Question, answer: Answer, *, seconds: float) -> Outcome:
    """What metrics need of an answer."""
    trace = answer.trace
    return Outcome(
        id=question.id,
        outcome=answer.outcome,
        text=answer.text,
        sentences=tuple(
            Said(text=each.text, citations=each.citations, supported=each.supported)
            for each in answer.sentences
        ),
        citations=tuple(
            Cited(
                number=each.number,
                document=each.document,
                quote=each.quote,
                start=each.start,
                end=each.end,
            )
            for each in answer.citations
        ),
        passages=tuple(_passage(each) for each in trace.candidates[:KEPT]),
        seconds=seconds,
        stages=_stages(answer),
        embedded=trace.embedded,
        rewritten=trace.rewritten,
    )


def _passage(candidate: Candidate) -> Passage:
    passage = Passage(
        rank=candidate.rank,
        node=candidate.node,
        document=candidate.document,
        page=candidate.page,
        heading=candidate.heading,
        start=candidate.start,
        end=candidate.end,
        score=candidate.score,
        fate=candidate.fate,
        ranks={name: int(by["rank"]) for name, by in candidate.by.items()},
        text=candidate.text,
    )
    kept = candidate.rank <= KEPT_TEXTS or passage.read
    return passage if kept else passage.model_copy(update={"text": ""})


def _stages(answer: Answer) -> dict[str, float]:
    found: dict[str, float] = {}
    for stage in answer.trace.stages:
        found[stage.name] = round(found.get(stage.name, 0.0) + stage.milliseconds, 3)
    return found

"""What a question may cost, and what it has cost."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, TypeVar

from pipelines.catalog import usage
from pipelines.catalog.usage import Spent, Use
from pipelines.errors import LimitReached, StorageError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from pipelines.components.llms import Price
    from pipelines.index import Index
    from pipelines.models.counted import Call
    from pipelines.querying.trace import Trace
    from pipelines.schema import Cap, PipelineSpec

T = TypeVar("T")


class Meter:
    """Says no before a call that would pass a limit, and writes to the ledger what was called; for all threads."""

    def __init__(self, spec: PipelineSpec, engine: Engine) -> None:
        self._limits, self._engine = spec.limits, engine
        self._price: Price | None = getattr(spec.llm, "price", None)
        self._embed_model = spec.embed_model
        self._embed_price: float | None = getattr(spec.embed_model, "price", None)
        self._lock = threading.Lock()
        self._unwritten: dict[str, Spent] = {}
        """By day, what a storage that is read-only could not take."""

    def before_call(self, trace: Trace, tokens: int) -> None:
        """Let the LLM be sent so many tokens for a question, after all that was spent on it; raises LimitReached."""
        if not self._free:
            self._stop(trace, Spent(tokens, self._cost(tokens, 0) or 0.0))

    def before_embedding(self, trace: Trace, tokens: int) -> None:
        """Let the embed model be sent so many, likewise."""
        if self._embed_price != 0:
            self._stop(trace, Spent(tokens, self._embed_cost(tokens) or 0.0))

    @property
    def _free(self) -> bool:
        return self._price is not None and not self._price.input and not self._price.output

    def _stop(self, trace: Trace, more: Spent) -> None:
        mine = self._spent_on(trace)
        after = Spent(mine.tokens + more.tokens, mine.money + more.money)
        stop_above(self._limits.per_question, "per_question", mine, after, "by this question")
        if self._limits.per_day.tokens or self._limits.per_day.money:
            day = usage.today()
            before, kept = usage.spent(self._engine, day), self._unwritten.get(day, Spent())
            others = Spent(before.tokens + kept.tokens, before.money + kept.money)
            now = Spent(others.tokens + mine.tokens, others.money + mine.money)
            then = Spent(others.tokens + after.tokens, others.money + after.money)
            stop_above(self._limits.per_day, "per_day", now, then, "today")

    def _spent_on(self, trace: Trace) -> Spent:
        """What a question has cost so far; what is free counts for nothing."""
        calls = [] if self._free else trace.calls
        embedded = 0 if self._embed_price == 0 else trace.embedded
        return Spent(
            sum(call.tokens_in + call.tokens_out for call in calls) + embedded,
            sum(self._cost(call.tokens_in, call.tokens_out) or 0.0 for call in calls)
            + (self._embed_cost(embedded) or 0.0),
        )

    def settle(self, engine: str, calls: Sequence[Call], embedded: int) -> None:
        """Write what one question has called; where the storage is read-only, only this program remembers it."""
        together: dict[tuple[str, str], list[int]] = {}
        for call in calls:
            each = together.setdefault((call.model, call.purpose), [0, 0, 0])
            for place, more in enumerate((1, call.tokens_in, call.tokens_out)):
                each[place] += more
        uses = [
            Use("question", engine, model, purpose, count, sent, got, self._cost(sent, got))
            for (model, purpose), (count, sent, got) in together.items()
        ]
        if embedded:
            name = str(getattr(self._embed_model, "model", "") or self._embed_model.type)
            uses.append(Use("question", engine, name, "embed", 1, embedded, 0, self._embed_cost(embedded)))
        try:
            usage.record(self._engine, uses)
        except StorageError:
            with self._lock:
                before = self._unwritten.get(usage.today(), Spent())
                tokens = sum(use.tokens_in + use.tokens_out for use in uses)
                money = sum(use.money or 0.0 for use in uses)
                self._unwritten = {usage.today(): Spent(before.tokens + tokens, before.money + money)}

    def _cost(self, tokens_in: int, tokens_out: int) -> float | None:
        return None if self._price is None else self._price.of(tokens_in, tokens_out)

    def _embed_cost(self, tokens: int) -> float | None:
        return None if self._embed_price is None else tokens * self._embed_price / 1e6


def stop_above(cap: Cap, name: str, now: Spent, then: Spent, by: str) -> None:
    """Raise LimitReached where what would be spent then is above a limit."""
    if cap.tokens is not None and then.tokens > cap.tokens:
        raise LimitReached(
            f"limits.{name}.tokens: {cap.tokens:,} are allowed, {now.tokens:,} are spent {by}, and the next call "
            f"would take {then.tokens - now.tokens:,}; it was not sent"
        )
    if cap.money is not None and then.money > cap.money:
        raise LimitReached(
            f"limits.{name}.money: {cap.money:g} is allowed, {now.money:.4f} is spent {by}, and the next call "
            f"would cost at least {then.money - now.money:.4f}; it was not sent"
        )


@contextmanager
def settled(meter: Meter | None, engine: str, trace: Trace) -> Iterator[None]:
    """Write to the ledger what a question has called, however it ends."""
    try:
        yield
    finally:
        if meter is not None:
            meter.settle(engine, trace.calls, trace.embedded)


def charging(index: Index, meter: Meter | None, trace: Trace) -> AbstractContextManager[None]:
    """Count what this thread embeds for a question before it is sent; LimitReached is raised where it must not be."""

    def charge(tokens: int) -> None:
        if meter is not None:
            meter.before_embedding(trace, tokens)
        trace.embedded += tokens

    return index.charging(charge)


def counting(
    pieces: Generator[T, None, None], index: Index, meter: Meter | None, trace: Trace
) -> Generator[T, None, None]:
    """The pieces; what is embedded for each is counted in the thread that asks for it."""
    try:
        while True:
            with charging(index, meter, trace):
                try:
                    piece = next(pieces)
                except StopIteration:
                    return
            yield piece
    finally:
        pieces.close()

"""What a question may cost, and what it has cost."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from pipelines.catalog import usage
from pipelines.catalog.usage import Spent, Use
from pipelines.errors import LimitReached, StorageError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from pipelines.index import Index
    from pipelines.models.counted import Call
    from pipelines.querying.trace import Trace
    from pipelines.schema import Cap, PipelineSpec

T = TypeVar("T")


class Meter:
    """Says no before a call that would pass a limit, and writes to the ledger what was called; for all threads."""

    def __init__(self, spec: PipelineSpec, engine: Engine) -> None:
        self._limits, self._engine = spec.limits, engine
        self._price = getattr(spec.llm, "price", None)
        self._embed_model = spec.embed_model
        self._lock = threading.Lock()
        self._unwritten: dict[str, Spent] = {}
        """By day, what a storage that is read-only could not take."""

    def check(self, calls: Sequence[Call], tokens: int) -> None:
        """Let a call of so many tokens go, after those of the same question; raises LimitReached."""
        if self._price is not None and not self._price.input and not self._price.output:
            return
        mine = Spent(
            sum(call.tokens_in + call.tokens_out for call in calls),
            sum(self._cost(call.tokens_in, call.tokens_out) or 0.0 for call in calls),
        )
        after = Spent(mine.tokens + tokens, mine.money + (self._cost(tokens, 0) or 0.0))
        stop_above(self._limits.per_question, "per_question", mine, after, "by this question")
        if self._limits.per_day.tokens or self._limits.per_day.money:
            day = usage.today()
            before, kept = usage.spent(self._engine, day), self._unwritten.get(day, Spent())
            others = Spent(before.tokens + kept.tokens, before.money + kept.money)
            now = Spent(others.tokens + mine.tokens, others.money + mine.money)
            then = Spent(others.tokens + after.tokens, others.money + after.money)
            stop_above(self._limits.per_day, "per_day", now, then, "today")

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
            price = getattr(self._embed_model, "price", None)
            money = None if price is None else embedded * price / 1e6
            name = str(getattr(self._embed_model, "model", "") or self._embed_model.type)
            uses.append(Use("question", engine, name, "embed", 1, embedded, 0, money))
        try:
            usage.record(self._engine, uses)
        except StorageError:
            with self._lock:
                before = self._unwritten.get(usage.today(), Spent())
                tokens = sum(use.tokens_in + use.tokens_out for use in uses)
                money = sum(use.money or 0.0 for use in uses)
                self._unwritten = {usage.today(): Spent(before.tokens + tokens, before.money + money)}

    def _cost(self, tokens_in: int, tokens_out: int) -> float | None:
        if self._price is None:
            return None
        return float(tokens_in * self._price.input + tokens_out * self._price.output) / 1e6


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


def counting(pieces: Generator[T, None, None], index: Index, trace: Trace) -> Generator[T, None, None]:
    """The pieces; what is embedded for each is counted in the thread that asks for it."""
    try:
        while True:
            before = index.embedded
            try:
                piece = next(pieces)
            except StopIteration:
                return
            finally:
                trace.embedded += index.embedded - before
            yield piece
    finally:
        pieces.close()

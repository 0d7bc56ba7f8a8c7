"""What calls of models have cost: a ledger by day, and its sums."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any, Literal

from sqlalchemy import Engine, func, insert, or_, select

from pipelines.catalog.database import explained
from pipelines.catalog.tables import usage
from pipelines.errors import StorageError


@dataclass(frozen=True, slots=True)
class Use:
    """Calls of one model for one purpose, in one question or one ingestion."""

    kind: Literal["question", "ingestion"]
    engine: str
    """The query engine; empty for an ingestion."""
    model: str
    purpose: str
    """`answer`, `condense`, `embed`, …"""
    calls: int
    tokens_in: int
    tokens_out: int
    money: float | None
    """In the currency of the config's prices; None where it gives none for this model."""


@dataclass(frozen=True, slots=True)
class Sum:
    """What one model was used for by one engine on one day."""

    day: str
    kind: str
    engine: str
    model: str
    calls: int
    tokens_in: int
    tokens_out: int
    money: float | None
    """None where some of it has no price."""

    def to_dict(self) -> dict[str, Any]:
        """As `usage --json` prints it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Spent:
    """Tokens and money together."""

    tokens: int = 0
    money: float = 0.0


def today() -> str:
    """The day that is written now, by the clock of this machine."""
    return date.today().isoformat()


def record(engine: Engine, uses: Sequence[Use]) -> None:
    """Write to the ledger; raises StorageError where the storage is read-only, or older than the ledger."""
    if uses:
        rows = [{"at": time.time(), "day": today(), **asdict(use)} for use in uses]
        with explained("the catalog"), engine.begin() as connection:
            connection.execute(insert(usage), rows)


def spent(engine: Engine, day: str) -> Spent:
    """What a day has cost so far; models that are free (their price is 0, or they run here) count for nothing."""
    counts = or_(usage.c.money.is_(None), usage.c.money > 0)
    query = select(func.sum(usage.c.tokens_in + usage.c.tokens_out), func.sum(usage.c.money))
    try:
        with explained("the catalog"), engine.connect() as connection:
            tokens, money = connection.execute(query.where(usage.c.day == day, counts)).one()
    except StorageError:  # made by an older version, and not written to since
        return Spent()
    return Spent(int(tokens or 0), float(money or 0.0))


def sums(engine: Engine, days: int) -> list[Sum]:
    """The last days, today among them, by day, kind, engine and model; the latest day first."""
    since = (date.today() - timedelta(days=days - 1)).isoformat()
    keys = [usage.c.day, usage.c.kind, usage.c.engine, usage.c.model]
    counted = [func.sum(column) for column in (usage.c.calls, usage.c.tokens_in, usage.c.tokens_out)]
    unpriced = func.count() - func.count(usage.c.money)
    query = select(*keys, *counted, func.sum(usage.c.money), unpriced).where(usage.c.day >= since)
    query = query.group_by(*keys).order_by(usage.c.day.desc(), *keys[1:])
    try:
        with explained("the catalog"), engine.connect() as connection:
            rows = connection.execute(query).all()
    except StorageError:
        return []
    return [Sum(*row[:7], None if row[8] else round(float(row[7] or 0.0), 6)) for row in rows]

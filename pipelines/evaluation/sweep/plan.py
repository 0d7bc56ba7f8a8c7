"""What a sweep will take, before anything is spent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pipelines.catalog import Catalog
from pipelines.catalog.database import FILE_NAME
from pipelines.config import Config
from pipelines.config.elsewhere import elsewhere
from pipelines.evaluation import indexes
from pipelines.evaluation.sweep.variants import Variant
from pipelines.ingestion.planning import make_plan


@dataclass(frozen=True, slots=True)
class Estimate:
    """Indexes that have to be built, and what that takes at most: the caches are not asked."""

    variants: int
    """Besides the base."""
    indexes: int
    """Different ones of all variants together."""
    to_build: int
    tokens: int
    """To embed, estimated from the sizes of the files."""
    money: float | None
    """For embedding them; None where it has no price."""
    calls: int
    """Of an LLM that reads passages for a graph."""

    def to_dict(self) -> dict[str, Any]:
        """As `sweep --json` prints it."""
        return asdict(self)


def estimate(variants: Sequence[Variant]) -> Estimate:
    """What the indexes of the variants still need; the first is the base, whose storage keeps them all."""
    beside = variants[0].config.storage
    first = {each.index: each.config for each in reversed(variants)}
    plans = [_plan(config, beside) for config in first.values()]
    needed = [(tokens, price, calls) for tokens, price, calls in plans if tokens is not None]
    unpriced = any(tokens and price is None for tokens, price, _ in needed)
    return Estimate(
        variants=len(variants) - 1,
        indexes=len(first),
        to_build=len(needed),
        tokens=sum(tokens for tokens, _, _ in needed),
        money=None if unpriced else sum(tokens * (price or 0.0) / 1e6 for tokens, price, _ in needed),
        calls=sum(calls for _, _, calls in needed),
    )


def _plan(config: Config, beside: Any) -> tuple[int | None, float | None, int]:
    """Tokens, their price a million, and calls that an index takes; no tokens at all where it is there."""
    if not config.spec.loaders or indexes.in_step(config):
        return None, None, 0
    there = elsewhere(config, beside / indexes.FOLDER / indexes.index_key(config))
    catalog = Catalog(there.storage) if (there.storage / FILE_NAME).exists() else None
    try:
        plan = make_plan(there, catalog)
    finally:
        if catalog is not None:
            catalog.close()
    if plan.active is not None and not plan.work and not plan.switches:
        return None, None, 0
    return plan.tokens, config.spec.embed_model.price, plan.calls.number

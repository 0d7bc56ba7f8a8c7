"""What it took to make each config able to answer, and what an update takes: embedding beside fine-tuning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipelines.catalog import Catalog
from pipelines.catalog.database import FILE_NAME
from pipelines.config import Config
from pipelines.evaluation.finetuning.jobs import Job, remembered
from pipelines.references import RUN_HERE

JOBS = 200
"""Ingestions that are looked at."""


EMBEDDED, TRAINED = "documents embedded", "model trained"
BOTH, NOTHING = f"{EMBEDDED}, {TRAINED}", "nothing"


@dataclass(frozen=True, slots=True)
class SetUp:
    """Measured on the user's own documents; None for what was not measured or has no price."""

    way: str
    """One of `EMBEDDED`, `TRAINED`, `BOTH`, `NOTHING`."""
    documents: int = 0
    tokens: int = 0
    """Tokens that were embedded and trained on."""
    money: float | None = 0.0
    seconds: float | None = 0.0
    update_seconds: float | None = 0.0
    """For one document more: embedding it, or training anew."""

    def to_dict(self) -> dict[str, Any]:
        """As `compare --json` prints it."""
        return asdict(self)


def set_ups(configs: Sequence[Config], storages: Sequence[Path] = ()) -> list[SetUp]:
    """For each config, over the index that it asks; its model's training, where any of these storages remembers it."""
    known = dict.fromkeys([*(config.storage for config in configs), *storages])
    jobs = [job for storage in known for job in remembered(storage)]
    return [_of(config, jobs) for config in configs]


def _of(config: Config, jobs: Sequence[Job]) -> SetUp:
    indexed, trained = _indexed(config), _trained(config, jobs)
    if indexed is None or trained is None:
        return indexed or trained or SetUp(NOTHING)
    return SetUp(
        BOTH,
        indexed.documents,
        indexed.tokens + trained.tokens,
        _sum(indexed.money, trained.money),
        _sum(indexed.seconds, trained.seconds),
        indexed.update_seconds,
    )


def _sum(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one + other


def _trained(config: Config, jobs: Sequence[Job]) -> SetUp | None:
    """The training that made the config's model; None where it is not one that was trained here."""
    model = getattr(config.spec.llm, "model", "")
    job = next((each for each in reversed(jobs) if model and each.tuned == model), None)
    if job is None:
        return None
    price = getattr(getattr(config.spec.llm, "price", None), "training_price", None)
    tokens = job.tokens or 0
    money = None if price is None or job.tokens is None else tokens * price / 1e6
    seconds = None if job.finished is None else job.finished - job.submitted
    return SetUp(TRAINED, 0, tokens, money, seconds, seconds)


def _indexed(config: Config) -> SetUp | None:
    """What the index holds, at the speed of those ingestions that embedded most of what they stored."""
    if not config.spec.loaders or not (config.catalog_url or (config.storage / FILE_NAME).exists()):
        return None
    catalog = Catalog(config.storage, config.catalog_url)
    try:
        active = catalog.generations.active()
        rows = [row for row in catalog.documents(active.id) if row.content] if active else []
        history = [job.summary for job in catalog.jobs.latest(JOBS) if job.outcome == "done"]
    finally:
        catalog.close()
    chunks, tokens = sum(row.chunks for row in rows), sum(row.tokens for row in rows)
    price = (
        0.0 if config.spec.embed_model.type in RUN_HERE else getattr(config.spec.embed_model, "price", None)
    )
    rate = _seconds_a_chunk(history)
    seconds = None if rate is None else rate * chunks
    update = seconds / len(rows) if seconds is not None and rows else None
    money = None if price is None else tokens * price / 1e6
    return SetUp(EMBEDDED, len(rows), tokens, money, seconds, update)


def _seconds_a_chunk(history: Sequence[dict[str, Any]]) -> float | None:
    """Over ingestions that had little from the cache; None where there was none."""
    whole = [
        (float(summary["seconds"]), int(summary["embedded"]["texts"]))
        for summary in history
        if summary.get("embedded", {}).get("texts", 0) > summary.get("embedded", {}).get("from_cache", 0)
    ]
    seconds, texts = sum(each for each, _ in whole), sum(each for _, each in whole)
    return seconds / texts if texts else None

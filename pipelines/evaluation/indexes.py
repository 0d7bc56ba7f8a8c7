"""An index for each config that is compared: its own where that is in step, else one beside it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.catalog import Catalog
from pipelines.catalog.database import FILE_NAME, explained
from pipelines.config import Config
from pipelines.config.elsewhere import elsewhere
from pipelines.errors import SearchaskError
from pipelines.ingestion.events import Summary
from pipelines.ingestion.fingerprints import generation_key, graph_key, parse_key
from pipelines.ingestion.lock import only_ingestion
from pipelines.ingestion.planning import make_plan
from pipelines.ingestion.run import ingest
from pipelines.spec import fingerprint

FOLDER = "compared"
"""Under a storage: indexes that were built for comparisons."""

Built = Callable[[Path, Summary], object]
"""Told of each index that was built, with what that took."""


def index_key(config: Config) -> str:
    """Equal for configs whose indexes are the same."""
    spec = config.spec
    loaders = [
        (name, loader.identity(), str(config.base_of("loaders", name)))
        for name, loader in sorted(spec.loaders.items())
    ]
    return fingerprint(loaders, parse_key(spec), generation_key(spec), graph_key(spec))


def in_step(config: Config) -> bool:
    """Whether a config's own storage holds its documents as they are and as it asks for."""
    if config.catalog_url is None and not (config.storage / FILE_NAME).exists():
        return False
    catalog = Catalog(config.storage, config.catalog_url)
    try:
        plan = make_plan(config, catalog)
        return plan.active is not None and not plan.work and not plan.switches
    finally:
        catalog.close()


def indexed(config: Config, *, beside: Path, built: Built = lambda folder, summary: None) -> Config:
    """The config over an index that is in step: its own, or one under `beside`, brought in step here.

    What was embedded for any of them, or for the config's own storage, is not paid for again. Raises
    SearchaskError where it can't be built.
    """
    if not config.spec.loaders or in_step(config):
        return config
    folder = beside / FOLDER / index_key(config)
    there = elsewhere(config, folder)
    others = [config.storage, beside, *sorted((beside / FOLDER).glob("*"))]
    with _lenders([each for each in others if each != folder]) as lenders:
        summary = ingest(there, lenders=lenders, allow_vanish=True)
    built(folder, summary)
    if summary.outcome not in ("done", "failed") or summary.error:
        raise SearchaskError(
            f"{config.path}: its index could not be built: {summary.error or summary.outcome}"
        )
    return there


def drop(storage: Path) -> int:
    """Delete the indexes that were built for comparisons; how many there were.

    Raises StorageError where one is being built.
    """
    folders = [each for each in (storage / FOLDER).glob("*") if each.is_dir()]
    for folder in folders:
        with only_ingestion(folder), explained(storage):
            shutil.rmtree(folder)
    return len(folders)


@contextmanager
def _lenders(storages: list[Path]) -> Iterator[list[Catalog]]:
    """The catalogs of these storages, as far as they have one, open."""
    opened: list[Catalog] = []
    try:
        there = (each for each in dict.fromkeys(storages) if (each / FILE_NAME).exists())
        opened.extend(map(Catalog, there))
        yield opened
    finally:
        for catalog in opened:
            catalog.close()

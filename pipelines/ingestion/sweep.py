"""Clearing away what no one can see any more."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from pipelines.catalog import Catalog, Generation, extractions
from pipelines.catalog.uploads import Uploads
from pipelines.config import Config
from pipelines.errors import SearchaskError
from pipelines.ingestion.fingerprints import generation_key
from pipelines.ingestion.stores import Stores, discard


def sweep(catalog: Catalog, generation: Generation, stores: Stores) -> int:
    """Delete retired entries from the derived stores, in batches; the number deleted."""
    swept = 0
    while ids := catalog.retired(generation.id):
        stores.delete(ids)
        catalog.forget(generation.id, ids)
        swept += len(ids)
    return swept


def prune(config: Config, catalog: Catalog) -> dict[str, int]:
    """Drop old generations, orphans, unused texts and unused vectors; what was dropped, by kind.

    The caller holds the storage's lock.
    """
    active = catalog.generations.active()
    dropped = {"generations": 0, "entries": 0, "texts": 0, "vectors": 0, "paths": 0}
    for generation in catalog.generations.all():
        abandoned = generation.state == "building" and generation.fingerprint != generation_key(config.spec)
        if active is not None and (generation.state == "old" or abandoned):
            discard(config.spec, config.storage, generation)
            catalog.generations.delete(generation.id)
            dropped["generations"] += 1
        elif generation.dimension:
            dropped["entries"] += drop_orphans(config, catalog, generation)
    dropped["texts"] = catalog.drop_unused_texts()
    dropped["vectors"] = catalog.generations.drop_unused_vectors()
    dropped["paths"] = extractions.drop_unused(catalog.engine)
    dropped["uploaded files"] = drop_uploads(config, catalog)
    catalog.compact()
    return dropped


def drop_uploads(config: Config, catalog: Catalog) -> int:
    """Delete files at the endpoint of the `llm` whose text no document has; the number deleted.

    What can't be deleted now, or belongs to another address or key, stays noted for another time.
    """
    uploads, llm, deleted = Uploads(catalog.engine), config.spec.llm, 0
    unneeded = uploads.unneeded()
    if not unneeded or llm is None or llm.type == "llama_index":
        return 0
    with suppress(SearchaskError):
        made: Any = llm.build()
        endpoint = made.files()
        for account, text, file in unneeded:
            if account == endpoint.account:
                endpoint.delete(file)
                uploads.forget(account, text)
                deleted += 1
    return deleted


def drop_orphans(config: Config, catalog: Catalog, generation: Generation) -> int:
    """Delete entries that the catalog does not know from the derived stores; the number deleted."""
    stores = Stores(config.spec, config.storage, generation)
    try:
        swept = sweep(catalog, generation, stores)
        live = catalog.leaf_ids(generation.id)
        orphans = sorted(({*stores.vectors.ids()} | {*stores.keywords.ids()}) - live)
        if orphans:
            stores.delete(orphans)
        return swept + len(orphans)
    finally:
        stores.close()

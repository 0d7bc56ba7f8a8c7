"""Build derived stores again that are gone or damaged: all that they held is in the catalog."""

from __future__ import annotations

from pipelines.catalog import Catalog, Generation
from pipelines.catalog.derived import has_keywords, intact
from pipelines.config import Config
from pipelines.ingestion.cut import Cut, embedded_text
from pipelines.ingestion.embed import CachedEmbedder
from pipelines.ingestion.stores import Stores, discard
from pipelines.vectors.chroma import DamagedVectors

_BATCH = 1000


def open_stores(config: Config, catalog: Catalog, generation: Generation, embedder: CachedEmbedder) -> Stores:
    """The stores of a generation, whole; what is missing is filled in from the catalog and the cache."""
    held = catalog.count_leaves(generation.id)
    if generation.sound and intact(config.spec, config.storage, generation):
        try:
            return Stores(config.spec, config.storage, generation, holding=held)
        except DamagedVectors:  # as after a kill in the middle of a write
            pass
    elif not held:
        return Stores(config.spec, config.storage, generation)
    return _rebuilt(config, catalog, generation, embedder)


def _rebuilt(config: Config, catalog: Catalog, generation: Generation, embedder: CachedEmbedder) -> Stores:
    catalog.generations.set_sound(generation.id, False)
    # A keyword index that is there is true as far as it goes: words are found while the vectors are built again.
    discard(config.spec, config.storage, generation, only_vectors=has_keywords(config.storage, generation))
    stores = Stores(config.spec, config.storage, generation)
    try:
        worded = set(stores.keywords.ids())
        for row in catalog.documents(generation.id):
            cuts = [
                Cut(node, embedded_text(node.heading, node.table_header, text))
                for node, text in catalog.nodes(row.id)
                if node.leaf
            ]
            for offset in range(0, len(cuts), _BATCH):
                _add(stores, cuts[offset : offset + _BATCH], embedder, worded)
    except BaseException:
        stores.close()
        raise
    catalog.generations.set_sound(generation.id, True)
    return stores


def _add(stores: Stores, cuts: list[Cut], embedder: CachedEmbedder, worded: set[str]) -> None:
    import numpy as np

    vectors, error = embedder.embed(cuts)
    if error is not None:
        raise error
    matrix = np.stack([vectors[one.node.digest] for one in cuts])
    stores.add([one.node.id for one in cuts], [one.text for one in cuts], matrix, worded=worded)

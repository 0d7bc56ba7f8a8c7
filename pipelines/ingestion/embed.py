"""Texts -> vectors, each text of a model paid for once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipelines.catalog import Catalog, Generation
from pipelines.catalog.cache import EmbeddingCache
from pipelines.errors import EndpointError, StorageError
from pipelines.ingestion.cut import Cut
from pipelines.models.embedder import Embedder

if TYPE_CHECKING:
    from pipelines.index import Vector

PROBE = "Searchask 知识库 probe: the same model gives the same vector."
_SAME = 0.99
"""Cosine of the probe with itself, below which the endpoint serves another model; batching moves it by 1e-4."""


@dataclass(slots=True)
class Spent:
    """What embedding has cost so far."""

    texts: int = 0
    tokens: int = 0
    from_cache: int = 0


class CachedEmbedder:
    """An embed model behind the cache of the catalog."""

    def __init__(self, embedder: Embedder, cache: EmbeddingCache, lenders: Sequence[EmbeddingCache]) -> None:
        """`lenders`: caches of other storages, which are asked for what this one does not hold."""
        self.embedder = embedder
        self._cache, self._lenders = cache, lenders
        self.spent = Spent()
        self.before_first: Callable[[], object] | None = None
        """Called once, before the first text is sent to the model."""
        self.limit: Callable[[Spent, int], None] | None = None
        """Told what was spent and how many tokens are next; raises LimitReached, and nothing is sent."""

    @property
    def window(self) -> int:
        """Texts that keep the model busy once: all its concurrent batches."""
        return self.embedder.window

    def embed(self, cuts: Sequence[Cut]) -> tuple[dict[bytes, Vector], EndpointError | None]:
        """The vectors by digest, and the error that kept some from being there.

        Every batch is in the cache before the next is waited for, so nothing is paid for twice.
        """
        texts = {one.node.digest: one for one in cuts}
        found = self._cache.get(list(texts))
        found.update(self._borrowed([key for key in texts if key not in found]))
        self.spent.from_cache += len(found)
        missing = [one for key, one in texts.items() if key not in found]
        try:
            if missing and self.before_first is not None:
                self.before_first()
                self.before_first = None
            if missing and self.limit is not None:
                self.limit(self.spent, sum(one.node.tokens for one in missing))
            for positions, matrix in self.embedder.embed([one.text for one in missing]):
                batch = [missing[position] for position in positions]
                self._cache.put([one.node.digest for one in batch], matrix)
                self.spent.texts += len(batch)
                self.spent.tokens += sum(one.node.tokens for one in batch)
                found.update((one.node.digest, vector) for one, vector in zip(batch, matrix, strict=True))
        except EndpointError as error:
            return found, error
        return found, None

    def _borrowed(self, wanted: Sequence[bytes]) -> dict[bytes, Vector]:
        """What other storages hold of it; kept here as well, since they may go."""
        borrowed: dict[bytes, Vector] = {}
        for lender in self._lenders if wanted else ():
            borrowed.update(lender.get([key for key in wanted if key not in borrowed]))
        if borrowed:
            self._cache.put(list(borrowed), np.stack(list(borrowed.values())))
        return borrowed


def check_model(catalog: Catalog, generation: Generation, embedder: Embedder) -> Generation:
    """Ask the model for the probe text: a new generation learns its dimension, a known one is compared.

    Raises StorageError where the endpoint answers with another model than the one that built the index.
    """
    if generation.dimension:
        embedder.dimension = generation.dimension
    ((_, matrix),) = embedder.embed([PROBE])
    vector = matrix[0] / np.linalg.norm(matrix[0])
    if generation.probe is None:
        catalog.generations.set_probe(generation.id, len(vector), vector.astype("<f4").tobytes())
        return catalog.generations.get(generation.id)
    likeness = float(vector @ np.frombuffer(generation.probe, dtype="<f4"))
    if likeness < _SAME:
        raise StorageError(
            f"{embedder.name} answers with other vectors than the model that built this index (likeness of the "
            f"probe {likeness:.2f}): restore that model, or give this one its own name in `embed_model`"
        )
    return generation

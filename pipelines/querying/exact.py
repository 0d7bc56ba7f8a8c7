"""Vector search without a vector store, for as long as the store is damaged or being built again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipelines.catalog import Catalog, Generation
from pipelines.catalog.live import LiveNodes
from pipelines.index import Hit


class ExactVectors:
    """Cosine similarity with every live vector, from the catalog's cache; slower, and right."""

    def __init__(self, catalog: Catalog, generation: Generation) -> None:
        live = LiveNodes(catalog.engine, generation.id, generation.cache_key)
        held = live.vectors(sorted(catalog.leaf_ids(generation.id)))
        self._ids = list(held)
        matrix = np.stack(list(held.values())) if held else np.zeros((0, generation.dimension), np.float32)
        self._matrix = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)

    def query(self, vector: Sequence[float], top_k: int) -> list[Hit]:
        """The closest, best first."""
        question = np.asarray(vector, dtype=np.float32)
        scores = self._matrix @ (question / np.linalg.norm(question))
        best = np.argsort(-scores)[:top_k]
        return [Hit(self._ids[place], float(scores[place])) for place in best]

    def close(self) -> None:
        """Nothing is held open."""

"""The derived stores of one generation: its vectors and its keyword index, written and deleted together."""

from __future__ import annotations

import shutil
from collections.abc import Sequence, Set
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.catalog import Generation
from pipelines.catalog.database import explained
from pipelines.catalog.derived import as_built, keyword_folder, open_keywords, open_vectors
from pipelines.schema import PipelineSpec

if TYPE_CHECKING:
    from pipelines.index import Vector


class Stores:
    """Both derived stores of a generation, open for writing by the holder of the storage's lock."""

    def __init__(
        self, spec: PipelineSpec, storage: Path, generation: Generation, *, holding: int = 0
    ) -> None:
        """Open or make them; raises DamagedVectors where fewer than `holding` vectors are there."""
        self._storage = storage
        spec = as_built(spec, generation)
        with explained(storage):
            self.vectors = open_vectors(spec, storage, generation, holding=holding)
            try:
                self.keywords = open_keywords(spec, storage, generation, writable=True)
            except BaseException:
                self.vectors.close()
                raise

    def add(
        self, ids: Sequence[str], texts: Sequence[str], vectors: Vector, *, worded: Set[str] = frozenset()
    ) -> None:
        """Insert or replace entries in both; durable on return. The keyword index holds those `worded` already."""
        with explained(self._storage):
            self.vectors.add(ids, vectors)
            self.keywords.add(pair for pair in zip(ids, texts, strict=True) if pair[0] not in worded)
            self.keywords.commit()

    def delete(self, ids: Sequence[str]) -> None:
        """Remove entries from both; durable on return."""
        with explained(self._storage):
            self.vectors.delete(ids)
            self.keywords.delete(ids)
            self.keywords.commit()

    def close(self) -> None:
        """Give back files and locks."""
        self.vectors.close()
        self.keywords.close()


def discard(spec: PipelineSpec, storage: Path, generation: Generation, *, only_vectors: bool = False) -> None:
    """Delete the derived stores of a generation without reading them, whatever the config says by now."""
    spec = as_built(spec, generation)
    with explained(storage):
        if generation.dimension:
            spec.vector_store.discard(storage=storage, collection=generation.collection)
        if not only_vectors:
            shutil.rmtree(keyword_folder(storage, generation), ignore_errors=True)

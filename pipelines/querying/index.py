"""The active generation, open for questions; notices when another process has written to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from pipelines.catalog import Catalog, Generation
from pipelines.catalog.derived import as_built, open_keywords, open_vectors
from pipelines.catalog.live import LiveNode, LiveNodes
from pipelines.config import Config
from pipelines.errors import StorageError
from pipelines.index import Hit, KeywordIndex, VectorIndex
from pipelines.querying.exact import ExactVectors
from pipelines.schema import PipelineSpec
from pipelines.text.analyser import Analyser
from pipelines.vectors.chroma import DamagedVectors

if TYPE_CHECKING:
    from llama_index.core.schema import NodeWithScore

_SPARE = 20
"""Hits asked for above what is wanted, since the stores may still hold some that are retired."""


class OpenIndex:
    """`pipelines.index.Index` over a storage; several may be open, in several processes."""

    def __init__(self, config: Config) -> None:
        """Open what answers now; raises StorageError where nothing is ingested yet."""
        self._config = config
        self.catalog = Catalog(config.storage, config.catalog_url)
        self._version = -1
        self._generation = 0
        self._vectors: VectorIndex | ExactVectors
        self._keywords: KeywordIndex
        self.refresh()

    def close(self) -> None:
        """Give back files and connections."""
        if self._generation:
            self._vectors.close()
            self._keywords.close()
        self.catalog.close()

    def refresh(self) -> int:
        """See what other processes have committed; the version that is seen."""
        version = self.catalog.version()
        if version == self._version:
            return version
        active = self.catalog.generations.active()
        if active is None or not active.dimension:
            raise StorageError(
                f"nothing is ingested yet in {self._config.storage}: run `searchask ingest` first"
            )
        if self._generation:
            # An embedded Chroma does not see what another process wrote until it is opened again.
            self._vectors.close()
        spec = as_built(self._config.spec, active)
        self._vectors = self._open_vectors(spec, active)
        if active.id == self._generation:
            self._keywords.reload()
        else:
            if self._generation:
                self._keywords.close()
            self._keywords = open_keywords(spec, self._config.storage, active, writable=False)
            self.analyser = Analyser(dictionary=tuple(spec.keyword.dictionary))
            self._embedder = spec.embed_model.embedder()
            self._embedder.dimension = active.dimension
        self._live = LiveNodes(self.catalog.engine, active.id, active.cache_key)
        self._generation, self._version = active.id, version
        return version

    def _open_vectors(self, spec: PipelineSpec, active: Generation) -> VectorIndex | ExactVectors:
        if active.sound:
            try:
                held = self.catalog.count_leaves(active.id)
                return open_vectors(spec, self._config.storage, active, holding=held)
            except DamagedVectors:  # as after a kill in the middle of a write; the next ingestion mends it
                pass
        return ExactVectors(self.catalog, active)

    def embed_question(self, question: str) -> list[float]:
        """The question's vector, by the model that built the active generation."""
        vector: list[float] = self._embedder.embed_question(question).tolist()
        return vector

    def nearest(self, vector: Sequence[float], top_k: int) -> list[NodeWithScore]:
        """Nodes by cosine similarity, best first."""
        return self._first(top_k, lambda limit: self._closest(vector, limit))

    def _closest(self, vector: Sequence[float], limit: int) -> list[Hit]:
        try:
            hits = self._vectors.query(vector, limit)
        except DamagedVectors:  # seen only now, or being built again by another process since
            self._vectors.close()
            self._vectors = ExactVectors(self.catalog, self.catalog.generations.get(self._generation))
            hits = self._vectors.query(vector, limit)
        if self._config.spec.vector_store.type == "chroma":
            return hits
        cosines = self.similarities(vector, [hit.id for hit in hits])  # each store has its own scale
        ranked = [replace(hit, score=cosines[hit.id]) for hit in hits if hit.id in cosines]
        return sorted(ranked, key=lambda hit: -hit.score)

    def matching(self, question: str, top_k: int) -> list[NodeWithScore]:
        """Nodes by BM25 over the analysed text, best first."""
        return self._first(top_k, lambda limit: self._keywords.search(question, limit))

    def idf_mass(self, question: str) -> float:
        """The sum of the inverse document frequencies of all terms of the question."""
        return self._keywords.idf_mass(question)

    def similarities(self, vector: Sequence[float], ids: Sequence[str]) -> dict[str, float]:
        """Cosine similarity of given nodes with a vector."""
        held = self._live.vectors(ids)
        if not held:
            return {}
        matrix = np.stack(list(held.values()))
        question = np.asarray(vector, dtype=np.float32)
        norms = np.linalg.norm(matrix, axis=1) * np.linalg.norm(question)
        return dict(zip(held, (matrix @ question / norms).tolist(), strict=True))

    def _first(self, top_k: int, search: Callable[[int], list[Hit]]) -> list[NodeWithScore]:
        """The best `top_k` live nodes of a store, asking it for more while retired ones take their places."""
        limit = top_k + _SPARE
        while True:
            hits = search(limit)
            live = self._live.get([hit.id for hit in hits[:top_k]])
            if len(live) < top_k:
                live |= self._live.get([hit.id for hit in hits[top_k:]])
            found = [(live[hit.id], hit) for hit in hits if hit.id in live]
            if len(found) >= top_k or len(hits) < limit:
                return [_with_score(node, hit) for node, hit in found[:top_k]]
            limit *= 4


def _with_score(node: LiveNode, hit: Hit) -> NodeWithScore:
    from llama_index.core.schema import NodeWithScore, TextNode

    metadata = {
        "document": node.document,
        "loader": node.loader,
        "document_id": node.document_id,
        "order": node.position,
        "page": node.page,
        "heading": node.heading,
        "table_header": node.table_header,
    }
    if hit.terms:
        metadata["terms"] = list(hit.terms)
    text = TextNode(
        id_=node.id, text=node.text, start_char_idx=node.start, end_char_idx=node.end, metadata=metadata
    )
    return NodeWithScore(node=text, score=hit.score)

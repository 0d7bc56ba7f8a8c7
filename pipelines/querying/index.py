"""The active generation, open for questions; notices when another process has written to it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pipelines.catalog import Catalog, Generation
from pipelines.catalog.derived import as_built, open_keywords, open_vectors
from pipelines.catalog.live import LiveNode, LiveNodes
from pipelines.config import Config
from pipelines.errors import StorageError
from pipelines.index import Hit, KeywordIndex, VectorIndex
from pipelines.models.embedder import Embedder
from pipelines.querying.exact import ExactVectors
from pipelines.schema import PipelineSpec
from pipelines.shared import Shared
from pipelines.text.analyser import Analyser
from pipelines.vectors.chroma import DamagedVectors

if TYPE_CHECKING:
    from llama_index.core.schema import NodeWithScore

_SPARE = 20
"""Hits asked for above what is wanted, since the stores may still hold some that are retired."""


@dataclass(slots=True)
class _View:
    """What one commit showed."""

    version: int
    generation: Generation
    vectors: VectorIndex | ExactVectors
    keywords: KeywordIndex
    embedder: Embedder
    analyser: Analyser
    live: LiveNodes


class OpenIndex:
    """`pipelines.index.Index` over a storage, for any number of threads; several may be open, in several processes.

    A refresh opens a new view and lets those who read the one before finish with it.
    """

    def __init__(self, config: Config) -> None:
        """Open what answers now; raises StorageError where nothing is ingested yet."""
        self._config = config
        self._opening = threading.Lock()  # held for as long as Chroma makes a reader wait; nobody else must
        self._shown: Shared[_View] = Shared(lambda view: view.vectors.close())
        self._pins = threading.local()
        self.catalog = Catalog(config.storage, config.catalog_url)
        try:
            self.refresh()
        except BaseException:
            self.catalog.close()
            raise

    def close(self) -> None:
        """Give back files and connections."""
        with self._opening:
            self._shown.replace(None)
            self.catalog.close()

    def refresh(self) -> int:
        """See what other processes have committed; the version that is seen."""
        with self._opening:
            version = self.catalog.version()
            before = self._shown.value
            if before is None or version != before.version:
                self._shown.replace(self._open(version, before))
            return version

    def _open(self, version: int, before: _View | None) -> _View:
        active = self.catalog.generations.active()
        if active is None or not active.dimension:
            raise StorageError(
                f"nothing is ingested yet in {self._config.storage}: run `searchask ingest` first"
            )
        spec = as_built(self._config.spec, active)
        # An embedded Chroma does not see what another process wrote until it is opened again.
        vectors = self._open_vectors(spec, active)
        live = LiveNodes(self.catalog.engine, active.id, active.cache_key)
        if before is not None and before.generation.id == active.id:
            before.keywords.reload()
            return replace(before, version=version, generation=active, vectors=vectors, live=live)
        embedder = spec.embed_model.embedder()
        embedder.dimension = active.dimension
        keywords = open_keywords(spec, self._config.storage, active, writable=False)
        analyser = Analyser(dictionary=tuple(spec.keyword.dictionary))
        return _View(version, active, vectors, keywords, embedder, analyser, live)

    def _open_vectors(self, spec: PipelineSpec, active: Generation) -> VectorIndex | ExactVectors:
        if active.sound:
            try:
                held = self.catalog.count_leaves(active.id)
                return open_vectors(spec, self._config.storage, active, holding=held)
            except DamagedVectors:  # as after a kill in the middle of a write; the next ingestion mends it
                pass
        return ExactVectors(self.catalog, active)

    @contextmanager
    def pinned(self) -> Iterator[int]:
        """Refresh, then let this thread see one commit only, whatever other threads do; its version."""
        if getattr(self._pins, "view", None) is None:
            self.refresh()
        with self._reading() as view:
            before, self._pins.view = getattr(self._pins, "view", None), view
            try:
                yield view.version
            finally:
                self._pins.view = before

    @contextmanager
    def _reading(self) -> Iterator[_View]:
        if pinned := getattr(self._pins, "view", None):
            yield pinned
            return
        with self._shown.borrow() as view:
            if view is None:
                raise StorageError(f"{self._config.storage}: the index was closed")
            yield view

    @property
    def generation(self) -> Generation:
        """The generation that answers."""
        with self._reading() as view:
            return view.generation

    @property
    def analyser(self) -> Analyser:
        """What cuts questions and passages into terms, as in the keyword index."""
        with self._reading() as view:
            return view.analyser

    def embed_question(self, question: str) -> list[float]:
        """The question's vector, by the model that built the active generation."""
        with self._reading() as view:
            vector: list[float] = view.embedder.embed_question(question).tolist()
        return vector

    def nearest(self, vector: Sequence[float], top_k: int) -> list[NodeWithScore]:
        """Nodes by cosine similarity, best first."""
        with self._reading() as view:
            return _first(view, top_k, lambda limit: self._closest(view, vector, limit))

    def _closest(self, view: _View, vector: Sequence[float], limit: int) -> list[Hit]:
        try:
            hits = view.vectors.query(vector, limit)
        except DamagedVectors:  # seen only now, or being built again by another process since
            return self._without_vectors(view).vectors.query(vector, limit)
        if self._config.spec.vector_store.type == "chroma":
            return hits
        cosines = _cosines(view, vector, [hit.id for hit in hits])  # each store has its own scale
        ranked = [replace(hit, score=cosines[hit.id]) for hit in hits if hit.id in cosines]
        return sorted(ranked, key=lambda hit: -hit.score)

    def _without_vectors(self, damaged: _View) -> _View:
        """The same view over the catalog's own vectors, until the next commit."""
        exact = ExactVectors(self.catalog, self.catalog.generations.get(damaged.generation.id))
        view = replace(damaged, vectors=exact)
        if damaged is self._shown.value:
            self._shown.replace(view)
        if damaged is getattr(self._pins, "view", None):
            self._pins.view = view
        return view

    def matching(self, question: str, top_k: int) -> list[NodeWithScore]:
        """Nodes by BM25 over the analysed text, best first."""
        with self._reading() as view:
            return _first(view, top_k, lambda limit: view.keywords.search(question, limit))

    def idf_mass(self, question: str) -> float:
        """The sum of the inverse document frequencies of all terms of the question."""
        with self._reading() as view:
            return view.keywords.idf_mass(question)

    def similarities(self, vector: Sequence[float], ids: Sequence[str]) -> dict[str, float]:
        """Cosine similarity of given nodes with a vector."""
        with self._reading() as view:
            return _cosines(view, vector, ids)


def _cosines(view: _View, vector: Sequence[float], ids: Sequence[str]) -> dict[str, float]:
    held = view.live.vectors(ids)
    if not held:
        return {}
    matrix = np.stack(list(held.values()))
    question = np.asarray(vector, dtype=np.float32)
    norms = np.linalg.norm(matrix, axis=1) * np.linalg.norm(question)
    return dict(zip(held, (matrix @ question / norms).tolist(), strict=True))


def _first(view: _View, top_k: int, search: Callable[[int], list[Hit]]) -> list[NodeWithScore]:
    """The best `top_k` live nodes of a store, asking it for more while retired ones take their places."""
    limit = top_k + _SPARE
    while True:
        hits = search(limit)
        live = view.live.get([hit.id for hit in hits[:top_k]])
        if len(live) < top_k:
            live |= view.live.get([hit.id for hit in hits[top_k:]])
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

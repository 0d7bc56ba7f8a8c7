"""The active generation, open for questions; notices when another process has written to it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pipelines.catalog import Catalog, Generation
from pipelines.catalog.derived import as_built, open_keywords, open_vectors
from pipelines.catalog.live import LiveNodes
from pipelines.catalog.selection import Selection
from pipelines.catalog.structure import Structure
from pipelines.catalog.uploads import Uploads
from pipelines.config import Config
from pipelines.errors import StorageError
from pipelines.filters import Filters
from pipelines.index import Hit, KeywordIndex, VectorIndex
from pipelines.models.embedder import Embedder
from pipelines.querying.exact import ExactVectors
from pipelines.querying.hits import as_text, best, compared, cosines
from pipelines.schema import PipelineSpec
from pipelines.shared import Shared
from pipelines.text.analyser import Analyser
from pipelines.text.tokens import count_tokens
from pipelines.vectors.chroma import DamagedVectors

if TYPE_CHECKING:
    from llama_index.core.schema import NodeWithScore, TextNode


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
    selection: Selection
    structure: Structure


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
        self._embedding_costs = costs(config.spec.embed_model)
        self.catalog = Catalog(config.storage, config.catalog_url)
        self.uploads = Uploads(self.catalog.engine)
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
        structure = Structure(self.catalog.engine, active.id, active.cache_key)
        if before is not None and before.generation.id == active.id:
            before.keywords.reload()
            selection = Selection(self.catalog.engine, active.id, before.selection.languages)
            return replace(
                before,
                version=version,
                generation=active,
                vectors=vectors,
                live=live,
                selection=selection,
                structure=structure,
            )
        embedder = spec.embed_model.embedder()
        embedder.dimension = active.dimension
        keywords = open_keywords(spec, self._config.storage, active, writable=False)
        analyser = Analyser(dictionary=tuple(spec.keyword.dictionary))
        selection = Selection(self.catalog.engine, active.id)
        return _View(version, active, vectors, keywords, embedder, analyser, live, selection, structure)

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
    def structure(self) -> Structure:
        """Documents beyond single passages."""
        with self._reading() as view:
            return view.structure

    @property
    def analyser(self) -> Analyser:
        """What cuts questions and passages into terms, as in the keyword index."""
        with self._reading() as view:
            return view.analyser

    def embed_question(self, question: str) -> list[float]:
        """The question's vector, by the model that built the active generation."""
        self._charge([question])
        with self._reading() as view:
            vector: list[float] = view.embedder.embed_question(question).tolist()
        return vector

    def embed_passages(self, texts: Sequence[str]) -> list[list[float]]:
        """Vectors of texts that are compared as passages, by the same model; none may be blank."""
        self._charge(texts)
        found: list[list[float]] = [[] for _ in texts]
        with self._reading() as view:
            for positions, matrix in view.embedder.embed(texts):
                for position, vector in zip(positions, matrix.tolist(), strict=True):
                    found[position] = vector
        return found

    @contextmanager
    def charging(self, charge: Callable[[int], None]) -> Iterator[None]:
        """Tell `charge` the tokens of what this thread is about to have embedded by a model that costs something.

        It may raise: then nothing is sent.
        """
        before = getattr(self._pins, "charge", None)
        self._pins.charge = charge
        try:
            yield
        finally:
            self._pins.charge = before

    def _charge(self, texts: Sequence[str]) -> None:
        charge: Callable[[int], None] | None = getattr(self._pins, "charge", None)
        if charge is not None and self._embedding_costs:
            charge(sum(map(count_tokens, texts)))

    def nearest(
        self, vector: Sequence[float], top_k: int, filters: Filters | None = None
    ) -> list[NodeWithScore]:
        """Nodes by cosine similarity, best first, of those that the filters allow."""
        with self._reading() as view:
            return best(
                view,
                filters,
                top_k,
                search=lambda limit: self._closest(view, vector, limit),
                each=lambda ids: compared(view, vector, ids),
            )

    def _closest(self, view: _View, vector: Sequence[float], limit: int) -> list[Hit]:
        try:
            hits = view.vectors.query(vector, limit)
        except DamagedVectors:  # seen only now, or being built again by another process since
            return self._without_vectors(view).vectors.query(vector, limit)
        if self._config.spec.vector_store.type == "chroma":
            return hits
        held = cosines(view, vector, [hit.id for hit in hits])  # each store has its own scale
        ranked = [replace(hit, score=held[hit.id]) for hit in hits if hit.id in held]
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

    def matching(self, question: str, top_k: int, filters: Filters | None = None) -> list[NodeWithScore]:
        """Nodes by BM25 over the analysed text, best first, of those that the filters allow."""
        with self._reading() as view:
            return best(
                view,
                filters,
                top_k,
                search=lambda limit: view.keywords.search(question, limit),
                each=lambda ids: view.keywords.search(question, len(ids), among=ids) if ids else [],
            )

    def unmatched(self, filters: Filters, language: str) -> str:
        """Why the filters allow no node at all, with the values that there are; empty where they allow some."""
        with self._reading() as view:
            return view.selection.unmatched(filters, language)

    def admits(self, metadata: Mapping[str, Any], filters: Filters) -> bool:
        """Whether the filters allow the node with that metadata."""
        with self._reading() as view:
            allowed = view.selection.allowed(filters)
            return allowed.admits(metadata.get("document_id", 0), str(metadata.get("heading") or ""))

    def idf_mass(self, question: str) -> float:
        """The sum of the inverse document frequencies of all terms of the question."""
        with self._reading() as view:
            return view.keywords.idf_mass(question)

    def similarities(self, vector: Sequence[float], ids: Sequence[str]) -> dict[str, float]:
        """Cosine similarity of given nodes with a vector."""
        with self._reading() as view:
            return cosines(view, vector, ids)

    def vectors_of(self, ids: Sequence[str]) -> dict[str, list[float]]:
        """The vectors of those nodes that have one."""
        with self._reading() as view:
            return {key: vector.tolist() for key, vector in view.live.vectors(ids).items()}

    def neighbours(self, ids: Sequence[str], before: int, after: int) -> dict[str, list[TextNode]]:
        """For each live node those around it in its document, itself among them, in the document's order."""
        with self._reading() as view:
            found = view.live.around(ids, before, after)
        return {key: [as_text(node) for node in part] for key, part in found.items()}

    def nodes_of(self, ids: Sequence[str]) -> dict[str, TextNode]:
        """Live nodes by id, those among them that hold smaller ones."""
        with self._reading() as view:
            return {key: as_text(node) for key, node in view.live.get(ids).items()}

    def text_between(self, document: Any, start: int, end: int) -> str | None:
        """A span of a document's text, by its `document_id`; None where it is gone."""
        with self._reading() as view:
            return view.live.text_between(document, start, end)


def costs(model: object) -> bool:
    """Whether an embed model's tokens are paid for or sent away; those that run here have a fixed price of 0."""
    return "price" in getattr(type(model), "model_fields", {})

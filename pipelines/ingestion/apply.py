"""Carry a plan out: documents in groups through read, cut, embed, store and commit.

Documents are read, cut and embedded on this thread while the group before is stored on another. Of each group
the derived stores take in all entries first; then one catalog transaction makes its documents live. What a crash
leaves behind is noted in the catalog before it is written, is seen by no one, and is swept by the next run.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from pipelines.catalog import Catalog, Generation
from pipelines.catalog.jobs import JobDocument
from pipelines.catalog.rows import Revision
from pipelines.documents import Document
from pipelines.errors import DocumentError, EndpointError, Forbidden, Quarantined
from pipelines.ingestion.embed import CachedEmbedder
from pipelines.ingestion.events import Event, Report, Summary
from pipelines.ingestion.extract import Extractor
from pipelines.ingestion.graph import with_paths
from pipelines.ingestion.plan import Change, Plan
from pipelines.ingestion.prepare import Prepared, carry_over, prepare
from pipelines.ingestion.stores import Stores
from pipelines.models.endpoint import TextRefused

if TYPE_CHECKING:
    from llama_index.core.node_parser import NodeParser

    from pipelines.index import Vector

GROUP_CHUNKS = 1000
"""Chunks committed together: small writes are what makes Chroma slow."""
GROUP_SECONDS = 3.0
"""A slow model's documents are committed at least this often."""
_ENDPOINT_FAILURES = 3
"""Documents in a row that an endpoint may fail before the run stops: the rest would only fail too."""


class Apply:
    """One run over the documents of a plan."""

    def __init__(
        self,
        plan: Plan,
        catalog: Catalog,
        generation: Generation,
        *,
        parser: NodeParser,
        embedder: CachedEmbedder,
        stores: Stores,
        summary: Summary,
        report: Report,
        stopped: Callable[[], bool],
        vet: Callable[[str, Document], None] = lambda load, text: None,
        extractor: Extractor | None = None,
    ) -> None:
        self._plan = plan
        self._catalog = catalog
        self._generation = generation
        self._parser = parser
        self._embedder = embedder
        self._stores = stores
        self._summary = summary
        self._report = report
        self._stopped = stopped
        self._vet = vet
        self._extractor = extractor
        self._window = min(embedder.window, extractor.window) if extractor else embedder.window
        self._ready: list[tuple[Prepared, dict[bytes, Vector]]] = []
        self._flushed = time.monotonic()
        self._endpoint_failures = 0
        self._finishing = threading.Lock()

    def run(self, changes: list[Change]) -> None:
        """Take the documents in; raises EndpointError where going on would only fail."""
        names = [(change.loader, change.path) for change in changes]
        ids = self._catalog.register(self._generation.id, names)
        self._held = self._catalog.texts()
        with ThreadPoolExecutor(1, thread_name_prefix="store") as writer:
            self._writing: Future[None] | None = None
            pending: list[Prepared] = []
            try:
                for change, name in zip(changes, names, strict=True):
                    if self._stopped():
                        break
                    if (prepared := self._prepare(change, ids[name])) is not None:
                        pending.append(prepared)
                    if sum(len(each.leaves) for each in pending) >= self._window:
                        self._embed(pending)
                        pending = []
                        self._flush_when_due(writer)
                self._embed(pending)
            finally:
                self._flush(writer)
                self._wait()

    def _prepare(self, change: Change, document: int) -> Prepared | None:
        """Read and cut; a document that fails is recorded, and its last version is kept."""
        began = time.monotonic()
        self._report(Event(change.path, "read"))
        try:
            prepared = prepare(
                self._plan, self._catalog, self._held, change, document, self._parser, vet=self._vet
            )
            self._summary.read += prepared.text is not None
        except Exception as error:  # one document must not stop the others
            self._fail(change, document, "read", began, error)
            return self._keep_last(change, document)
        prepared.seconds = time.monotonic() - began
        self._summary.cut += 0 if change.only_graph else len(prepared.cuts)
        if not prepared.cuts:
            self._settle(prepared)
            return None
        return prepared

    def _keep_last(self, change: Change, document: int) -> Prepared | None:
        """In an index that is built beside another, a failed document keeps the version it has there."""
        prepared = carry_over(self._plan, self._catalog, change, document, self._parser)
        if prepared is not None:
            row = self._catalog.row(document)
            prepared.state, prepared.error = row.state, row.error
        return prepared

    def _settle(self, prepared: Prepared) -> None:
        """A document that is again what is indexed: only its row is set right."""
        change = prepared.change
        assert change.source is not None
        self._catalog.change(
            prepared.document,
            state="done",
            error="",
            seen=prepared.content,
            size=change.source.size,
            modified=change.source.modified,
        )
        self._finish([(JobDocument(change.path, change.action, "done", prepared.seconds), 0)])

    def _embed(self, pending: list[Prepared]) -> None:
        """Embed a window of documents; those whose vectors are complete become ready."""
        if not pending:
            return
        began = time.monotonic()
        leaves = [one for each in pending for one in each.leaves]
        self._report(Event(pending[-1].change.path, "embed", chunks=len(leaves)))
        vectors, error = self._embedder.embed(leaves)
        seconds = (time.monotonic() - began) / len(pending)
        whole = []
        for each in pending:
            each.seconds += seconds
            if all(one.node.digest in vectors for one in each.leaves):
                self._endpoint_failures *= self._extractor is not None  # which may fail where this does not
                whole.append(each)
            else:
                assert error is not None
                self._fail_at("embed", each, error)
        if self._extractor:
            whole, refused = self._with_paths(whole, self._extractor)
            error = refused or error
        for each in whole:
            self._ready.append((each, {one.node.digest: vectors[one.node.digest] for one in each.leaves}))
        if error is not None and self._endpoint_failures >= _ENDPOINT_FAILURES:
            raise error

    def _with_paths(
        self, pending: list[Prepared], extractor: Extractor
    ) -> tuple[list[Prepared], EndpointError | None]:
        """Have the LLM read a window of documents; those that it has read whole, and why others are not."""
        began = time.monotonic()
        paths, error = extractor.extract([one for each in pending for one in each.leaves])
        seconds = (time.monotonic() - began) / max(1, len(pending))
        read = []
        for each in pending:
            each.seconds += seconds
            if each.names is not None and all(one.node.digest in paths for one in each.leaves):
                self._endpoint_failures = 0
                each.names = with_paths(each.names, each.cuts, paths)
                read.append(each)
            elif error is not None:
                self._fail_at("graph", each, error)
        return read, error

    def _fail_at(self, stage: str, prepared: Prepared, error: EndpointError) -> None:
        if prepared.state == "done":  # else a last version to carry over, whose failure is recorded already
            self._fail(prepared.change, prepared.document, stage, time.monotonic() - prepared.seconds, error)
        if not isinstance(error, TextRefused):  # which says nothing about the next text
            self._endpoint_failures += 1

    def _flush_when_due(self, writer: ThreadPoolExecutor) -> None:
        chunks = sum(len(each.leaves) for each, _ in self._ready)
        if chunks >= GROUP_CHUNKS or time.monotonic() - self._flushed >= GROUP_SECONDS:
            self._flush(writer)

    def _flush(self, writer: ThreadPoolExecutor) -> None:
        """Hand the ready documents to the storing thread, once it is done with the group before."""
        group, self._ready = self._ready, []
        self._flushed = time.monotonic()
        self._wait()
        if group:
            self._writing = writer.submit(self._store, group)

    def _wait(self) -> None:
        if self._writing is not None:
            writing, self._writing = self._writing, None
            writing.result()

    def _store(self, group: list[tuple[Prepared, dict[bytes, Vector]]]) -> None:
        """Steps two and three of the protocol, for one group."""
        began = time.monotonic()
        revisions = []
        ids: list[str] = []
        texts: list[str] = []
        vectors: list[Vector] = []
        for prepared, found in group:
            held = self._catalog.leaves(prepared.document)
            revision = self._revision(prepared)
            revisions.append(revision)
            for one in prepared.leaves:
                if one.node.id not in held:
                    revision.added.append(one.node.id)
                    ids.append(one.node.id)
                    texts.append(one.text)
                    vectors.append(found[one.node.digest])
        if ids:
            self._catalog.intend(self._generation.id, ids)
            self._stores.add(ids, texts, np.stack(vectors))
        self._summary.removed += self._catalog.commit(self._generation.id, revisions)
        self._summary.written += len(ids)
        seconds = (time.monotonic() - began) / len(group)
        done = [each for each, _ in group if each.state == "done"]  # the others were recorded as failed
        self._finish([_row(each, seconds) for each in done])

    def _revision(self, prepared: Prepared) -> Revision:
        source = prepared.change.source
        assert source is not None
        return Revision(
            document=prepared.document,
            content=prepared.content,
            load=prepared.load,
            parse=self._plan.parse,
            size=source.size,
            modified=source.modified,
            nodes=[one.node for one in prepared.cuts],
            text=prepared.text,
            state=prepared.state,
            error=prepared.error,
            names=prepared.names,
            vetted=self._plan.vetted.get(prepared.load, ""),
        )

    def _fail(self, change: Change, document: int, stage: str, began: float, error: Exception) -> None:
        """Record why a document could not be taken in; what is indexed of it stays."""
        assert change.source is not None
        state = "quarantined" if isinstance(error, Quarantined) else "failed"
        known = isinstance(error, (DocumentError, EndpointError))
        message = str(error) if known else describe(error)
        self._catalog.change(
            document,
            state=state,
            error=message,
            seen=change.content,
            tried=self._plan.attempt(change, change.content, forbidden=isinstance(error, Forbidden)),
            size=change.source.size,
            modified=change.source.modified,
        )
        row = JobDocument(change.path, change.action, stage, time.monotonic() - began, 0, message)
        self._summary.failed += 1
        self._catalog.jobs.record(self._summary.job, [row])
        self._report(Event(change.path, stage, row))

    def _finish(self, rows: list[tuple[JobDocument, int]]) -> None:
        """Record documents that are done, with their tokens."""
        with self._finishing:
            self._summary.done += len(rows)
        self._catalog.jobs.record(self._summary.job, [row for row, _ in rows])
        for row, tokens in rows:
            self._report(Event(row.document, row.stage, row, row.chunks, tokens))


def _row(prepared: Prepared, seconds: float) -> tuple[JobDocument, int]:
    leaves, change = prepared.leaves, prepared.change
    row = JobDocument(change.path, change.action, "done", prepared.seconds + seconds, len(leaves))
    return row, sum(one.node.tokens for one in leaves)


def describe(error: Exception) -> str:
    """One line for an error that is not ours: what happened, to which file."""
    if isinstance(error, FileNotFoundError):
        return "it vanished while it was being read"
    if isinstance(error, OSError):
        return f"can't be read: {error.strerror or type(error).__name__}"
    said = str(error).splitlines()
    return f"{type(error).__name__}: {said[0][:200]}" if said else type(error).__name__

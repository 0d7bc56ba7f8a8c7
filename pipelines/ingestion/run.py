"""One ingestion from its lock to its summary."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext

from pipelines.catalog import Catalog, Generation
from pipelines.catalog.derived import intact, recipe
from pipelines.catalog.extractions import Extractions
from pipelines.catalog.graph_mirror import MirrorLog
from pipelines.catalog.jobs import JobDocument
from pipelines.config import Config
from pipelines.errors import EndpointError, LimitReached, Refused, SearchaskError
from pipelines.ingestion.apply import Apply
from pipelines.ingestion.embed import CachedEmbedder, check_model
from pipelines.ingestion.events import Event, Report, Summary
from pipelines.ingestion.extract import Extractor
from pipelines.ingestion.fingerprints import embed_key, extraction, paths_key
from pipelines.ingestion.guards import guard
from pipelines.ingestion.lock import only_ingestion
from pipelines.ingestion.plan import Change, Plan
from pipelines.ingestion.planning import make_plan
from pipelines.ingestion.progress import ProgressFile
from pipelines.ingestion.recheck import Recheck
from pipelines.ingestion.repair import open_stores
from pipelines.ingestion.spending import Allowance
from pipelines.ingestion.stores import discard
from pipelines.ingestion.sweep import sweep
from pipelines.ingestion.vetting import Vetting
from pipelines.spec import fingerprint


def ingest(
    config: Config,
    *,
    allow_vanish: bool = False,
    retry_failed: bool = False,
    rebuild: bool = False,
    report: Report = lambda event: None,
    agree: Callable[[Plan], bool] = lambda plan: True,
    stopped: Callable[[], bool] | None = None,
    lenders: Sequence[Catalog] = (),
) -> Summary:
    """Bring the index in step with the documents.

    `agree` sees the plan before anything is changed; where it says no, Refused is raised. `stopped` is asked
    between documents; by default Ctrl-C and SIGTERM stop the run after the documents in hand, and so does
    `request_stop` of any process in any case. Raises Refused, StorageError or SearchaskError before anything is
    changed; afterwards failures are in the summary. What the cache of one of `lenders` holds is not embedded again.
    """
    with only_ingestion(config.storage), ProgressFile(config.storage) as progress:
        catalog = Catalog(config.storage, config.catalog_url, create=True)
        try:
            plan = make_plan(config, catalog, retry_failed=retry_failed)
            guard(plan, config, allow_vanish=allow_vanish)
            Allowance(config.spec, catalog).agree(plan)
            if not agree(plan):
                raise Refused("nothing was done")
            if rebuild and plan.generation is not None:
                catalog.generations.set_sound(plan.generation.id, False)
                discard(config.spec, config.storage, plan.generation)
                plan.generation = catalog.generations.get(plan.generation.id)
                MirrorLog(catalog.engine).again()
            with stop_on_signals() if stopped is None else nullcontext(stopped) as asked:
                run = Run(
                    config, catalog, plan, report=report, stopped=asked, progress=progress, lenders=lenders
                )
                return run.carry_out()
        finally:
            catalog.close()


class Run:
    """One run over a plan, by the holder of the storage's lock."""

    def __init__(
        self,
        config: Config,
        catalog: Catalog,
        plan: Plan,
        *,
        report: Report,
        stopped: Callable[[], bool],
        progress: ProgressFile,
        lenders: Sequence[Catalog],
    ) -> None:
        self._config = config
        self._catalog = catalog
        self._plan = plan
        self._told = report
        self._asked = stopped
        self._progress = progress
        self._summary = Summary()
        self._allowance = Allowance(config.spec, catalog)
        self._vetting = Vetting(config, plan)
        self._lenders = lenders

    def carry_out(self) -> Summary:
        """Do it, and write it to the job history, however it ends."""
        summary, outcome = self._summary, "stopped"
        summary.job = self._catalog.jobs.start()
        self._progress.begin(summary.job, len(self._plan.work))
        try:
            self._bring_in_step()
            self._mirror_graph()
            failed = summary.failed or summary.error
            outcome = "interrupted" if self._stopped() else "failed" if failed else "done"
        except (EndpointError, LimitReached) as error:
            summary.error = str(error)
            outcome = "failed"
        finally:
            summary.outcome = outcome
            self._summary.money = self._allowance.settle()
            self._catalog.jobs.finish(summary.job, outcome, summary.to_dict())
        return summary

    def _report(self, event: Event) -> None:
        """Tell this process, and all others."""
        self._progress.report(event)
        self._told(event)

    def _stopped(self) -> bool:
        return self._asked() or self._progress.stop_asked()

    def _bring_in_step(self) -> None:
        plan, generations = self._plan, self._catalog.generations
        generation = plan.generation or self._begin()
        if plan.active is None:  # the very first answers from its first document on
            generations.switch(generation.id)
        self._rename(generation)
        Recheck(plan, self._catalog, self._vetting, summary=self._summary, report=self._report).run(
            self._stopped
        )
        work = [change for change in plan.work if change.action not in ("moved", "vanished") or change.recut]
        work = [change for change in work if not change.only_vet]
        vanished = [change for change in plan.work if change.action == "vanished"]
        whole = generation.sound and intact(self._config.spec, self._config.storage, generation)
        if work or vanished or not whole or self._catalog.retired(generation.id, 1):
            embedder = self._embedder(generation)
            if work and not generation.dimension:
                generation = check_model(self._catalog, generation, embedder.embedder)
            if generation.dimension:
                self._write(generation, work, vanished, embedder)
            else:
                self._remove(generation, vanished)
        if plan.switches and not self._stopped() and self._complete(generation):
            generations.switch(generation.id)

    def _begin(self) -> Generation:
        """A new generation, beside the others."""
        spec, key = self._config.spec, self._plan.fingerprint
        return self._catalog.generations.create(key, recipe=recipe(spec), cache_key=embed_key(spec))

    def _embedder(self, generation: Generation) -> CachedEmbedder:
        """The model behind the cache; one that built an index before must still be the same."""
        model = self._config.spec.embed_model.embedder()
        lenders = [lender.cache(generation.cache_key) for lender in self._lenders]
        cached = CachedEmbedder(model, self._catalog.cache(generation.cache_key), lenders)
        if generation.dimension:
            cached.before_first = lambda: check_model(self._catalog, generation, model)
        cached.limit = self._allowance.before
        self._summary.spent = self._allowance.spent = cached.spent
        return cached

    def _extractor(self) -> Extractor | None:
        """The LLM that reads passages for the graph, behind the cache; None where none does."""
        spec = self._config.spec
        extract = extraction(spec)
        if extract is None or spec.llm is None:
            return None
        from pipelines.components.runtime.paths import PathReader

        reader = PathReader(extract.instructions.model_dump(), extract.max_paths)
        cache = Extractions(self._catalog.engine, paths_key(spec))
        extractor = Extractor(
            reader,
            spec.llm.build(),
            cache,
            self._allowance,
            workers=extract.workers,
            stopped=self._stopped,
        )
        self._summary.asked = extractor.asked
        return extractor

    def _mirror_graph(self) -> None:
        """Bring the other graph store in step, where there is one; where that fails, the next run goes on."""
        chosen, active = self._config.spec.graph_store, self._catalog.generations.active()
        if chosen.type == "catalog" or active is None:
            return
        from pipelines.ingestion.graph_mirror import mirror

        try:
            store = chosen.build(storage=self._config.storage)
            try:
                identity = fingerprint("graph store", chosen.identity())
                self._summary.mirrored = mirror(
                    self._catalog, active, store, identity=identity, stopped=self._stopped
                )
            finally:
                store.close()
        except SearchaskError as error:
            self._summary.error = f"{error}; the documents are ingested, and the next run brings it in step"

    def _rename(self, generation: Generation) -> None:
        """Record moves and touches: rows only, nothing is read or embedded."""
        touched = []
        for change in self._plan.changes:
            row, source = change.row, change.source
            if row is None or source is None:
                continue
            if change.action == "moved":
                stat = {"size": source.size, "modified": source.modified}
                sound = {"state": "done", "error": "", "seen": row.content}  # its bytes are those indexed
                self._catalog.move(generation.id, row.id, change.loader, change.path, **stat, **sound)
                if not change.recut:
                    self._tell(change, "done")
                    self._summary.done += 1
            elif change.action == "unchanged" and (source.size, source.modified) != (row.size, row.modified):
                touched.append((row.id, source.size, source.modified))
        if touched:
            self._catalog.touch(touched)

    def _write(
        self,
        generation: Generation,
        work: list[Change],
        vanished: list[Change],
        embedder: CachedEmbedder,
    ) -> None:
        """All that touches the derived stores; what a killed run left in them is swept first."""
        spec, catalog, summary = self._config.spec, self._catalog, self._summary
        stores = open_stores(self._config, catalog, generation, embedder)
        try:
            sweep(catalog, generation, stores)
            self._remove(generation, vanished)
            if work:
                Apply(
                    self._plan,
                    catalog,
                    generation,
                    parser=spec.node_parser.build(embed_model=spec.embed_model.build),
                    embedder=embedder,
                    stores=stores,
                    summary=summary,
                    report=self._report,
                    stopped=self._stopped,
                    vet=self._vetting.vet,
                    extractor=self._extractor(),
                ).run(work)
            sweep(catalog, generation, stores)
            if summary.removed or vanished:
                catalog.drop_unused_texts()
        finally:
            stores.close()

    def _remove(self, generation: Generation, vanished: list[Change]) -> None:
        rows = [change.row.id for change in vanished if change.row]
        self._summary.removed += self._catalog.remove(generation.id, rows)
        for change in vanished:
            self._tell(change, "removed")

    def _tell(self, change: Change, stage: str) -> None:
        row = JobDocument(change.path, change.action, stage)
        self._catalog.jobs.record(self._summary.job, [row])
        self._report(Event(change.path, stage, row))

    def _complete(self, generation: Generation) -> bool:
        """Whether the generation answers for every document that the active one does and that still exists."""
        built = {(row.loader, row.path) for row in self._catalog.documents(generation.id) if row.content}
        needed = {
            (change.loader, change.path)
            for change in self._plan.changes
            if change.source is not None and change.before is not None and change.before.content
        }
        return needed <= built


@contextmanager
def stop_on_signals() -> Iterator[Callable[[], bool]]:
    """Ask to stop at the first Ctrl-C or SIGTERM, and raise KeyboardInterrupt at the second."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return

    def ask(number: int, _frame: object) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(each, ask) for each in signals]
    try:
        yield asked.is_set
    finally:
        for each, handler in zip(signals, before, strict=True):
            signal.signal(each, handler)

"""One ingestion from its lock to its summary."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pipelines.catalog import Catalog, Generation
from pipelines.catalog.derived import intact, recipe
from pipelines.catalog.jobs import JobDocument
from pipelines.config import Config
from pipelines.errors import EndpointError, Refused
from pipelines.ingestion.apply import Apply
from pipelines.ingestion.embed import CachedEmbedder, check_model
from pipelines.ingestion.events import Event, Report, Summary
from pipelines.ingestion.fingerprints import embed_key
from pipelines.ingestion.guards import guard
from pipelines.ingestion.lock import only_ingestion
from pipelines.ingestion.plan import Change, Plan, make_plan
from pipelines.ingestion.repair import open_stores
from pipelines.ingestion.sweep import sweep


def ingest(
    config: Config,
    *,
    allow_vanish: bool = False,
    retry_failed: bool = False,
    rebuild: bool = False,
    report: Report = lambda event: None,
    agree: Callable[[Plan], bool] = lambda plan: True,
    stopped: Callable[[], bool] | None = None,
) -> Summary:
    """Bring the index in step with the documents.

    `agree` sees the plan before anything is changed; where it says no, Refused is raised. `stopped` is asked
    between documents; by default Ctrl-C and SIGTERM stop the run after the documents in hand. Raises Refused,
    StorageError or SearchaskError before anything is changed; afterwards failures are in the summary.
    """
    with only_ingestion(config.storage):
        catalog = Catalog(config.storage, config.catalog_url, create=True)
        try:
            plan = make_plan(config, catalog, retry_failed=retry_failed)
            guard(plan, config, allow_vanish=allow_vanish)
            if not agree(plan):
                raise Refused("nothing was done")
            if rebuild and plan.generation is not None:
                catalog.generations.set_sound(plan.generation.id, False)
                plan.generation = catalog.generations.get(plan.generation.id)
            summary = Summary(job=catalog.jobs.start())
            if stopped is not None:
                _carry_out(config, catalog, plan, summary, report, stopped)
            else:
                with stop_on_signals() as stopped:
                    _carry_out(config, catalog, plan, summary, report, stopped)
            return summary
        finally:
            catalog.close()


def _carry_out(
    config: Config,
    catalog: Catalog,
    plan: Plan,
    summary: Summary,
    report: Report,
    stopped: Callable[[], bool],
) -> None:
    outcome = "stopped"
    try:
        _apply(config, catalog, plan, summary, report, stopped)
        outcome = "interrupted" if stopped() else "failed" if summary.failed else "done"
    except EndpointError as error:
        summary.error = str(error)
        outcome = "failed"
    finally:
        summary.outcome = outcome
        catalog.jobs.finish(summary.job, outcome, summary.to_dict())


def _apply(
    config: Config,
    catalog: Catalog,
    plan: Plan,
    summary: Summary,
    report: Report,
    stopped: Callable[[], bool],
) -> None:
    generation = plan.generation or _begin(config, catalog, plan)
    if plan.active is None:  # the very first answers from its first document on
        catalog.generations.switch(generation.id)
    _rename(catalog, generation, plan, summary, report)
    work = [change for change in plan.work if change.action not in ("moved", "vanished")]
    whole = generation.sound and intact(config.spec, config.storage, generation)
    vanished = [change for change in plan.work if change.action == "vanished" and change.row]
    if work or vanished or not whole or catalog.retired(generation.id, 1):
        cached = CachedEmbedder(config.spec.embed_model.embedder(), catalog.cache(generation.cache_key))
        if work and not generation.dimension:
            generation = check_model(catalog, generation, cached.embedder)
        else:
            cached.before_first = lambda: check_model(catalog, generation, cached.embedder)
        summary.spent = cached.spent
        if generation.dimension:
            _write(config, catalog, generation, plan, work, vanished, cached, summary, report, stopped)
    if not stopped() and plan.switches and _complete(catalog, plan, generation):
        catalog.generations.switch(generation.id)


def _write(
    config: Config,
    catalog: Catalog,
    generation: Generation,
    plan: Plan,
    work: list[Change],
    vanished: list[Change],
    cached: CachedEmbedder,
    summary: Summary,
    report: Report,
    stopped: Callable[[], bool],
) -> None:
    stores = open_stores(config, catalog, generation, cached)
    try:
        sweep(catalog, generation, stores)
        _remove(catalog, generation, vanished, summary, report)
        if work:
            parser = config.spec.node_parser.build(embed_model=lambda: config.spec.embed_model.build())
            apply = Apply(
                plan,
                catalog,
                generation,
                parser=parser,
                embedder=cached,
                stores=stores,
                summary=summary,
                report=report,
                stopped=stopped,
            )
            apply.run(work)
        sweep(catalog, generation, stores)
        if summary.removed or vanished:
            catalog.drop_unused_texts()
    finally:
        stores.close()


def _begin(config: Config, catalog: Catalog, plan: Plan) -> Generation:
    """A new generation, beside the others."""
    key = embed_key(config.spec)
    return catalog.generations.create(plan.fingerprint, recipe=recipe(config.spec), cache_key=key)


def _rename(catalog: Catalog, generation: Generation, plan: Plan, summary: Summary, report: Report) -> None:
    """Record moves and touches: rows only, nothing is read or embedded."""
    touched = []
    for change in plan.changes:
        row, source = change.row, change.source
        if row is None or source is None:
            continue
        if change.action == "moved":
            stat = {"size": source.size, "modified": source.modified}
            catalog.move(generation.id, row.id, change.loader, change.path, **stat)
            _tell(catalog, summary, report, change)
            summary.done += 1
        elif change.action == "unchanged" and (source.size, source.modified) != (row.size, row.modified):
            touched.append((row.id, source.size, source.modified))
    if touched:
        catalog.touch(touched)


def _remove(
    catalog: Catalog, generation: Generation, vanished: list[Change], summary: Summary, report: Report
) -> None:
    summary.removed += catalog.remove(generation.id, [change.row.id for change in vanished if change.row])
    for change in vanished:
        _tell(catalog, summary, report, change, stage="removed")


def _tell(catalog: Catalog, summary: Summary, report: Report, change: Change, *, stage: str = "done") -> None:
    row = JobDocument(change.path, change.action, stage)
    catalog.jobs.record(summary.job, [row])
    report(Event(change.path, stage, row))


def _complete(catalog: Catalog, plan: Plan, generation: Generation) -> bool:
    """Whether the new generation answers for every document that the active one does and that still exists."""
    built = {(row.loader, row.path) for row in catalog.documents(generation.id) if row.content}
    needed = {
        (change.loader, change.path)
        for change in plan.changes
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

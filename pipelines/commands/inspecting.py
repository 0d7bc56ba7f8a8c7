"""`searchask jobs`, `documents`, `chunks`, `prune` and `doctor`: what is in a storage, and is it sound."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager

from pipelines.catalog import Catalog, DocumentRow
from pipelines.commands.terminal import block, duration, moment, printable, say, say_json, table
from pipelines.config import Config, load_config
from pipelines.errors import SearchaskError


@contextmanager
def _opened(config: Config) -> Iterator[Catalog]:
    catalog = Catalog(config.storage, config.catalog_url)
    try:
        yield catalog
    finally:
        catalog.close()


def jobs_command(args: argparse.Namespace) -> int:
    """List runs, or show one with its documents."""
    with _opened(load_config(args.file)) as catalog:
        jobs = catalog.jobs.latest(limit=args.limit if args.id is None else 1_000_000)
        if args.id is None:
            rows = [
                (
                    job.id,
                    moment(job.started),
                    job.outcome,
                    *_told(job.summary),
                    job.summary.get("seconds", ""),
                )
                for job in jobs
            ]
            head = ["job", "started", "outcome", "done", "failed", "written", "removed", "seconds"]
            table(head, rows, right=(0, 3, 4, 5, 6, 7))
            return 0
        job = next((job for job in jobs if job.id == args.id), None)
        if job is None:
            raise SearchaskError(f"there is no job {args.id}; `searchask jobs {args.file}` lists them")
        say(f"job {job.id}, {job.outcome}, started {moment(job.started)} by process {job.pid} on {job.host}")
        if job.summary.get("error"):
            say(f"stopped: {printable(job.summary['error'])}")
        done = catalog.jobs.documents(job.id)
        columns = [
            (each.document, each.action, each.stage, f"{each.seconds:.3f}", each.chunks, each.error)
            for each in done
        ]
        table(["document", "action", "stage", "seconds", "chunks", "error"], columns, right=(3, 4))
    return 0


def _told(summary: dict[str, dict[str, int]]) -> tuple[object, ...]:
    documents, chunks = summary.get("documents", {}), summary.get("chunks", {})
    return (
        documents.get("done", ""),
        documents.get("failed", ""),
        chunks.get("written", ""),
        chunks.get("removed", ""),
    )


def documents_command(args: argparse.Namespace) -> int:
    """List the documents of the index that answers now."""
    with _opened(load_config(args.file)) as catalog:
        listed = catalog.listing()
    if args.json:
        say_json(listed)
        return 0
    table(
        ["document", "loader", "state", "chunks", "encoding", "error"],
        [tuple(each.values()) for each in listed],
        right=(3,),
    )
    return 0


def chunks_command(args: argparse.Namespace) -> int:
    """Show what was cut where in one document."""
    with _opened(load_config(args.file)) as catalog:
        row = _find(catalog, args.document)
        text = catalog.text(row.load)
        say(f"{printable(row.path)}: {row.state}, {row.chunks} chunks, {row.tokens:,} tokens")
        for note in text.notes if text else ():
            say(f"note: {printable(note)}")
        for node, words in catalog.nodes(row.id):
            place = f"{node.start}–{node.end}" if node.start is not None else "not verbatim"
            parts = [f"chunk {node.position + 1}", place, f"{node.tokens} tokens"]
            parts += [f"page {node.page}"] if node.page else []
            parts += [printable(node.heading)] if node.heading else []
            parts += [] if node.leaf else ["parent, not indexed"]
            say("\n── " + " · ".join(parts))
            if node.table_header:
                say(block(node.table_header))
            say(block(words))
    return 0


def _find(catalog: Catalog, name: str) -> DocumentRow:
    active = catalog.generations.active()
    rows = catalog.documents(active.id) if active else []
    found = [row for row in rows if row.path == name] or [row for row in rows if row.path.endswith(name)]
    if not found:
        from difflib import get_close_matches

        near = get_close_matches(name, [row.path for row in rows], n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise SearchaskError(f"no document is called {printable(name)}{hint}")
    if len(found) > 1 and len({row.path for row in found}) > 1:
        raise SearchaskError(f"{len(found)} documents end in {printable(name)}: give the whole path")
    return found[0]


def prune_command(args: argparse.Namespace) -> int:
    """Drop old generations, orphans, what is no longer used, and indexes that were built for comparisons."""
    from pipelines.evaluation import indexes
    from pipelines.ingestion.lock import only_ingestion
    from pipelines.ingestion.sweep import prune

    config = load_config(args.file)
    with _opened(config) as catalog, only_ingestion(config.storage):
        dropped = prune(config, catalog)
        dropped["indexes of comparisons"] = indexes.drop(config.storage)
    say("dropped: " + ", ".join(f"{number} {kind}" for kind, number in dropped.items()))
    return 0


def doctor_command(args: argparse.Namespace) -> int:
    """Check everything; 1 where something is not as it should be."""
    from time import monotonic

    from pipelines.ingestion.doctor import examine

    began = monotonic()
    sound = True
    for check in examine(load_config(args.file)):
        sound = sound and check.fine
        say(f"{'ok ' if check.fine else 'BAD'}  {check.name}: {printable(check.detail)}")
    say(f"{'all is well' if sound else 'something needs attention'} ({duration(monotonic() - began)})")
    return 0 if sound else 1

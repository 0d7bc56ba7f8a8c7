"""`searchask plan` and `searchask ingest`."""

from __future__ import annotations

import argparse
import sys

from pipelines.catalog import Catalog
from pipelines.catalog.database import FILE_NAME
from pipelines.commands.progress import Progress
from pipelines.commands.terminal import block, confirmed, duration, printable, say, say_json, table, warn
from pipelines.config import Config, load_config
from pipelines.errors import Refused, SearchaskError
from pipelines.ingestion.events import Summary
from pipelines.ingestion.guards import guard
from pipelines.ingestion.plan import Plan
from pipelines.ingestion.planning import make_plan
from pipelines.ingestion.run import ingest

_SHOWN = 40
"""Documents listed by a plan for people; `--json` lists all."""


def plan_command(args: argparse.Namespace) -> int:
    """Print what an ingestion would do."""
    config = load_config(args.file)
    catalog = open_if_there(config)
    try:
        plan = make_plan(config, catalog, retry_failed=args.retry_failed)
    finally:
        if catalog is not None:
            catalog.close()
    if args.json:
        say_json(plan.to_dict())
        return 0
    show_plan(plan, limit=None if args.all else _SHOWN)
    try:
        guard(plan, config, allow_vanish=False)
    except Refused as refusal:
        warn(f"ingest would refuse: {block(str(refusal))}")
    return 0


def open_if_there(config: Config) -> Catalog | None:
    """The catalog, or None where nothing was ever ingested."""
    if config.catalog_url is None and not (config.storage / FILE_NAME).exists():
        return None
    return Catalog(config.storage, config.catalog_url)


def show_plan(plan: Plan, limit: int | None = _SHOWN) -> None:
    """Print counts, then each document that will change with its reason."""
    counts = plan.counts()
    say("  ".join(f"{action} {number}" for action, number in counts.items()))
    listed = [change for change in plan.changes if change.action != "unchanged"]
    shown = listed if limit is None else listed[:limit]
    if shown:
        table(["action", "document", "reason"], [(each.action, each.path, each.reason) for each in shown])
    if len(shown) < len(listed):
        say(f"… and {len(listed) - len(shown)} more (--all shows them)")
    if plan.switches and plan.work:
        say("a second index is built beside the one that answers now; questions go to it once it is complete")
    elif plan.switches:
        say("the index that was built with this config before is complete: questions go back to it")
    if plan.tokens:
        cost = f", {plan.tokens * plan.price / 1e6:.4f} at {plan.price} per million" if plan.price else ""
        say(f"about {plan.tokens:,} tokens to embed, less what the cache holds{cost}")
    if plan.calls.number:
        calls, paid = plan.calls, plan.calls.cost(plan.llm_price)
        cost = f", {paid:.4f} by its price" if paid else ""
        say(
            f"about {calls.number:,} calls of the llm for the graph ({calls.sent:,} tokens sent, "
            f"{calls.written:,} written), less what the cache holds{cost}"
        )


def ingest_command(args: argparse.Namespace) -> int:
    """Bring the index in step; 0 done, 1 some documents failed, 2 refused, 130 interrupted."""
    config = load_config(args.file)
    if args.watch:
        from pipelines.ingestion.watch import watch

        return watch(lambda: _run_on(config, args), config, seconds=args.every)
    return run_once(config, args)


def _run_on(config: Config, args: argparse.Namespace) -> int:
    """One ingestion of a watch, which an error must not end."""
    try:
        return run_once(config, args)
    except SearchaskError as error:
        warn(block(str(error)))
        return 2


def run_once(config: Config, args: argparse.Namespace) -> int:
    """One ingestion, shown as it goes."""
    quiet = bool(args.json)
    asks = sys.stdin.isatty() and sys.stdout.isatty() and not args.yes and not quiet and not args.watch

    with Progress(quiet=quiet) as progress:

        def agree(plan: Plan) -> bool:
            if not quiet:
                show_plan(plan)
            if asks and plan.work and not confirmed():
                return False
            progress.start(plan)
            return True

        summary = ingest(
            config,
            allow_vanish=args.allow_vanish,
            retry_failed=args.retry_failed,
            rebuild=args.rebuild,
            report=progress.report,
            agree=agree,
        )
    if quiet:
        say_json(summary.to_dict())
    else:
        show_summary(summary, progress.failures)
    return {"done": 0, "failed": 1, "interrupted": 130}.get(summary.outcome, 1)


def show_summary(summary: Summary, failures: list[tuple[str, str]]) -> None:
    """Print what was done."""
    told = summary.to_dict()
    embedded = told["embedded"]
    say(
        f"job {summary.job} {summary.outcome} in {duration(told['seconds'])}: "
        f"{summary.done} documents done, {summary.failed} failed; "
        f"{summary.written} chunks written, {summary.removed} removed; "
        f"{embedded['texts']} texts embedded ({embedded['tokens']:,} tokens), "
        f"{embedded['from_cache']} from the cache"
    )
    if summary.asked is not None:
        asked = summary.asked
        say(
            f"graph: {asked.passages} passages read by the llm, {asked.from_cache} from the cache: {asked.paths} "
            f"paths; {asked.useless} passages gave none, and are followed by their names alone"
        )
    if summary.mirrored is not None:
        say("graph store: {} documents written, {} removed".format(*summary.mirrored))
    for document, error in failures:
        warn(f"failed: {printable(document)}: {printable(error)}")
    if summary.error:
        warn(f"stopped: {printable(summary.error)}")
        warn("what was done is kept; run `searchask ingest` again to go on")

"""Each document compared with the catalog, so that a plan tells what becomes of it and why."""

from __future__ import annotations

from pipelines.catalog import Catalog, DocumentRow, vetted
from pipelines.config import Config
from pipelines.documents import Source
from pipelines.errors import DocumentError, SearchaskError
from pipelines.ingestion.estimate import estimate_tokens, reckon
from pipelines.ingestion.fingerprints import LoadKey, content_hash, generation_key, graph_key, parse_key
from pipelines.ingestion.moved import find_moved
from pipelines.ingestion.plan import Change, Plan
from pipelines.ingestion.scan import open_loaders, scan
from pipelines.ingestion.vetting import find_unvetted, moderation_key


def make_plan(config: Config, catalog: Catalog | None, *, retry_failed: bool = False) -> Plan:
    """Compare the documents with the catalog (None: nothing was ever ingested); raises SearchaskError without loaders.

    Opens only files whose size or time changed, and new ones that may be a known one moved.
    """
    spec = config.spec
    if not spec.loaders:
        raise SearchaskError(
            f"{config.path}: names no loader, so there is nothing to ingest; its `llm` answers alone"
        )
    key = generation_key(spec)
    active = catalog.generations.active() if catalog else None
    target = catalog.generations.find(key) if catalog else None
    plan = Plan(
        changes=[],
        fingerprint=key,
        generation=target,
        active=active,
        loaders=open_loaders(config),
        keys={name: LoadKey.of(loader) for name, loader in spec.loaders.items()},
        parse=parse_key(spec),
        graph=graph_key(spec),
        moderation=moderation_key(config),
        dictionary=tuple(spec.keyword.dictionary),
        price=getattr(spec.embed_model, "price", None),
        llm_price=getattr(spec.llm, "price", None),
    )
    if plan.graph and catalog and target:
        plan.graphed = catalog.graph_keys(target.id)
    if plan.moderation and catalog:
        plan.vetted = vetted.known(catalog.engine)
    rows = {
        (row.loader, row.path): row for row in (catalog.documents(target.id) if catalog and target else ())
    }
    if catalog and active:
        before = (
            rows
            if target == active
            else {(row.loader, row.path): row for row in catalog.documents(active.id)}
        )
    else:
        before = {}
    plan.indexed = sum(1 for row in before.values() if row.content)
    sources = scan(plan.loaders)
    plan.empty = [name for name, found in sources.items() if not found]
    seen: set[tuple[str, str]] = set()
    for loader, found in sources.items():
        for source in found:
            seen.add((loader, source.path))
            name = (loader, source.path)
            change = Change(*name, "unchanged", source=source, row=rows.get(name), before=before.get(name))
            _judge(plan, change, retry_failed=retry_failed)
            plan.changes.append(change)
    _find_vanished(plan, rows, before, seen, set(spec.loaders))
    find_moved(plan, lambda change: _hash(plan, change))
    find_unvetted(plan)
    for change in plan.changes:
        read = change.action in ("new", "changed", "stale", "failed") and not change.skip
        embeds = read and not change.only_graph and not change.only_vet
        if (
            change.source
            and not change.source.problem
            and (embeds or (change.recut and not change.only_graph))
        ):
            change.tokens = estimate_tokens(change.path, change.source.size, change.row or change.before)
    plan.reads = reckon(plan.work, spec, catalog)
    return plan


def _judge(plan: Plan, change: Change, *, retry_failed: bool) -> None:
    """Set what becomes of a document that was found."""
    source, row, before = change.source, change.row, change.before
    assert source is not None
    if source.problem:
        change.action, change.reason = "failed", source.problem
        told = row is not None and row.error == source.problem
        change.skip = told and (source.modified == 0 or (row is not None and _same_stat(source, row)))
    elif row is None or row.state == "new":
        if before is None or not before.content:
            change.action, change.reason = "new", "not in the index"
            return
        change.content = before.content if _same_stat(source, before) else _hash(plan, change)
        if change.content == before.content:
            change.action, change.reason = "stale", _model_edit(plan)
        elif change.content:
            change.action, change.reason = "changed", "edited, and " + _model_edit(plan)
    elif row.state in ("failed", "quarantined"):
        _judge_failed(plan, change, row, retry_failed=retry_failed)
    elif _same_stat(source, row):
        _judge_known(plan, change, row)
    else:
        change.content = _hash(plan, change)
        if change.action != "unchanged":
            return
        if change.content == row.content:
            _judge_known(plan, change, row)
        else:
            change.action, change.reason = "changed", "its content is another"


def _judge_known(plan: Plan, change: Change, row: DocumentRow) -> None:
    """Set what becomes of a document whose bytes are the indexed ones."""
    change.content = row.content
    if plan.keys[change.loader].of_content(change.path, row.content) != row.load:
        change.action, change.reason = (
            "stale",
            "it is read in another way since: loader options or a newer reader",
        )
    elif plan.parse != row.parse:
        change.action, change.reason = "stale", "node_parser was edited"
    elif not plan.in_graph(row):
        change.action, change.only_graph = "stale", True
        known = row.id in plan.graphed
        change.reason = (
            "its names are found in another way since" if known else "it is not in the graph yet"
        ) + "; nothing is embedded"


def _judge_failed(plan: Plan, change: Change, row: DocumentRow, *, retry_failed: bool) -> None:
    source = change.source
    assert source is not None
    change.action = "failed"
    if row.state == "failed":
        change.reason = f"failed last time, is tried again: {row.error}"
        return
    same = _same_stat(source, row)
    if not same:
        change.content = _hash(plan, change)
        same = change.content == row.seen
    if same and not row.seen:
        change.reason = f"it was not read, and may be read now: {row.error}"
    elif same and not row.tried.startswith(plan.attempt(change, row.seen)):
        change.reason = f"quarantined, is tried again since the config was edited: {row.error}"
    elif same and row.tried not in (plan.attempt(change, row.seen, forbidden=on) for on in (False, True)):
        change.reason = f"moderation changed, and it is checked again: {row.error}"
    elif not same and change.content and change.content == row.content:
        change.action, change.reason = "changed", "it is again what is indexed"
    elif not same:
        change.action, change.reason = "changed", "edited since it was quarantined"
    elif retry_failed:
        change.reason = f"quarantined, is tried again: {row.error}"
    else:
        change.reason = f"quarantined until it changes: {row.error}"
        change.skip = True


def _hash(plan: Plan, change: Change) -> str:
    """The content hash of a document as it is now; a failure to read is set on the change."""
    assert change.source is not None
    try:
        return content_hash(plan.loaders[change.loader].fetch(change.source))
    except (DocumentError, OSError) as error:
        change.action, change.reason = "failed", f"can't be read: {error}"
        return ""


def _same_stat(source: Source, row: DocumentRow) -> bool:
    return source.modified != 0 and (source.size, source.modified) == (row.size, row.modified)


def _model_edit(plan: Plan) -> str:
    return (
        f"the index is built anew beside the old one ({plan.active.model if plan.active else ''} built that)"
    )


def _find_vanished(
    plan: Plan,
    rows: dict[tuple[str, str], DocumentRow],
    before: dict[tuple[str, str], DocumentRow],
    seen: set[tuple[str, str]],
    loaders: set[str],
) -> None:
    for name in sorted({*rows, *before} - seen):
        row = rows.get(name)
        reason = (
            "it is gone from its loader"
            if name[0] in loaders
            else f"loader {name[0]!r} is gone from the config"
        )
        content = (row or before[name]).content
        plan.changes.append(
            Change(*name, "vanished", reason, row=row, before=before.get(name), content=content)
        )

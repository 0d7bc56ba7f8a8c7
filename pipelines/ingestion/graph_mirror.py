"""Another graph store kept in step with the catalog, document by document.

What is about to be written is noted in the catalog first, and what was deleted is struck off last, so that whatever
a crash leaves in the store is known to the next run, which does the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from llama_index.core.graph_stores.types import TRIPLET_SOURCE_KEY, EntityNode, Relation
from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode

from pipelines.catalog import Catalog, Generation
from pipelines.catalog.graph_mirror import MENTIONS, MirrorLog, Row
from pipelines.catalog.live import LiveNode, LiveNodes

if TYPE_CHECKING:
    from pipelines.vectors.graph import GraphMirror

T = TypeVar("T")

TOGETHER = 20
"""Documents that are written together."""


@dataclass(slots=True)
class Work:
    """What some documents change in a store."""

    kept: set[Row]
    """All that will be noted of the nodes that are touched, of these documents and of others."""
    gone: set[str] = field(default_factory=set)
    """Nodes that nothing supports any more."""
    broken: set[str] = field(default_factory=set)
    """Nodes that are deleted and put back, since no verb of a store takes away a relation alone."""
    around: set[str] = field(default_factory=set)
    """Nodes that stand next to one of these."""
    rows: set[Row] = field(default_factory=set)
    """What is written."""


def mirror(
    catalog: Catalog,
    generation: Generation,
    store: GraphMirror,
    *,
    identity: str,
    stopped: Callable[[], bool],
) -> tuple[int, int]:
    """Bring a store in step with the graph of a generation; the documents written and removed."""
    log = MirrorLog(catalog.engine)
    log.belongs_to(identity, empty=store.empty)
    wanted, held = log.wanted(generation.id), log.held()
    changed = sorted(document for document, key in wanted.items() if held.get(document) != key)
    gone = sorted(held.keys() - wanted.keys())
    live = LiveNodes(catalog.engine, generation.id, generation.cache_key)
    written = removed = 0
    for ids in _groups([*gone, *changed], TOGETHER):
        if stopped():
            break
        keys = {document: wanted[document] for document in ids if document in wanted}
        _bring(log, live, store, ids, keys)
        written += len(keys)
        removed += len(ids) - len(keys)
    return written, removed


def _bring(
    log: MirrorLog, live: LiveNodes, store: GraphMirror, ids: Sequence[int], keys: dict[int, str]
) -> None:
    old, new = log.of(ids), log.current(list(keys))
    dropped = old - new
    work = _work(log, old, new)
    log.begin(ids, new - old)
    store.delete(sorted(work.gone | work.broken))
    ends = {end for row in work.rows for end in row.ends} | work.around
    chunks = sorted(ends & {row.source for row in work.kept if row.label in ("", MENTIONS)})
    passages = [_passage(each) for part in _groups(chunks, 400) for each in _held(live, part)]
    sources = {row.target: row.source for row in sorted(work.kept, reverse=True) if row.label == MENTIONS}
    entities = [_entity(each, sources.get(each, "")) for each in sorted(ends.difference(chunks))]
    store.put(passages, entities, _relations(work.rows, work.kept))
    store.flush()
    log.finish(keys, dropped)


def _work(log: MirrorLog, old: set[Row], new: set[Row]) -> Work:
    """What must be deleted and written so that the rows of some documents are others."""
    dropped = old - new
    known = log.touching({end for row in old | new for end in row.ends})
    kept = (known | new) - dropped
    work = Work(kept, rows=set(new))
    alive = {end for row in kept for end in row.ends}
    work.gone = {end for row in dropped for end in row.ends} - alive
    # A relation that several documents state is one in a store: it is written anew where these are others now.
    stated, before = {row.relation for row in known}, {row.relation for row in dropped | (new - old)}
    for source, label, target in sorted(stated & before):
        if label and not {source, target} & (work.gone | work.broken):
            counts = {end: sum(end in row.ends for row in kept) for end in (target, source)}
            work.broken.add(min(counts, key=counts.__getitem__))
    near = log.touching(work.gone | work.broken)
    work.around = {end for row in near for end in row.ends} - work.gone
    touched = log.touching(work.around | work.broken) - dropped
    work.kept |= touched
    work.rows |= {row for row in work.kept if work.broken.intersection(row.ends)}
    work.around &= {end for row in work.kept for end in row.ends}
    return work


def _relations(rows: Iterable[Row], kept: Iterable[Row]) -> list[Relation]:
    """Each relation once, with all documents that state it."""
    stated: dict[tuple[str, str, str], list[int]] = {row.relation: [] for row in sorted(rows) if row.label}
    for row in sorted(kept):
        if row.relation in stated:
            stated[row.relation].append(row.document)
    return [
        Relation(
            label=label,
            source_id=source,
            target_id=target,
            properties={"document_id": of[0], "documents": of},
        )
        for (source, label, target), of in stated.items()
    ]


def _entity(term: str, source: str) -> EntityNode:
    return EntityNode(name=term, properties={TRIPLET_SOURCE_KEY: source} if source else {})


def _held(live: LiveNodes, ids: Sequence[str]) -> Iterator[LiveNode | str]:
    """Live passages; the id alone of one that is not, which goes when the turn of its document comes."""
    found = live.get(ids)
    return (found.get(each, each) for each in ids)


def _passage(node: LiveNode | str) -> TextNode:
    if isinstance(node, str):
        return TextNode(id_=node, text="")
    made = TextNode(
        id_=node.id,
        text=node.text,
        metadata={
            "document": node.document,
            "document_id": node.document_id,
            "heading": node.heading,
            "page": node.page or 0,
        },
    )
    made.relationships[NodeRelationship.SOURCE] = RelatedNodeInfo(node_id=str(node.document_id))
    return made


def _groups(values: Sequence[T], size: int) -> list[Sequence[T]]:
    return [values[offset : offset + size] for offset in range(0, len(values), size)]

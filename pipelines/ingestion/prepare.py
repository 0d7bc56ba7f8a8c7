"""Step one of the protocol, a function of one document and its config: read it and cut it."""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pipelines.catalog import Catalog
from pipelines.catalog.rows import Names
from pipelines.documents import Document
from pipelines.errors import Quarantined
from pipelines.ingestion.cut import Cut, cut, embedded_text
from pipelines.ingestion.fingerprints import content_hash
from pipelines.ingestion.graph import names_of
from pipelines.ingestion.plan import Change, Plan

if TYPE_CHECKING:
    from llama_index.core.node_parser import NodeParser


@dataclass(slots=True)
class Prepared:
    """One document, read and cut, not yet embedded."""

    change: Change
    document: int
    content: str
    load: str
    text: Document | None
    """Set where the catalog does not hold this text yet."""
    cuts: list[Cut] = field(default_factory=list)
    names: Names | None = None
    seconds: float = 0.0
    state: str = "done"
    error: str = ""

    @property
    def leaves(self) -> list[Cut]:
        """The nodes that are embedded."""
        return [one for one in self.cuts if one.node.leaf]


def prepare(
    plan: Plan,
    catalog: Catalog,
    held: Set[str],
    change: Change,
    document: int,
    parser: NodeParser,
    *,
    vet: Callable[[str, Document], None] = lambda load, text: None,
) -> Prepared:
    """Read and cut one document; raises DocumentError, Quarantined or OSError where it can't be.

    The text comes from the catalog where it was read in the same way before (`held` names those): then no file
    is opened. `vet` is told each text and its load fingerprint, and raises DocumentError where it must not be taken
    in.
    """
    source, loader, key = change.source, plan.loaders[change.loader], plan.keys[change.loader]
    assert source is not None
    if source.problem:
        raise Quarantined(source.problem)
    content = change.content
    if content:
        load = key.of_content(change.path, content)
        known = catalog.text(load) if load in held else None
        if known is not None:
            vet(load, known)
            prepared = Prepared(change, document, content, load, None)
            prepared.cuts = _as_they_are(catalog, document) if change.only_graph else []
            prepared.cuts = prepared.cuts or _cut(known, parser, document)
            prepared.names = _names(plan, change, known, prepared.cuts)
            return prepared
    raw = loader.fetch(source)
    content = change.content = content_hash(raw)
    load = key.of_content(change.path, content)
    row = change.row
    same = row and row.content == content and row.load == load and row.parse == plan.parse
    if row and same and plan.in_graph(row):
        return Prepared(change, document, content, load, None)
    known = catalog.text(load) if load in held else None
    text = known or loader.read(source, raw)
    vet(load, text)
    cuts = _cut(text, parser, document)
    return Prepared(
        change, document, content, load, None if known else text, cuts, _names(plan, change, text, cuts)
    )


def carry_over(
    plan: Plan, catalog: Catalog, change: Change, document: int, parser: NodeParser
) -> Prepared | None:
    """The version that answers questions now, for an index that is built beside it; None where there is none."""
    before = change.before
    if before is None or not before.content or (change.row and change.row.content):
        return None
    text = catalog.text(before.load)
    if text is None:
        return None
    cuts = _cut(text, parser, document)
    names = _names(plan, change, text, cuts)
    return Prepared(change, document, before.content, before.load, None, cuts, names)


def _as_they_are(catalog: Catalog, document: int) -> list[Cut]:
    """The chunks that are indexed of a document."""
    return [
        Cut(
            replace(node, text=text if node.start is None else None),
            embedded_text(node.heading, node.table_header, text),
        )
        for node, text in catalog.nodes(document)
    ]


def _names(plan: Plan, change: Change, text: Document, cuts: list[Cut]) -> Names | None:
    return names_of(plan.graph, change.path, text, cuts, plan.dictionary) if plan.graph else None


def _cut(text: Document, parser: NodeParser, document: int) -> list[Cut]:
    cuts = cut(text, parser, key=document)
    if not cuts:
        raise Quarantined("there is no text in it")
    return cuts

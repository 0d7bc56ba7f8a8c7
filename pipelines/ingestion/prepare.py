"""Step one of the protocol, a function of one document and its config: read it and cut it."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipelines.catalog import Catalog
from pipelines.documents import Document
from pipelines.errors import Quarantined
from pipelines.ingestion.cut import Cut, cut
from pipelines.ingestion.fingerprints import content_hash
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
    seconds: float = 0.0
    state: str = "done"
    error: str = ""

    @property
    def leaves(self) -> list[Cut]:
        """The nodes that are embedded."""
        return [one for one in self.cuts if one.node.leaf]


def prepare(
    plan: Plan, catalog: Catalog, held: Set[str], change: Change, document: int, parser: NodeParser
) -> Prepared:
    """Read and cut one document; raises DocumentError, Quarantined or OSError where it can't be.

    The text comes from the catalog where it was read in the same way before (`held` names those): then no file
    is opened.
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
            return Prepared(change, document, content, load, None, _cut(known, parser, document))
    raw = loader.fetch(source)
    content = change.content = content_hash(raw)
    load = key.of_content(change.path, content)
    row = change.row
    if row and row.content == content and row.load == load and row.parse == plan.parse:
        return Prepared(change, document, content, load, None)
    known = catalog.text(load) if load in held else None
    text = known or loader.read(source, raw)
    return Prepared(change, document, content, load, None if known else text, _cut(text, parser, document))


def carry_over(catalog: Catalog, change: Change, document: int, parser: NodeParser) -> Prepared | None:
    """The version that answers questions now, for an index that is built beside it; None where there is none."""
    before = change.before
    if before is None or not before.content or (change.row and change.row.content):
        return None
    text = catalog.text(before.load)
    if text is None:
        return None
    return Prepared(change, document, before.content, before.load, None, _cut(text, parser, document))


def _cut(text: Document, parser: NodeParser, document: int) -> list[Cut]:
    cuts = cut(text, parser, key=document)
    if not cuts:
        raise Quarantined("there is no text in it")
    return cuts

"""What an ingestion would do and why, before it does anything."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal

from pipelines.catalog import DocumentRow, Generation
from pipelines.components.llms import Price
from pipelines.documents import Loader, Source
from pipelines.ingestion.estimate import NO_CALLS, Calls
from pipelines.ingestion.fingerprints import LoadKey

Action = Literal["new", "changed", "stale", "moved", "vanished", "failed", "unchanged"]
ACTIONS: tuple[Action, ...] = ("new", "changed", "stale", "moved", "vanished", "failed", "unchanged")


@dataclass(slots=True)
class Change:
    """What will happen to one document."""

    loader: str
    path: str
    action: Action
    reason: str = ""
    source: Source | None = None
    """As scanned; None for a document that vanished."""
    row: DocumentRow | None = None
    """As the generation that is built on knows it."""
    before: DocumentRow | None = None
    """As the generation that answers questions knows it."""
    content: str = ""
    """The content hash, where the plan had to read the document or knows it is the same."""
    skip: bool = False
    """Known to be unusable as it is; left alone."""
    recut: bool = False
    """Moved, and to be cut again as well."""
    only_graph: bool = False
    """Its text and chunks stay; only what it adds to the graph is found."""
    only_vet: bool = False
    """Moderation looks at what is indexed of it; nothing else is done."""
    tokens: int = 0
    """Estimated tokens to embed, before the cache is asked."""
    calls: Calls = NO_CALLS
    """Estimated calls of an LLM that reads passages for the graph, before the cache is asked."""


@dataclass(slots=True)
class Plan:
    """Every document with what will become of it."""

    changes: list[Change]
    fingerprint: str
    generation: Generation | None
    """The generation to build on; None where a new one begins."""
    active: Generation | None
    loaders: dict[str, Loader]
    keys: dict[str, LoadKey]
    parse: str
    graph: str = ""
    """How the names in the graph are found; empty where there is no graph."""
    graphed: dict[int, str] = field(default_factory=dict)
    """How those that are in it were found, by document id."""
    moderation: str = ""
    """What decides about texts; empty where nothing does."""
    vetted: dict[str, str] = field(default_factory=dict)
    """The moderation that allowed a text last, by load fingerprint."""
    dictionary: tuple[str, ...] = ()
    """The words of the config that are names wherever they stand."""
    indexed: int = 0
    """Documents that answer questions now."""
    price: float | None = None
    """Money for a million tokens embedded, where the config gives it."""
    reads: bool = False
    """Whether an LLM reads passages for the graph."""
    llm_price: Price | None = None
    """What its tokens cost, where the config gives it."""
    empty: list[str] = field(default_factory=list)
    """Loaders that found nothing."""

    def counts(self) -> dict[str, int]:
        """How many documents per action, every action named."""
        found = Counter(change.action for change in self.changes)
        return {action: found[action] for action in ACTIONS}

    def attempt(self, change: Change, content: str, *, forbidden: bool = False) -> str:
        """How a document of this content would be read and cut, and, where it is `forbidden`, by which moderation.

        Tells a failed attempt from a new one.
        """
        told = f"{self.keys[change.loader].of_content(change.path, content)}-{self.parse}"
        return f"{told}-{self.moderation}" if forbidden else told

    def allows(self, load: str) -> bool:
        """Whether moderation is known to allow a text, or nobody looks at texts."""
        return not self.moderation or self.vetted.get(load) == self.moderation

    def in_graph(self, row: DocumentRow) -> bool:
        """Whether the graph holds what it must of a document, as far as it is asked for."""
        return not self.graph or self.graphed.get(row.id) == self.graph

    @property
    def work(self) -> list[Change]:
        """The documents that something will be done with."""
        return [change for change in self.changes if change.action != "unchanged" and not change.skip]

    @property
    def tokens(self) -> int:
        """Estimated tokens to embed; the cache may spare some."""
        return sum(change.tokens for change in self.work)

    @property
    def calls(self) -> Calls:
        """Estimated calls of an LLM that reads passages for the graph; the cache may spare some."""
        return sum((change.calls for change in self.work), NO_CALLS)

    @property
    def switches(self) -> bool:
        """Whether questions go to another generation when this is done."""
        return self.active is not None and (self.generation is None or self.generation.id != self.active.id)

    def to_dict(self) -> dict[str, Any]:
        """The JSON contract of `plan --json`."""
        cost = None if self.price is None else round(self.tokens * self.price / 1e6, 6)
        estimate: dict[str, Any] = {"tokens": self.tokens, "cost": cost}
        if self.reads:
            estimate["graph"] = self.calls.to_dict(self.llm_price)
        return {
            "counts": self.counts(),
            "documents": [
                {
                    "document": change.path,
                    "action": change.action,
                    "reason": change.reason,
                    "loader": change.loader,
                }
                for change in self.changes
                if change.action != "unchanged"
            ],
            "estimate": estimate,
        }

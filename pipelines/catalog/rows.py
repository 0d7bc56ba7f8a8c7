"""The rows that the catalog takes and gives."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from pipelines.documents import Document

COLLECTION = "collection"
"""The key of a recipe under which the collection's name stands."""


@dataclass(frozen=True, slots=True)
class Generation:
    """One index: a vector collection and a keyword index, built with one embed model."""

    id: int
    fingerprint: str
    recipe: str
    cache_key: str
    state: str
    sound: bool
    dimension: int
    probe: bytes | None

    @property
    def collection(self) -> str:
        """The name of its vector collection, and of the folder of its keyword index.

        No other storage has it: several may keep their vectors on one server. Those of older versions are numbered.
        """
        return str(json.loads(self.recipe).get(COLLECTION) or f"generation-{self.id}")

    @property
    def model(self) -> str:
        """The embed model that built it, as one short name."""
        part = json.loads(self.recipe)["embed_model"]
        return " ".join(str(part[key]) for key in ("type", "model", "class") if part.get(key))


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """One document of a generation: what was seen last, and what is indexed."""

    id: int
    generation: int
    loader: str
    path: str
    size: int
    modified: int
    seen: str
    tried: str
    state: str
    error: str
    content: str
    load: str
    parse: str
    chunks: int
    tokens: int


@dataclass(slots=True)
class Node:
    """One node as it is stored; `text` is None where the span in the document's text tells it."""

    id: str
    position: int
    digest: bytes
    start: int | None
    end: int | None
    tokens: int
    page: int | None = None
    heading: str = ""
    table_header: str = ""
    text: str | None = None
    parent: str | None = None
    leaf: bool = True
    extra: str = ""


@dataclass(frozen=True, slots=True)
class Triplet:
    """What a model read in a passage: two things and how they are related, in the words it chose."""

    subject: str
    relation: str
    object: str


@dataclass(frozen=True, slots=True)
class Names:
    """What one document adds to the graph."""

    key: str
    """How the names were found; another key means that they may be others."""
    titles: tuple[str, ...]
    """What it is called, wherever its text tells it."""
    of_name: tuple[str, ...]
    """What only its own name tells."""
    mentions: tuple[tuple[str, str], ...]
    """(node, term): what its passages name."""
    paths: tuple[tuple[str, Triplet], ...] = ()
    """What a model read in each node."""


@dataclass(slots=True)
class Revision:
    """All that one document's new version writes in the commit that makes it live."""

    document: int
    content: str
    load: str
    parse: str
    size: int
    modified: int
    nodes: list[Node]
    text: Document | None = None
    """The text, where the catalog does not hold it yet."""
    state: str = "done"
    error: str = ""
    added: list[str] = field(default_factory=list)
    """Ids of leaves that the derived stores had to take in."""
    names: Names | None = None
    """None where the config has no graph."""
    vetted: str = ""
    """The moderation that has allowed its text."""

"""What the two derived stores and the open index promise to the parts that use them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from llama_index.core.schema import NodeWithScore

    from pipelines.text.analyser import Analyser

    Vector = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True, slots=True)
class Hit:
    """One id that a store found, with its score: cosine similarity or BM25."""

    id: str
    score: float
    terms: tuple[str, ...] = ()
    """The terms of the question that matched; only a keyword index knows them."""


class VectorIndex(Protocol):
    """Vectors by id, with cosine similarity; text and metadata live in the catalog."""

    def add(self, ids: Sequence[str], vectors: Vector) -> None:
        """Insert or replace; any number at once."""

    def delete(self, ids: Sequence[str]) -> None:
        """Remove; an id that is not there is no error."""

    def query(self, vector: Sequence[float], top_k: int) -> list[Hit]:
        """The closest, best first; at most `top_k`, fewer where there are fewer."""

    def ids(self) -> Iterator[str]:
        """Every id that is held."""

    def count(self) -> int:
        """How many are held."""

    def drop(self) -> None:
        """Delete the collection and everything in it."""

    def close(self) -> None:
        """Give back files and connections; reopening afterwards sees what other processes wrote."""


class KeywordIndex(Protocol):
    """Texts by id, found by their terms."""

    def add(self, entries: Iterable[tuple[str, str]]) -> None:
        """Insert or replace (id, text) pairs; seen after `commit`."""

    def delete(self, ids: Iterable[str]) -> None:
        """Remove; an id that is not there is no error; seen after `commit`."""

    def commit(self) -> None:
        """Make what was added and deleted durable and visible."""

    def search(self, question: str, top_k: int) -> list[Hit]:
        """The best by BM25, with the terms that matched; nothing where no term matches."""

    def idf_mass(self, question: str) -> float:
        """The sum of the inverse document frequencies of all terms of the question."""

    def reload(self) -> None:
        """See what another process committed."""

    def ids(self) -> Iterator[str]:
        """Every id that is held."""

    def count(self) -> int:
        """How many are held."""

    def close(self) -> None:
        """Give back files and locks."""


class Index(Protocol):
    """The active generation, open for questions: only nodes that the catalog knows as live.

    Nodes are LlamaIndex `TextNode`s: `text` is the passage, `start_char_idx` and `end_char_idx` its span in
    the document's text, and `metadata` holds `document` (path relative to its loader), `loader`,
    `document_id`, `order` (of the node in its document), `page` (int or None), `heading` (`A > B`, or ""),
    `table_header` (a table's header row where the passage continues a table, or ""), and `terms`
    (list of str) where a keyword search found it.
    """

    @property
    def analyser(self) -> Analyser:
        """What cuts questions and passages into terms, as in the keyword index."""

    def refresh(self) -> int:
        """See what other processes have committed; the version that is seen."""

    def pinned(self) -> AbstractContextManager[int]:
        """Refresh, then let this thread see one commit only; its version. Whoever compares vectors needs that."""

    def embed_question(self, question: str) -> list[float]:
        """The question's vector, by the model that built the active generation."""

    def nearest(self, vector: Sequence[float], top_k: int) -> list[NodeWithScore]:
        """Nodes by cosine similarity, best first."""

    def matching(self, question: str, top_k: int) -> list[NodeWithScore]:
        """Nodes by BM25 over the analysed text, best first."""

    def idf_mass(self, question: str) -> float:
        """The sum of the inverse document frequencies of all terms of the question."""

    def similarities(self, vector: Sequence[float], ids: Sequence[str]) -> dict[str, float]:
        """Cosine similarity of given nodes with a vector."""

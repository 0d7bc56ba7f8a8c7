"""What the two derived stores and the open index promise to the parts that use them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from llama_index.core.schema import NodeWithScore, TextNode

    from pipelines.filters import Filters
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

    def search(self, question: str, top_k: int, among: Iterable[str] | None = None) -> list[Hit]:
        """The best by BM25, with the terms that matched; nothing where no term matches. `among`: these few ids only."""

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


class Graph(Protocol):
    """What documents are called, and what their passages name."""

    @property
    def built(self) -> bool:
        """Whether any document is in it."""

    @property
    def titles(self) -> Mapping[str, tuple[int, ...]]:
        """The documents that are called by a term."""

    @property
    def first_units(self) -> frozenset[str]:
        """The first words or characters of all titles."""

    def titles_of(self, wanted: Sequence[int]) -> dict[int, list[str]]:
        """What documents are called."""

    def named(self, nodes: Sequence[tuple[int, str]]) -> dict[str, list[str]]:
        """What nodes, given with their documents, name."""

    def naming(self, terms: Sequence[str], *, most: int) -> dict[str, list[tuple[int, str]]]:
        """The nodes that name a term, with their documents, for those terms that at most so many nodes name."""


class Structure(Protocol):
    """What is known of documents beyond single passages."""

    @property
    def graph(self) -> Graph:
        """What documents are called, and what their passages name."""

    def parents(self, ids: Sequence[str]) -> dict[str, str]:
        """The larger node that holds a node, for those that one holds."""

    def parts(self, of: Sequence[int], ids: Sequence[str]) -> dict[str, int]:
        """How many nodes a larger node is made of; `of` are the documents that these nodes lie in."""

    def sizes(self, ids: Sequence[int]) -> dict[int, int]:
        """Tokens of all chunks of documents: no fewer than those of the text."""

    def leaves(self, ids: Sequence[int]) -> dict[int, list[str]]:
        """The passages of documents that are searched for, in their order."""

    def closest(self, vector: Sequence[float], top_k: int) -> list[tuple[int, float]]:
        """Documents by cosine similarity with the mean of their passages' vectors, best first."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that an endpoint holds."""

    file: str
    """The id that the endpoint gave it."""
    processed: bool = False
    """Whether the endpoint has read it."""


class Uploads(Protocol):
    """The whole texts of documents, and which of them an endpoint holds as files."""

    def texts(self, ids: Sequence[int]) -> dict[int, str]:
        """The fingerprint of the text of each document that is indexed."""

    def text(self, key: str) -> tuple[str, bool] | None:
        """A text and whether it is Markdown; None where it is gone."""

    def known(self, account: str, texts: Sequence[str]) -> dict[str, Upload]:
        """The files of an account, by text."""

    def remember(self, account: str, text: str, upload: Upload) -> None:
        """Note the file that holds a text, in place of another."""

    def forget(self, account: str, text: str) -> None:
        """Strike a file off."""


class Index(Protocol):
    """The active generation, open for questions: only nodes that the catalog knows as live.

    Nodes are LlamaIndex `TextNode`s: `text` is the passage, `start_char_idx` and `end_char_idx` its span in
    the document's text, and `metadata` holds `document` (path relative to its loader), `loader`,
    `document_id`, `order` (of the node in its document), `modified` (when the document last
    changed, in ns since 1970, 0 where unknown), `page` (int or None), `heading` (`A > B`, or ""),
    `table_header` (a table's header row where the passage continues a table, or ""), and `terms`
    (list of str) where a keyword search found it.
    """

    @property
    def structure(self) -> Structure:
        """Documents beyond single passages."""

    @property
    def uploads(self) -> Uploads:
        """Documents as files at an endpoint."""

    @property
    def analyser(self) -> Analyser:
        """What cuts questions and passages into terms, as in the keyword index."""

    def refresh(self) -> int:
        """See what other processes have committed; the version that is seen."""

    def pinned(self) -> AbstractContextManager[int]:
        """Refresh, then let this thread see one commit only; its version. Whoever compares vectors needs that."""

    def embed_question(self, question: str) -> list[float]:
        """The question's vector, by the model that built the active generation."""

    def embed_passages(self, texts: Sequence[str]) -> list[list[float]]:
        """Vectors of texts that are compared as passages, by the same model; none may be blank."""

    def charging(self, charge: Callable[[int], None]) -> AbstractContextManager[None]:
        """Tell `charge` the tokens of what this thread is about to have embedded by a model that costs something.

        It may raise: then nothing is sent.
        """

    def nearest(
        self, vector: Sequence[float], top_k: int, filters: Filters | None = None
    ) -> list[NodeWithScore]:
        """Nodes by cosine similarity, best first, of those that the filters allow."""

    def matching(self, question: str, top_k: int, filters: Filters | None = None) -> list[NodeWithScore]:
        """Nodes by BM25 over the analysed text, best first, of those that the filters allow."""

    def unmatched(self, filters: Filters, language: str) -> str:
        """Why the filters allow no node at all, with the values that there are; empty where they allow some."""

    def admits(self, metadata: Mapping[str, Any], filters: Filters) -> bool:
        """Whether the filters allow the node with that metadata."""

    def idf_mass(self, question: str) -> float:
        """The sum of the inverse document frequencies of all terms of the question."""

    def similarities(self, vector: Sequence[float], ids: Sequence[str]) -> dict[str, float]:
        """Cosine similarity of given nodes with a vector."""

    def vectors_of(self, ids: Sequence[str]) -> dict[str, list[float]]:
        """The vectors of those nodes that have one."""

    def neighbours(self, ids: Sequence[str], before: int, after: int) -> dict[str, list[TextNode]]:
        """For each live node those around it in its document, itself among them, in the document's order."""

    def text_between(self, document: object, start: int, end: int) -> str | None:
        """A span of a document's text, by its `document_id`; None where it is gone."""

    def nodes_of(self, ids: Sequence[str]) -> dict[str, TextNode]:
        """Live nodes by id, those among them that hold smaller ones."""

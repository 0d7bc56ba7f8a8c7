"""A house whose index is open, and its retrievers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from llama_index.core.schema import MetadataMode, NodeWithScore

from pipelines.components.runtime.inquiry import Inquiry
from pipelines.querying.index import OpenIndex
from pipelines.querying.searching import retrievers
from tests.support.house import House

PARTS = {
    "meaning": {"type": "vector", "top_k": 20},
    "words": {"type": "keyword", "top_k": 20},
    "both": {"type": "fusion", "of": ["meaning", "words"], "top_k": 20},
}


class Asked:
    """An open index of a house."""

    def __init__(self, house: House, index: OpenIndex) -> None:
        self.house, self.index = house, index

    def find(self, name: str, question: str, **asked: Any) -> list[NodeWithScore]:
        """What a retriever gives."""
        return self.inquire(name, Inquiry(query_str=question, **asked))

    def inquire(self, name: str, inquiry: Inquiry) -> list[NodeWithScore]:
        """What a retriever gives for an inquiry, which is seen afterwards."""
        with self.index.pinned():
            return retrievers(self.house.config.spec, name, self.index)[name].retrieve(inquiry)

    def check_spans(self, hits: list[NodeWithScore]) -> None:
        """Each passage is a verbatim span of its document, found by someone, with places that lie in it."""
        assert hits
        for hit in hits:
            metadata, node = hit.node.metadata, hit.node
            document = self.index.catalog.text(self.index.catalog.row(metadata["document_id"]).load)
            assert document is not None
            start, end = getattr(node, "start_char_idx", None), getattr(node, "end_char_idx", None)
            assert document.text[start:end] == node.get_content(MetadataMode.NONE)
            assert metadata["by"]
        scores = [hit.score or 0.0 for hit in hits]
        assert scores == sorted(scores, reverse=True)
        assert len({hit.node.node_id for hit in hits}) == len(hits)


@contextmanager
def asked(house: House, **retrieved_by: dict[str, Any]) -> Iterator[Asked]:
    """Ingest a house with these retrievers beside the usual, and open it."""
    house.edit(retrievers={**PARTS, **retrieved_by})
    assert house.ingest().outcome == "done"
    index = OpenIndex(house.config)
    try:
        yield Asked(house, index)
    finally:
        index.close()


def documents(hits: list[NodeWithScore]) -> list[str]:
    """The documents of passages, in order."""
    return [hit.node.metadata["document"] for hit in hits]

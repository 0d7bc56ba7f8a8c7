"""What a document will cost, before it is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from pipelines.catalog import Catalog, DocumentRow
from pipelines.catalog.extractions import Extractions
from pipelines.components.llms import Price
from pipelines.ingestion.fingerprints import extraction, paths_key
from pipelines.schema import PipelineSpec

if TYPE_CHECKING:
    from pipelines.ingestion.plan import Change

# Bytes of a file for one token of its text: measured on mixed English and Chinese files. Text of either language
# lies between 3 (Chinese, UTF-8) and 4.4 (English); the others carry layout, fonts and pictures.
_BYTES_PER_TOKEN = {
    "pdf": 60,
    "docx": 50,
    "pptx": 150,
    "xlsx": 12,
    "epub": 15,
    "html": 12,
    "htm": 12,
    "ipynb": 10,
}
_TEXT = 3.6


_CHUNK = 256
"""Tokens of a passage, where the node parser does not say."""
_FRAME = 120
"""Tokens of a prompt about a passage beside its instructions and the passage."""
_PATH = 18
"""Tokens of a path as a model writes it; a passage has about half of those it may have."""


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls of an LLM, with the tokens of their prompts and replies."""

    number: int = 0
    sent: int = 0
    written: int = 0

    def __add__(self, other: Calls) -> Calls:
        return Calls(self.number + other.number, self.sent + other.sent, self.written + other.written)

    def cost(self, price: Price | None) -> float | None:
        """Their money; None where there is no price."""
        return None if price is None else price.of(self.sent, self.written)

    def to_dict(self, price: Price | None) -> dict[str, Any]:
        """As `plan --json` has it."""
        cost = self.cost(price)
        paid = None if cost is None else round(cost, 6)
        return {"calls": self.number, "tokens_in": self.sent, "tokens_out": self.written, "cost": paid}


NO_CALLS = Calls()


def reckon(changes: Sequence[Change], spec: PipelineSpec, catalog: Catalog | None) -> bool:
    """Set what an LLM will be asked for the graph, exactly where texts are only read again; whether one is asked."""
    extract = extraction(spec)
    if extract is None:
        return False
    told = max(len(words.encode()) for words in extract.instructions.model_dump().values())
    prompt = _FRAME + round(told / _TEXT)
    again = [change.row.id for change in changes if change.only_graph and change.row]
    unread = Extractions(catalog.engine, paths_key(spec)).unread(again) if catalog and again else {}
    for change in changes:
        if change.only_graph and change.row:
            passages, tokens = unread.get(change.row.id, (0, 0))
        else:
            tokens = change.tokens
            passages = _passages(spec, tokens, change.row or change.before)
        change.calls = Calls(passages, tokens + passages * prompt, passages * extract.max_paths * _PATH // 2)
    return True


def _passages(spec: PipelineSpec, tokens: int, known: DocumentRow | None) -> int:
    """How many passages a text of so many tokens is cut into."""
    if known is not None and known.chunks and known.tokens:
        return max(1, round(known.chunks * tokens / known.tokens)) if tokens else 0
    return -(-tokens // int(getattr(spec.node_parser, "chunk_size", _CHUNK)))


def estimate_tokens(path: str, size: int, known: DocumentRow | None) -> int:
    """Tokens that will be embedded: what the last version had, scaled by size, or a guess from size and ending."""
    if known is not None and known.tokens and known.size > 0 and size > 0:
        return round(known.tokens * size / known.size)
    if size <= 0:
        return known.tokens if known else 0
    ending = PurePosixPath(path).suffix.lower().lstrip(".")
    return round(size / _BYTES_PER_TOKEN.get(ending, _TEXT))

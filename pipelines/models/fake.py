"""An embedding model without a model: equal texts get equal vectors, others unrelated ones."""

from __future__ import annotations

import hashlib

import numpy as np
from llama_index.core.base.embeddings.base import BaseEmbedding


class FakeEmbedding(BaseEmbedding):
    """Normalised vectors drawn from a hash of the text."""

    dimension: int
    seed: int

    def _get_text_embedding(self, text: str) -> list[float]:
        key = hashlib.blake2b(f"{self.seed} {text}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
        drawn = np.random.Generator(np.random.SFC64(int.from_bytes(key))).standard_normal(self.dimension)
        vector: list[float] = (drawn / np.linalg.norm(drawn)).tolist()
        return vector

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)

"""How similar texts are to an embed model: cosines, dimension, tokens and cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipelines.text.tokens import count_tokens

if TYPE_CHECKING:
    from pipelines.models.embedder import Embedder


@dataclass(frozen=True, slots=True)
class Similarity:
    """What an embed model makes of texts."""

    texts: list[str]
    cosines: list[list[float]]
    """Of each text with each."""
    tokens: list[int]
    """Of each text, as chunks are counted."""
    dimension: int
    model: str
    cost: float | None
    """Of embedding all of them; None where the config gives no price."""

    @property
    def closest(self) -> tuple[int, int]:
        """The positions of the two texts that are closest to each other."""
        apart = np.triu(np.asarray(self.cosines) + 2, k=1)
        one, other = divmod(int(apart.argmax()), len(self.texts))
        return one, other


def compare(embedder: Embedder, texts: Sequence[str], price: float | None = None) -> Similarity:
    """Compare texts, at least two and none of them blank; `price` is that of a million tokens.

    All are embedded as questions: models with prefixes put questions and passages apart, and that of questions is
    the one for texts that are compared with each other (model card of multilingual-e5). Raises EndpointError.
    """
    matrix = np.stack([embedder.embed_question(text) for text in texts])
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    cosines = np.clip(matrix @ matrix.T, -1, 1)
    np.fill_diagonal(cosines, 1)
    tokens = [count_tokens(text) for text in texts]
    return Similarity(
        texts=list(texts),
        cosines=cosines.tolist(),
        tokens=tokens,
        dimension=matrix.shape[1],
        model=embedder.name,
        cost=None if price is None else sum(tokens) * price / 1e6,
    )

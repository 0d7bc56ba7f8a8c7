"""Postprocessors that look into the open index."""

from __future__ import annotations

from typing import Any, Self

from llama_index.core.postprocessor.types import BaseNodePostprocessor
from pydantic import PrivateAttr

from pipelines.index import Index


class Indexed(BaseNodePostprocessor):
    """Holds the index as no field of its own: LlamaIndex copies and prints fields."""

    _index: Index = PrivateAttr()

    @classmethod
    def over(cls, index: Index, **fields: Any) -> Self:
        """One of these fields that looks into an index."""
        made = cls(**fields)
        made._index = index
        return made

"""What every embed model has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from pipelines.spec import Spec

if TYPE_CHECKING:
    from pipelines.models.embedder import Embedder

BatchSize = Annotated[int, Field(gt=0, le=2048)]
Concurrency = Annotated[int, Field(gt=0, le=64)]


class Model(Spec):
    """What every embed model can."""

    def embedder(self) -> Embedder:
        """The model, ready to embed many texts safely."""
        from pipelines.models.embedder import embedder

        return embedder(self)

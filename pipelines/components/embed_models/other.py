"""Any other embedding class of LlamaIndex."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import (
    Field,
    NonNegativeFloat,
    field_serializer,
)

from pipelines.components.embed_models.base import BatchSize, Concurrency, Model

if TYPE_CHECKING:
    from llama_index.core.base.embeddings.base import BaseEmbedding


class LlamaIndexModel(Model):
    """Any other embedding class of LlamaIndex."""

    type: Literal["llama_index"]
    class_: str = Field(alias="class")
    """Dotted path of the class, under `llama_index.`."""
    args: dict[str, Any] = Field(default_factory=dict)
    """Arguments of the class."""
    batch_size: BatchSize = 32
    """Texts a call."""
    concurrency: Concurrency = 1
    """Calls under way at once; more than one only where the class allows it."""
    price: NonNegativeFloat | None = None
    """Price of a million tokens, for the cost that `plan` shows."""

    operational: ClassVar[frozenset[str]] = Model.operational | {"batch_size", "concurrency", "price"}

    @property
    def label(self) -> str:
        """The model's name in messages."""
        name = self.args.get("model_name") or self.args.get("model") or ""
        return f"{name} ({self.class_.rpartition('.')[2]})".strip()

    def identity(self) -> dict[str, Any]:
        """The class and those arguments that decide the vectors: no keys, addresses or timeouts."""
        from pipelines.models.others import lasting

        return {**super().identity(), "args": lasting(self.args)}

    @field_serializer("args", when_used="json")
    def _without_secrets(self, args: dict[str, Any]) -> dict[str, Any]:
        from pipelines.models.others import masked

        return masked(args)

    def build(self) -> BaseEmbedding:
        """The model; raises `SearchaskError` where the class or its arguments are wrong."""
        from pipelines.models.others import made

        return made(self.class_, batch_size=self.batch_size, **self.args)

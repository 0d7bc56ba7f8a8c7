"""Models that run in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import (
    NonNegativeInt,
    PositiveInt,
)

from pipelines.components.embed_models.base import BatchSize, Model

if TYPE_CHECKING:
    from llama_index.core.base.embeddings.base import BaseEmbedding


class LocalModel(Model):
    """The bundled multilingual model, on this machine: no key, no download, 384 dimensions."""

    type: Literal["local"]
    batch_size: BatchSize = 32
    """Texts embedded between two writes of the embedding cache; speed does not depend on it."""

    operational: ClassVar[frozenset[str]] = Model.operational | {"batch_size"}
    concurrency: ClassVar[int] = 1
    price: ClassVar[float | None] = 0.0

    @property
    def label(self) -> str:
        """The model's name in messages."""
        return "multilingual-e5-small (local)"

    def build(self) -> BaseEmbedding:
        """The model; it is loaded at the first text, once in a process."""
        from pipelines.models.local import LocalEmbedding

        return LocalEmbedding(model_name="multilingual-e5-small", embed_batch_size=self.batch_size)


class FakeModel(Model):
    """Vectors drawn from a hash of the text: instantaneous and without meaning, for trials and tests."""

    type: Literal["fake"]
    dimension: PositiveInt = 384
    """Dimensions of the vectors."""
    seed: NonNegativeInt = 0
    """Another seed is another model."""
    batch_size: BatchSize = 256
    """Texts embedded between two writes of the embedding cache."""

    operational: ClassVar[frozenset[str]] = Model.operational | {"batch_size"}
    concurrency: ClassVar[int] = 1
    price: ClassVar[float | None] = 0.0

    @property
    def label(self) -> str:
        """The model's name in messages."""
        return "fake"

    def build(self) -> BaseEmbedding:
        """The model."""
        from pipelines.models.fake import FakeEmbedding

        return FakeEmbedding(dimension=self.dimension, seed=self.seed, embed_batch_size=self.batch_size)


class HuggingFaceModel(Model):
    """A sentence-transformers model on this machine; its weights are downloaded at first use."""

    type: Literal["huggingface"]
    model: str
    """Name on the hub, or the path of a folder."""
    query_prefix: str | None = None
    """Put before each question; the model's known one where unset."""
    text_prefix: str | None = None
    """Put before each passage; the model's known one where unset."""
    max_length: PositiveInt | None = None
    """Tokens of a text that the model reads; its own limit where unset."""
    device: str | None = None
    """`cpu`, `cuda`, …; found by itself where unset."""
    cache_folder: str | None = None
    """Folder for the weights."""
    batch_size: BatchSize = 32
    """Texts in one pass through the model."""

    operational: ClassVar[frozenset[str]] = Model.operational | {"device", "cache_folder", "batch_size"}
    concurrency: ClassVar[int] = 1
    price: ClassVar[float | None] = 0.0

    @property
    def label(self) -> str:
        """The model's name in messages."""
        return f"{self.model} (huggingface)"

    def build(self) -> BaseEmbedding:
        """The model, loaded; code that comes with weights is never run."""
        from pipelines.models.others import made

        return made(
            "llama_index.embeddings.huggingface.HuggingFaceEmbedding",
            extra="huggingface",
            batch_size=self.batch_size,
            model_name=self.model,
            query_instruction=self.query_prefix,
            text_instruction=self.text_prefix,
            max_length=self.max_length,
            device=self.device,
            cache_folder=self.cache_folder,
            trust_remote_code=False,
        )


class FastEmbedModel(Model):
    """An ONNX model of the package fastembed, on this machine; it is downloaded at first use."""

    type: Literal["fastembed"]
    model: str = "intfloat/multilingual-e5-large"
    """Name in fastembed's list of models."""
    threads: PositiveInt | None = None
    """Threads of one pass; all cores where unset."""
    cache_folder: str | None = None
    """Folder for the weights."""
    batch_size: BatchSize = 32
    """Texts in one pass through the model."""

    operational: ClassVar[frozenset[str]] = Model.operational | {"threads", "cache_folder", "batch_size"}
    concurrency: ClassVar[int] = 1
    price: ClassVar[float | None] = 0.0

    @property
    def label(self) -> str:
        """The model's name in messages."""
        return f"{self.model} (fastembed)"

    def build(self) -> BaseEmbedding:
        """The model, loaded; questions and passages get the prefixes that fastembed knows for it."""
        from pipelines.models.others import made

        return made(
            "llama_index.embeddings.fastembed.FastEmbedEmbedding",
            extra="fastembed",
            batch_size=self.batch_size,
            model_name=self.model,
            threads=self.threads,
            cache_dir=self.cache_folder,
            doc_embed_type="passage",
        )

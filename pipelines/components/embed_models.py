"""Which model turns text into vectors: `embed_model:`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    field_serializer,
)

from pipelines.spec import Spec

if TYPE_CHECKING:
    from llama_index.core.base.embeddings.base import BaseEmbedding

    from pipelines.models.embedder import Embedder

BatchSize = Annotated[int, Field(gt=0, le=2048)]
Concurrency = Annotated[int, Field(gt=0, le=64)]


class _Model(Spec):
    """What every embed model can."""

    def embedder(self) -> Embedder:
        """The model, ready to embed many texts safely."""
        from pipelines.models.embedder import embedder

        return embedder(self)


class LocalModel(_Model):
    """The bundled multilingual model, on this machine: no key, no download, 384 dimensions."""

    type: Literal["local"]
    batch_size: BatchSize = 32
    """Texts embedded between two writes of the embedding cache; speed does not depend on it."""

    operational: ClassVar[frozenset[str]] = frozenset({"batch_size"})
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


class FakeModel(_Model):
    """Vectors drawn from a hash of the text: instantaneous and without meaning, for trials and tests."""

    type: Literal["fake"]
    dimension: PositiveInt = 384
    """Dimensions of the vectors."""
    seed: NonNegativeInt = 0
    """Another seed is another model."""
    batch_size: BatchSize = 256
    """Texts embedded between two writes of the embedding cache."""

    operational: ClassVar[frozenset[str]] = frozenset({"batch_size"})
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


class OpenAIModel(_Model):
    """An embedding model of OpenAI."""

    type: Literal["openai"]
    model: str = "text-embedding-3-small"
    """Name of the model."""
    dimensions: PositiveInt | None = None
    """Shorten the vectors to this many dimensions; the model's own number where unset."""
    api_key: SecretStr | None = None
    """The key; the variable OPENAI_API_KEY where unset."""
    base_url: str | None = None
    """Address of a proxy; OpenAI's own where unset. Another address alone embeds nothing again."""
    batch_size: BatchSize = 100
    """Texts a request; halved by itself where the endpoint refuses that many."""
    concurrency: Concurrency = 8
    """Requests under way at once."""
    timeout: PositiveFloat = 60.0
    """Seconds to wait for an answer."""
    retries: NonNegativeInt = 3
    """Tries after the first, for overload, server errors and lost connections."""
    price: NonNegativeFloat | None = None
    """Price of a million tokens, for the cost that `plan` shows."""

    operational: ClassVar[frozenset[str]] = frozenset(
        {"api_key", "base_url", "batch_size", "concurrency", "timeout", "retries", "price"}
    )

    @property
    def label(self) -> str:
        """The model's name and address in messages."""
        from pipelines.models.endpoint import named

        return named(self.model, self.base_url or "https://api.openai.com/v1")

    def build(self) -> BaseEmbedding:
        """The model; raises `SearchaskError` where there is no key."""
        from pipelines.models.openai import OPENAI_URL, EndpointEmbedding, openai_key

        return EndpointEmbedding(
            model_name=self.model,
            key=openai_key(self.api_key),
            url=self.base_url or OPENAI_URL,
            dimensions=self.dimensions,
            timeout=self.timeout,
            retries=self.retries,
            embed_batch_size=self.batch_size,
        )


class OpenAILikeModel(_Model):
    """An embedding model behind any endpoint that speaks OpenAI's protocol."""

    type: Literal["openai_like"]
    model: str
    """Name of the model, as the endpoint knows it."""
    base_url: str
    """Address of the endpoint, mostly ending in /v1. Another address alone embeds nothing again."""
    api_key: SecretStr | None = None
    """The key, where the endpoint asks for one; OPENAI_API_KEY is never sent here."""
    dimensions: PositiveInt | None = None
    """Ask for this many dimensions; only where the endpoint knows the option."""
    query_prefix: str = ""
    """Put before each question, as some models want it: `query: `."""
    text_prefix: str = ""
    """Put before each passage: `passage: `."""
    batch_size: BatchSize = 64
    """Texts a request; halved by itself where the endpoint refuses that many."""
    concurrency: Concurrency = 4
    """Requests under way at once."""
    timeout: PositiveFloat = 60.0
    """Seconds to wait for an answer."""
    retries: NonNegativeInt = 3
    """Tries after the first, for overload, server errors and lost connections."""
    price: NonNegativeFloat | None = None
    """Price of a million tokens, for the cost that `plan` shows."""

    operational: ClassVar[frozenset[str]] = OpenAIModel.operational

    @property
    def label(self) -> str:
        """The model's name and address in messages."""
        from pipelines.models.endpoint import named

        return named(self.model, self.base_url)

    def build(self) -> BaseEmbedding:
        """The model; nothing is asked of the endpoint yet."""
        from pipelines.models.openai import EndpointEmbedding, own_key

        return EndpointEmbedding(
            model_name=self.model,
            key=own_key(self.api_key),
            url=self.base_url,
            dimensions=self.dimensions,
            query_prefix=self.query_prefix,
            text_prefix=self.text_prefix,
            timeout=self.timeout,
            retries=self.retries,
            embed_batch_size=self.batch_size,
        )


class HuggingFaceModel(_Model):
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

    operational: ClassVar[frozenset[str]] = frozenset({"device", "cache_folder", "batch_size"})
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


class FastEmbedModel(_Model):
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

    operational: ClassVar[frozenset[str]] = frozenset({"threads", "cache_folder", "batch_size"})
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


class OllamaModel(_Model):
    """A model that an Ollama server runs."""

    type: Literal["ollama"]
    model: str
    """Name of the model, as `ollama list` shows it."""
    base_url: str = "http://localhost:11434"
    """Address of the server. Another address alone embeds nothing again."""
    query_prefix: str | None = None
    """Put before each question."""
    text_prefix: str | None = None
    """Put before each passage."""
    batch_size: BatchSize = 32
    """Texts a request."""
    concurrency: Concurrency = 2
    """Requests under way at once."""
    timeout: PositiveFloat = 120.0
    """Seconds to wait for an answer; the first one loads the model."""
    retries: NonNegativeInt = 3
    """Tries after the first, for overload, server errors and lost connections."""
    price: NonNegativeFloat | None = None
    """Price of a million tokens, for the cost that `plan` shows."""

    operational: ClassVar[frozenset[str]] = frozenset(
        {"base_url", "batch_size", "concurrency", "timeout", "retries", "price"}
    )

    @property
    def label(self) -> str:
        """The model's name and address in messages."""
        from pipelines.models.endpoint import named

        return named(self.model, self.base_url)

    def build(self) -> BaseEmbedding:
        """The model; nothing is asked of the server yet."""
        from pipelines.models.others import made

        return made(
            "llama_index.embeddings.ollama.OllamaEmbedding",
            extra="ollama",
            batch_size=self.batch_size,
            model_name=self.model,
            base_url=self.base_url,
            query_instruction=self.query_prefix,
            text_instruction=self.text_prefix,
            client_kwargs={"timeout": self.timeout},
        )


class LlamaIndexModel(_Model):
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

    operational: ClassVar[frozenset[str]] = frozenset({"batch_size", "concurrency", "price"})

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


EmbedModel = Annotated[
    LocalModel
    | FakeModel
    | OpenAIModel
    | OpenAILikeModel
    | HuggingFaceModel
    | FastEmbedModel
    | OllamaModel
    | LlamaIndexModel,
    Field(discriminator="type"),
]

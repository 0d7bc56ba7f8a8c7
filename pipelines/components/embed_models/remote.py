"""Models behind an endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import (
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    SecretStr,
)

from pipelines.components.embed_models.base import BatchSize, Concurrency, Model

if TYPE_CHECKING:
    from llama_index.core.base.embeddings.base import BaseEmbedding


class OpenAIModel(Model):
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

    operational: ClassVar[frozenset[str]] = Model.operational | (
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


class OpenAILikeModel(Model):
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


class OllamaModel(Model):
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

    operational: ClassVar[frozenset[str]] = Model.operational | (
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

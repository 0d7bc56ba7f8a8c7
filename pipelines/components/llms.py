"""Which model writes answers: `llm:`."""

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
    import llama_index.core.llms as base

Temperature = Annotated[float, Field(ge=0, le=2)]


class Price(Spec):
    """What a million tokens cost, in a currency of your choice."""

    input: NonNegativeFloat
    """Of a million tokens sent."""
    output: NonNegativeFloat
    """Of a million tokens written."""
    training_price: NonNegativeFloat | None = None
    """Of a million tokens that a model is fine-tuned on, in one epoch."""

    def of(self, sent: int, written: int) -> float:
        """What so many tokens cost."""
        return (sent * self.input + written * self.output) / 1e6


class OpenAILLM(Spec):
    """A language model of OpenAI."""

    type: Literal["openai"]
    model: str
    """Name of the model."""
    api_key: SecretStr | None = None
    """The key; the variable OPENAI_API_KEY where unset."""
    base_url: str | None = None
    """Address of a proxy; OpenAI's own where unset."""
    temperature: Temperature = 0.1
    """0 is steady, higher is freer; reasoning models take none and get none."""
    max_tokens: PositiveInt | None = None
    """Tokens of an answer, at most."""
    context_window: PositiveInt | None = None
    """Tokens that the model reads; known for OpenAI's own models, 128,000 for names that are not known."""
    timeout: PositiveFloat = 60.0
    """Seconds to wait for the answer to begin, or to go on."""
    retries: NonNegativeInt = 2
    """Tries after the first, for overload, server errors and lost connections."""
    price: Price | None = None
    """What its tokens cost, for `searchask usage` and `limits`."""

    operational: ClassVar[frozenset[str]] = frozenset({"api_key", "base_url", "timeout", "retries", "price"})

    def build(self) -> base.LLM:
        """The model; raises `SearchaskError` where there is no key."""
        from pipelines.models.llm import USAGE, EndpointLLM, context_window
        from pipelines.models.openai import OPENAI_URL, openai_key

        return EndpointLLM(
            model=self.model,
            key=openai_key(self.api_key),
            url=self.base_url or OPENAI_URL,
            retries=self.retries,
            timeout=self.timeout,
            temperature=self.temperature,
            max_tokens=self.max_tokens,
            context_window=self.context_window or context_window(self.model, 128_000),
            is_chat_model=True,
            is_function_calling_model=True,
            additional_kwargs=USAGE,
        )


class OpenAILikeLLM(Spec):
    """A language model behind any endpoint that speaks OpenAI's protocol: DeepSeek, Qwen, vLLM, Ollama, proxies."""

    type: Literal["openai_like"]
    model: str
    """Name of the model, as the endpoint knows it."""
    base_url: str
    """Address of the endpoint, mostly ending in /v1."""
    api_key: SecretStr | None = None
    """The key, where the endpoint asks for one; OPENAI_API_KEY is never sent here."""
    temperature: Temperature = 0.1
    """0 is steady, higher is freer."""
    max_tokens: PositiveInt | None = None
    """Tokens of an answer, at most."""
    context_window: PositiveInt = 32_768
    """Tokens that the model reads, question, passages and answer together."""
    is_chat_model: bool = True
    """Off for a server that has the old completions endpoint only."""
    stream_usage: bool = True
    """Ask for token counts at the end of a stream; off for an endpoint that refuses the option."""
    extra_body: dict[str, Any] = Field(default_factory=dict)
    """Further fields of each request, such as `{enable_thinking: false}`."""
    timeout: PositiveFloat = 120.0
    """Seconds to wait for the answer to begin, or to go on; small machines take long to read a prompt."""
    retries: NonNegativeInt = 2
    """Tries after the first, for overload, server errors and lost connections."""
    price: Price | None = None
    """What its tokens cost, for `searchask usage` and `limits`."""

    operational: ClassVar[frozenset[str]] = OpenAILLM.operational | {"stream_usage"}

    def build(self) -> base.LLM:
        """The model; nothing is asked of the endpoint yet."""
        from pipelines.models.llm import USAGE, EndpointLLM
        from pipelines.models.openai import own_key

        extra = {"extra_body": self.extra_body} if self.extra_body else {}
        return EndpointLLM(
            model=self.model,
            key=own_key(self.api_key),
            url=self.base_url,
            retries=self.retries,
            timeout=self.timeout,
            temperature=self.temperature,
            max_tokens=self.max_tokens,
            context_window=self.context_window,
            is_chat_model=self.is_chat_model,
            additional_kwargs={**(USAGE if self.stream_usage else {}), **extra},
        )


class LlamaIndexLLM(Spec):
    """Any other LLM class of LlamaIndex."""

    type: Literal["llama_index"]
    class_: str = Field(alias="class")
    """Dotted path of the class, under `llama_index.`."""
    args: dict[str, Any] = Field(default_factory=dict)
    """Arguments of the class."""
    price: Price | None = None
    """What its tokens cost, for `searchask usage` and `limits`."""

    operational: ClassVar[frozenset[str]] = frozenset({"price"})

    def identity(self) -> dict[str, Any]:
        """The class and those arguments that decide the answer: no keys, addresses or timeouts."""
        from pipelines.models.others import lasting

        return {**super().identity(), "args": lasting(self.args)}

    @field_serializer("args", when_used="json")
    def _without_secrets(self, args: dict[str, Any]) -> dict[str, Any]:
        from pipelines.models.others import masked

        return masked(args)

    def build(self) -> base.LLM:
        """The model; raises `SearchaskError` where the class or its arguments are wrong."""
        from pipelines.models.llm import made

        return made(self.class_, self.args)


LLM = Annotated[OpenAILLM | OpenAILikeLLM | LlamaIndexLLM, Field(discriminator="type")]

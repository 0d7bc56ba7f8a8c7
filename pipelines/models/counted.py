"""The LLM of one question: every call is counted, and what it was for is told."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    CompletionResponse,
    LLMMetadata,
    MessageRole,
)
from llama_index.core.callbacks import CallbackManager
from llama_index.core.llms import LLM
from pydantic import PrivateAttr

from pipelines.errors import EndpointError
from pipelines.models.endpoint import endpoint_error
from pipelines.text.tokens import count_tokens


@dataclass(slots=True)
class Call:
    """One call of a model."""

    purpose: str
    """`answer`, `condense`, `rerank`, …"""
    model: str
    tokens_in: int
    tokens_out: int
    milliseconds: float
    estimated: bool
    """Whether the tokens were counted here, since the endpoint did not say."""

    def to_dict(self) -> dict[str, Any]:
        """As a trace holds it."""
        return {
            "purpose": self.purpose,
            "model": self.model,
            "tokens_in": self.tokens_in,
            "tokens_out": self.tokens_out,
            "ms": round(self.milliseconds, 1),
            "estimated": self.estimated,
        }


class CountedLLM(LLM):
    """Another LLM, with its calls counted; made for each question, so that nothing of two questions mixes."""

    _inner: LLM = PrivateAttr()
    _calls: list[Call] = PrivateAttr(default_factory=list)
    _purpose: str = PrivateAttr(default="answer")
    _before: Callable[[int], None] = PrivateAttr()
    _elsewhere: int = PrivateAttr(default=0)

    def __init__(self, inner: LLM, *, before: Callable[[int], None] = lambda tokens: None) -> None:
        """`before` is told the tokens of each prompt and may raise, so that it is not sent."""
        super().__init__(callback_manager=CallbackManager())
        self._inner, self._before = inner, before

    @classmethod
    def class_name(cls) -> str:
        """Its name in LlamaIndex's traces."""
        return "CountedLLM"

    @property
    def metadata(self) -> LLMMetadata:
        """That of the model."""
        return self._inner.metadata

    @property
    def inner(self) -> LLM:
        """The model itself."""
        return self._inner

    @property
    def calls(self) -> list[Call]:
        """All calls so far."""
        return self._calls

    def room(self, reserved: int, *prompt: str) -> int:
        """Tokens of the context window that are left beside a prompt, its answer and what is reserved."""
        output = self.metadata.num_output if self.metadata.num_output > 0 else 256
        return self.metadata.context_window - output - reserved - sum(map(count_tokens, prompt))

    def failure(self, error: Exception) -> EndpointError:
        """What a client library raised, with the model and its address and without its key."""
        model, url = described(self)
        key = getattr(self._inner, "api_key", None)
        secrets = [key] if isinstance(key, str) and key else []
        return endpoint_error(error, url=url, model=model, secrets=secrets)

    @contextmanager
    def used_for(self, purpose: str) -> Iterator[None]:
        """Name what the calls inside are for."""
        before, self._purpose = self._purpose, purpose
        try:
            yield
        finally:
            self._purpose = before

    @contextmanager
    def reading(self, tokens: int) -> Iterator[None]:
        """Count so many tokens more for each prompt inside, of files that it names; raises where a limit says no."""
        self._before(tokens)
        before, self._elsewhere = self._elsewhere, tokens
        try:
            yield
        finally:
            self._elsewhere = before

    def ask(self, system: str, user: str, *, purpose: str) -> str:
        """The whole answer to one prompt; raises EndpointError."""
        messages = [
            ChatMessage(role=MessageRole.SYSTEM, content=system),
            ChatMessage(role=MessageRole.USER, content=user),
        ]
        with self.used_for(purpose):
            return str(self.chat(messages).message.content or "")

    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """One answer."""
        with self._counting(_text_of(messages)) as call:
            response = self._inner.chat(messages, **kwargs)
            _count(call, str(response.message.content or ""), response.raw)
        return response

    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """One completion."""
        with self._counting(prompt) as call:
            response = self._inner.complete(prompt, formatted=formatted, **kwargs)
            _count(call, response.text, response.raw)
        return response

    def stream_chat(
        self, messages: Sequence[ChatMessage], **kwargs: Any
    ) -> Generator[ChatResponse, None, None]:
        """An answer as it is written."""
        with self._counting(_text_of(messages)) as call:
            for response in self._inner.stream_chat(messages, **kwargs):
                _count(call, str(response.message.content or ""), response.raw)
                yield response

    def stream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> Generator[CompletionResponse, None, None]:
        """A completion as it is written."""
        with self._counting(prompt) as call:
            for response in self._inner.stream_complete(prompt, formatted=formatted, **kwargs):
                _count(call, response.text, response.raw)
                yield response

    async def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """As `chat`."""
        return self.chat(messages, **kwargs)

    async def acomplete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """As `complete`."""
        return self.complete(prompt, formatted=formatted, **kwargs)

    async def astream_chat(
        self, messages: Sequence[ChatMessage], **kwargs: Any
    ) -> AsyncGenerator[ChatResponse, None]:
        """As `stream_chat`."""

        async def pieces() -> AsyncGenerator[ChatResponse, None]:
            for piece in self.stream_chat(messages, **kwargs):
                yield piece

        return pieces()

    async def astream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> AsyncGenerator[CompletionResponse, None]:
        """As `stream_complete`."""

        async def pieces() -> AsyncGenerator[CompletionResponse, None]:
            for piece in self.stream_complete(prompt, formatted=formatted, **kwargs):
                yield piece

        return pieces()

    @contextmanager
    def _counting(self, prompt: str) -> Iterator[Call]:
        """Count a call, one that fails or is stopped in the middle too."""
        tokens = count_tokens(prompt) + self._elsewhere
        self._before(tokens)
        model = str(getattr(self._inner, "model", "") or self._inner.metadata.model_name)
        call = Call(self._purpose, model, tokens, 0, 0.0, estimated=True)
        self._calls.append(call)
        began = perf_counter()
        try:
            yield call
        finally:
            call.milliseconds = (perf_counter() - began) * 1000


def _text_of(messages: Sequence[ChatMessage]) -> str:
    return "\n".join(str(message.content or "") for message in messages)


def _count(call: Call, text: str, raw: Any) -> None:
    """Take the endpoint's own counts where it gives them."""
    usage = raw.get("usage") if isinstance(raw, dict) else getattr(raw, "usage", None)
    told = [_number(usage, "prompt_tokens"), _number(usage, "completion_tokens")]
    if told[0] and told[1] is not None:
        call.tokens_in, call.tokens_out, call.estimated = told[0], told[1], False
    elif call.estimated:
        call.tokens_out = count_tokens(text)


def _number(usage: Any, name: str) -> int | None:
    value = usage.get(name) if isinstance(usage, dict) else getattr(usage, name, None)
    return value if isinstance(value, int) else None


def described(llm: LLM) -> tuple[str, str]:
    """The model's name and its address, for errors."""
    inner = llm.inner if isinstance(llm, CountedLLM) else llm
    model = str(getattr(inner, "model", "") or inner.metadata.model_name)
    return model, str(getattr(inner, "api_base", "") or "")

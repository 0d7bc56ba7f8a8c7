"""Language models behind any endpoint that speaks OpenAI's protocol."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import httpx
from llama_index.core.llms import LLM
from llama_index.llms.openai_like import OpenAILike
from openai import DefaultHttpxClient
from pydantic import PrivateAttr, SecretStr

from pipelines.errors import EndpointError
from pipelines.models.endpoint import CallFailed, endpoint_error, named
from pipelines.models.openai import NO_KEY, secrets_of

if TYPE_CHECKING:
    from pipelines.models.files import EndpointFiles

USAGE = {"stream_options": {"include_usage": True}}
"""Asks for token counts at the end of a stream."""


class EndpointLLM(OpenAILike):
    """LlamaIndex's `OpenAILike` that raises `EndpointError` only, and holds its key in no field.

    Retries are the client library's (they honour Retry-After); LlamaIndex's own would multiply them.
    """

    _key: SecretStr = PrivateAttr(default=SecretStr(NO_KEY))
    _retries: int = PrivateAttr(default=0)
    _came: threading.local = PrivateAttr(default_factory=threading.local)

    def __init__(self, *, key: SecretStr, url: str, retries: int, **fields: Any) -> None:
        super().__init__(api_key=NO_KEY, api_base=url, max_retries=0, **fields)
        self._key = key
        self._retries = retries

    def files(self) -> EndpointFiles:
        """What the same endpoint keeps as files, with the same key."""
        from pipelines.models.files import EndpointFiles

        return EndpointFiles(
            url=self.api_base or "", key=self._key, timeout=self.timeout, retries=self._retries
        )

    def _get_credential_kwargs(self, is_async: bool = False) -> dict[str, Any]:
        options = super()._get_credential_kwargs(is_async)
        if not is_async:
            options["http_client"] = DefaultHttpxClient(event_hooks={"response": [self._remember]})
        return {**options, "api_key": self._key.get_secret_value(), "max_retries": self._retries}

    def _remember(self, response: httpx.Response) -> None:
        self._came.response = response

    def _chat(self, messages: Sequence[Any], **kwargs: Any) -> Any:
        return self._guarded(lambda: super(EndpointLLM, self)._chat(messages, **kwargs))

    def _complete(self, prompt: str, **kwargs: Any) -> Any:
        return self._guarded(lambda: super(EndpointLLM, self)._complete(prompt, **kwargs))

    def _stream_chat(self, messages: Sequence[Any], **kwargs: Any) -> Any:
        return self._guarded_stream(super()._stream_chat(messages, **kwargs))

    def _stream_complete(self, prompt: str, **kwargs: Any) -> Any:
        return self._guarded_stream(super()._stream_complete(prompt, **kwargs))

    async def _achat(self, messages: Sequence[Any], **kwargs: Any) -> Any:
        try:
            return await super()._achat(messages, **kwargs)
        except Exception as error:
            failure = self._failure(error)
        raise failure

    async def _acomplete(self, prompt: str, **kwargs: Any) -> Any:
        try:
            return await super()._acomplete(prompt, **kwargs)
        except Exception as error:
            failure = self._failure(error)
        raise failure

    async def _astream_chat(self, messages: Sequence[Any], **kwargs: Any) -> Any:
        return self._guarded_astream(await super()._astream_chat(messages, **kwargs))

    async def _astream_complete(self, prompt: str, **kwargs: Any) -> Any:
        return self._guarded_astream(await super()._astream_complete(prompt, **kwargs))

    def _guarded(self, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except Exception as error:
            failure = self._failure(error)
        raise failure

    def _guarded_stream(self, pieces: Iterator[Any]) -> Iterator[Any]:
        response: httpx.Response | None = None
        came = False
        try:
            for piece in pieces:
                if not came:  # the request was made for it, just now and in this thread
                    came, response = True, getattr(self._came, "response", None)
                yield piece
            if not came:
                raise AttributeError("an empty stream")
            return
        except Exception as error:
            failure = self._failure(error)
        finally:
            # The client's stream holds itself in a cycle: left to that, a stopped answer is written to its end.
            if response is not None:
                response.close()
        raise failure

    async def _guarded_astream(self, pieces: AsyncIterator[Any]) -> AsyncIterator[Any]:
        try:
            async for piece in pieces:
                yield piece
            return
        except Exception as error:
            failure = self._failure(error)
        raise failure

    def _failure(self, error: Exception) -> EndpointError:
        # LlamaIndex reads the answer's fields unchecked, so a page of HTML ends as one of these.
        if isinstance(error, (AttributeError, TypeError, IndexError, KeyError)):
            where = named(self.model, self.api_base or "")
            return CallFailed(f"{where}: the answer holds no text; is this the right base_url?")
        return endpoint_error(error, url=self.api_base or "", model=self.model, secrets=secrets_of(self._key))


def context_window(model: str, default: int) -> int:
    """Tokens that a model of OpenAI reads, as LlamaIndex's table has it; `default` for a model it doesn't know."""
    from llama_index.llms.openai.utils import openai_modelname_to_contextsize

    try:
        return openai_modelname_to_contextsize(model)
    except ValueError:
        return default


def made(path: str, args: dict[str, Any]) -> LLM:
    """A language model of the class at `path`; raises `SearchaskError`."""
    from pipelines.models.others import instance

    llm: LLM = instance(path, LLM, args)
    return llm

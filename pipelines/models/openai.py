"""Embedding models behind any endpoint that speaks OpenAI's protocol."""

from __future__ import annotations

import os
from typing import Any

from llama_index.core.base.embeddings.base import BaseEmbedding
from pydantic import PrivateAttr, SecretStr

from pipelines.errors import EndpointError, SearchaskError
from pipelines.models.endpoint import CallFailed, endpoint_error, named

OPENAI_URL = "https://api.openai.com/v1"
NO_KEY = "none"
"""Sent to endpoints without a key: the client library refuses to send nothing."""


def openai_key(api_key: SecretStr | None) -> SecretStr:
    """The given key, else `OPENAI_API_KEY`; raises `SearchaskError` where both are empty."""
    key = _clean(api_key) or _clean(SecretStr(os.environ.get("OPENAI_API_KEY", "")))
    if not key:
        raise SearchaskError("type openai needs a key: set api_key, or the variable OPENAI_API_KEY")
    return SecretStr(key)


def own_key(api_key: SecretStr | None) -> SecretStr:
    """The given key, else a placeholder: OPENAI_API_KEY must not be sent to somebody else's server."""
    return SecretStr(_clean(api_key) or NO_KEY)


def _clean(api_key: SecretStr | None) -> str:
    """The key without white space around it; raises `SearchaskError` for what can't stand in a header."""
    key = api_key.get_secret_value().strip() if api_key else ""
    if not all("!" <= character <= "~" for character in key):
        raise SearchaskError(
            "api_key holds a space, a line break or a character that is not ASCII: copy it again"
        )
    return key


def secrets_of(key: SecretStr) -> tuple[str, ...]:
    """What must not appear in a message."""
    value = key.get_secret_value()
    return () if value == NO_KEY else (value,)


class EndpointEmbedding(BaseEmbedding):
    """LlamaIndex's `OpenAIEmbedding` without its traps.

    Any model name; the key is in no field, so `str()` and `to_dict()` don't show it; vectors are ordered by their
    index; one layer of retries instead of two that multiply; line breaks are left in the text.
    """

    url: str
    dimensions: int | None = None
    query_prefix: str = ""
    text_prefix: str = ""
    timeout: float = 60.0
    retries: int = 3
    _key: SecretStr = PrivateAttr()
    _client: Any = PrivateAttr(default=None)
    _async_client: Any = PrivateAttr(default=None)

    def __init__(self, *, key: SecretStr, **fields: Any) -> None:
        super().__init__(**fields)
        self._key = key

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._embed([self.query_prefix + query])[0]

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return self._embed([self.text_prefix + text for text in texts])

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return (await self._aembed([self.query_prefix + query]))[0]

    async def _aget_text_embedding(self, text: str) -> list[float]:
        return (await self._aembed([self.text_prefix + text]))[0]

    async def _aget_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return await self._aembed([self.text_prefix + text for text in texts])

    def _embed(self, texts: list[str]) -> list[list[float]]:
        from openai import OpenAI

        if self._client is None:
            self._client = OpenAI(**self._client_options())
        try:
            return self._vectors(self._client.embeddings.create(**self._request(texts)), len(texts))
        except Exception as error:
            failure = self._failure(error)
        raise failure

    async def _aembed(self, texts: list[str]) -> list[list[float]]:
        from openai import AsyncOpenAI

        if self._async_client is None:
            self._async_client = AsyncOpenAI(**self._client_options())
        try:
            return self._vectors(
                await self._async_client.embeddings.create(**self._request(texts)), len(texts)
            )
        except Exception as error:
            failure = self._failure(error)
        raise failure

    def _client_options(self) -> dict[str, Any]:
        return {
            "api_key": self._key.get_secret_value(),
            "base_url": self.url,
            "timeout": self.timeout,
            "max_retries": self.retries,
        }

    def _request(self, texts: list[str]) -> dict[str, Any]:
        request: dict[str, Any] = {"model": self.model_name, "input": texts}
        return request if self.dimensions is None else {**request, "dimensions": self.dimensions}

    def _vectors(self, answer: Any, wanted: int) -> list[list[float]]:
        rows = getattr(answer, "data", None)
        if not isinstance(rows, list) or not all(isinstance(row.embedding, list) for row in rows):
            raise self._no_embeddings()
        if len(rows) == wanted and sorted(row.index or 0 for row in rows) == list(range(wanted)):
            rows = sorted(rows, key=lambda row: row.index)
        return [row.embedding for row in rows]

    def _failure(self, error: Exception) -> EndpointError:
        # The client library reads the answer's fields unchecked, so a page of HTML ends as one of these.
        if isinstance(error, (AttributeError, KeyError, TypeError, ValueError)):
            return self._no_embeddings()
        return endpoint_error(error, url=self.url, model=self.model_name, secrets=secrets_of(self._key))

    def _no_embeddings(self) -> CallFailed:
        where = named(self.model_name, self.url)
        return CallFailed(f"{where}: the answer holds no embeddings; is this the right base_url?")

"""Files that an endpoint keeps for its models: the interface of Qwen-Long, in OpenAI's form.

Documented at https://help.aliyun.com/en/model-studio/openai-file-interface: 150 MB a file, 10,000 files and 100 GB
an account, no end of their life, 20 requests a second.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, Field, SecretStr, ValidationError

from pipelines.errors import EndpointError
from pipelines.models.endpoint import CallFailed, endpoint_error, shown, status_of
from pipelines.models.openai import secrets_of

PURPOSE: Any = "file-extract"
"""That a model reads the file's text; not among OpenAI's own purposes."""

_MISSING = frozenset({404, 405, 501})
_GONE = frozenset({400, 404, 410})

State = Literal["processed", "waiting", "failed", "gone"]
"""What became of an uploaded file."""

T = TypeVar("T")


class _File(BaseModel):
    id: str = Field(pattern=r"^[\w.:-]{1,200}$")  # it becomes part of a prompt
    status: str | None = None


class EndpointFiles:
    """Uploads, looks at and deletes files; every method raises EndpointError, in which there is never a key."""

    def __init__(self, *, url: str, key: SecretStr, timeout: float, retries: int) -> None:
        self._address, self._key = url, key
        self._timeout, self._retries = timeout, retries
        self._client: Any = None

    @property
    def url(self) -> str:
        """Its address, without what may be secret in it."""
        return shown(self._address)

    @property
    def account(self) -> str:
        """Whose files these are: a digest of the address and the key."""
        told = f"{self._address.rstrip('/')}\n{self._key.get_secret_value()}"
        return hashlib.blake2b(told.encode(), digest_size=16).hexdigest()

    def upload(self, name: str, content: bytes) -> str:
        """Upload a text for a model to read; the id of the file."""
        answer = self._asked(lambda api: api.files.create(file=(name, content), purpose=PURPOSE), _no_files)
        return self._read(answer).id

    def state(self, file: str) -> State:
        """What became of a file."""
        try:
            status = self._read(self._asked(lambda api: api.files.retrieve(file))).status or ""
        except CallFailed as error:
            if error.status in _GONE:
                return "gone"
            raise
        if status == "processed":
            return "processed"
        if status == "deleted":
            return "gone"
        return "failed" if status in ("error", "failed", "cancelled") else "waiting"

    def delete(self, file: str) -> None:
        """Delete a file; one that is gone already is no error."""
        try:
            self._asked(lambda api: api.files.delete(file))
        except CallFailed as error:
            if error.status not in _GONE:
                raise

    def _asked(self, call: Callable[[Any], T], told: Callable[[str, int], str] | None = None) -> T:
        from openai import OpenAI

        if self._client is None:
            self._client = OpenAI(
                api_key=self._key.get_secret_value(),
                base_url=self._address,
                timeout=self._timeout,
                max_retries=self._retries,
            )
        try:
            return call(self._client)
        except Exception as error:
            failure = self._failure(error, told)
        raise failure

    def _failure(self, error: Exception, told: Callable[[str, int], str] | None) -> EndpointError:
        status = status_of(error)
        if told and status in _MISSING:
            return CallFailed(told(self.url, status or 404), status)
        if isinstance(error, AttributeError | KeyError | TypeError | ValueError):
            return self._nonsense()
        return endpoint_error(error, url=self._address, model="files", secrets=secrets_of(self._key))

    def _read(self, answer: Any) -> _File:
        try:
            return _File.model_validate(answer.to_dict(warnings=False))
        except (ValidationError, AttributeError, TypeError, ValueError):
            failure = self._nonsense()
        raise failure

    def _nonsense(self) -> CallFailed:
        return CallFailed(
            f"{self.url}: the answer is not what the file interface says: is this the right base_url?", 200
        )


def _no_files(url: str, status: int) -> str:
    return (
        f"{url}: this endpoint keeps no files for its models ({status}). DashScope in mainland China does, for the "
        "model qwen-long: base_url https://dashscope.aliyuncs.com/compatible-mode/v1; for any other endpoint use "
        "response 'compact' over a retriever 'whole_document'"
    )

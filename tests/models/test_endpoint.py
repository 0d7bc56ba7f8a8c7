"""What a failed call says, whichever library raised it."""

from __future__ import annotations

import httpx
import openai
import pytest

from pipelines.errors import EndpointError
from pipelines.models.endpoint import (
    CallFailed,
    endpoint_error,
    is_transient,
    named,
    redacted,
    shown,
    status_of,
)

URL = "http://user:pw@models.example/v1/?api-key=123"
REQUEST = httpx.Request("POST", "http://models.example/v1/embeddings")


def answered(status: int, body: object) -> openai.APIStatusError:
    return openai.APIStatusError("raw text", response=httpx.Response(status, request=REQUEST), body=body)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            answered(401, {"message": "Incorrect API key sk-abc****xyz"}),
            "the key was refused (401); check api_key",
        ),
        (answered(403, None), "the key was refused (403); check api_key"),
        (
            answered(404, {"error": {"message": "no model m"}}),
            "not found (404): the model name or the base_url is wrong. no model m",
        ),
        (answered(429, {"message": "slow down"}), "too many requests or quota used up (429). slow down"),
        (answered(503, "try\nlater"), "the endpoint answered 503. try later"),
        (openai.APITimeoutError(REQUEST), "no answer within the timeout"),
        (httpx.ReadTimeout("", request=REQUEST), "no answer within the timeout"),
        (ConnectionRefusedError(111, "Connection refused"), "can't connect ([Errno 111] Connection refused)"),
        (ValueError(), "ValueError"),
        (RuntimeError("x" * 500), "x" * 199 + "…"),
    ],
)
def test_one_clear_line(error: Exception, message: str) -> None:
    wrapped = endpoint_error(error, url=URL, model="m")
    assert isinstance(wrapped, EndpointError)
    assert str(wrapped) == f"m at http://models.example/v1: {message}"


def test_an_endpoint_error_stays_as_it_is() -> None:
    error = CallFailed("once", 500)
    assert endpoint_error(error, url=URL, model="m") is error


def test_the_status_is_found_where_libraries_keep_it() -> None:
    assert status_of(answered(429, None)) == 429
    assert status_of(httpx.HTTPStatusError("", request=REQUEST, response=httpx.Response(502))) == 502
    assert status_of(ValueError()) is None


def test_what_may_succeed_later() -> None:
    assert is_transient(answered(503, None))
    assert is_transient(httpx.ConnectError("refused"))
    assert is_transient(ConnectionResetError())
    assert not is_transient(answered(401, None))
    assert not is_transient(ValueError())


def test_urls_are_shown_without_secrets() -> None:
    assert shown(URL) == "http://models.example/v1"
    assert shown("http://[::1]:8000/v1") == "http://[::1]:8000/v1"
    assert named("m", "") == "m"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("key sk-proj-abcdef123456 is wrong", "key [key] is wrong"),
        ("you sent abcd****wxyz.", "you sent [key]"),
        ("Authorization: Bearer abc.def", "Authorization: [key]"),
        ("it was my-secret-value-1", "it was [key]"),
        ("it began with my-sec and ended with alue-1", "it began with [key] and ended with [key]"),
        ("nothing here", "nothing here"),
    ],
)
def test_keys_are_taken_out(text: str, clean: str) -> None:
    assert redacted(text, ["my-secret-value-1", ""]) == clean

"""A failed model call, said clearly: which URL, which model, why, and never the key."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from pipelines.errors import EndpointError

TRANSIENT = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})
"""HTTP statuses after which the same request may succeed later."""

_LONGEST_CAUSE = 200
_KEY = re.compile(r"(?i)\bbearer\s+\S+|\b(?:sk|pk|rk|key)[-_][\w*.-]{3,}|[\w.-]*\*{2,}[\w.*-]*")
_TIMEOUTS = ("Timeout", "TimedOut")


class CallFailed(EndpointError):
    """A call that failed; `status` is the HTTP status, or None where no answer came."""

    def __init__(self, message: str, status: int | None = None) -> None:
        self.status = status
        super().__init__(message)


class TextRefused(EndpointError):
    """The endpoint took all texts but those at `positions`, each of which it refused alone."""

    def __init__(self, message: str, positions: Sequence[int]) -> None:
        self.positions = tuple(positions)
        super().__init__(message)


def endpoint_error(
    error: BaseException, *, url: str, model: str, secrets: Sequence[str] = ()
) -> EndpointError:
    """The error of any client library as one line: `MODEL at URL: cause`; an `EndpointError` stays as it is.

    Raise the result outside the `except` block that caught `error`: a chained traceback would print the
    library's own text, in which endpoints echo parts of the key.
    """
    if isinstance(error, EndpointError):
        return error
    status = status_of(error)
    return CallFailed(f"{named(model, url)}: {_cause(error, status, secrets)}", status)


def status_of(error: BaseException) -> int | None:
    """The HTTP status that the error stands for, None where the endpoint gave none."""
    for holder in (error, getattr(error, "response", None)):
        status = getattr(holder, "status_code", None)
        if isinstance(status, int) and status > 0:
            return status
    return None


def is_transient(error: BaseException) -> bool:
    """Whether the same call may succeed later: overload, a server's own error, a lost connection."""
    status = status_of(error)
    if status is not None:
        return status in TRANSIENT
    return any(
        isinstance(each, (ConnectionError, TimeoutError))
        or type(each).__module__.split(".")[0] in _TRANSPORTS
        for each in _chain(error)
    )


def named(model: str, url: str) -> str:
    """The model and its address, as messages show them."""
    return f"{model} at {shown(url)}" if url else model


def shown(url: str) -> str:
    """The URL without what may be secret in it: user, password, query."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path.rstrip("/"), "", ""))


def redacted(text: str, secrets: Sequence[str] = ()) -> str:
    """The text without the secrets, without any piece of them of six characters, and without what looks like a key."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        for size in range(len(secret), min(len(secret), 6) - 1, -1):
            for piece in (secret[:size], secret[-size:]):
                text = text.replace(piece, "[key]")
    return _KEY.sub("[key]", text)


_TRANSPORTS = {"httpx", "httpcore", "httpx2", "requests", "urllib3", "aiohttp", "socket"}


def _cause(error: BaseException, status: int | None, secrets: Sequence[str]) -> str:
    said = _short(redacted(_said(error), secrets))
    if status in (401, 403):
        return f"the key was refused ({status}); check api_key"  # their text echoes parts of the key
    if status == 404:
        return f"not found (404): the model name or the base_url is wrong. {said}".rstrip()
    if status == 429:
        return f"too many requests or quota used up (429). {said}".rstrip()
    if status is not None:
        return f"the endpoint answered {status}. {said}".rstrip()
    names = [type(each).__name__ for each in _chain(error)]
    if any(part in name for name in names for part in _TIMEOUTS):
        return "no answer within the timeout"
    if any("Connect" in name for name in names):
        *_, root = _chain(error)
        return f"can't connect ({_short(redacted(str(root), secrets))})"
    if any("JSON" in name or "Validation" in name for name in names):
        return "the answer is not what the OpenAI protocol says: is this the right base_url?"
    return said or type(error).__name__


def _said(error: BaseException) -> str:
    """The endpoint's own message where it sent one in OpenAI's form, the library's text otherwise."""
    body = getattr(error, "body", None)
    inner = body.get("error", body) if isinstance(body, dict) else body
    message: Any = inner.get("message") if isinstance(inner, dict) else inner
    return message if isinstance(message, str) else str(error)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_CAUSE else line[: _LONGEST_CAUSE - 1] + "…"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, then what caused it, down to the root."""
    each: BaseException | None = error
    seen = 0
    while each is not None and seen < 10:
        yield each
        each = each.__cause__ or each.__context__
        seen += 1

"""What stands before the page: security headers, trusted hosts, no foreign sites, no endless bodies, `/health`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from starlette.middleware import Middleware
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "frame-src 'none'",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
"""Gradio needs inline scripts and eval; what matters is that nothing is fetched from, or sent to, another place."""

HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
}

MOST_BODY = 10_000_000
"""Bytes of the body of a request that is no upload, at most."""

_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(?P<port>\d{1,5}))?")
_UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
_PORTS = {"http": "80", "https": "443"}


def allowed_hosts(bind: str, names: Iterable[str] = ()) -> list[str]:
    """The hosts to trust for an address to listen at: itself, this machine, and further names.

    `0.0.0.0` and `::` allow every address written in numbers: a foreign site can rebind a name, never a number.
    """
    return list(dict.fromkeys(["localhost", "127.0.0.1", "::1", bind, *names]))


def middleware(allowed_hosts: Iterable[str], max_body: int) -> list[Middleware]:
    """What `launch(app_kwargs={"middleware": …})` takes; `max_body` is the most bytes of an upload."""
    from starlette.middleware import Middleware

    return [Middleware(Door, allowed_hosts=frozenset(map(_plain, allowed_hosts)), max_body=max_body)]


class _TooLargeError(Exception):
    """A body went on beyond its limit."""


class Door:
    """Answers what must not reach the page, and sets the headers of all that comes from it."""

    def __init__(self, app: ASGIApp, *, allowed_hosts: frozenset[str], max_body: int) -> None:
        self._app, self._max_body = app, max_body
        self._hosts = allowed_hosts
        self._any_number = bool({"0.0.0.0", "::"} & allowed_hosts)
        self._health = json.dumps({"status": "ok", "version": _version()}).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "websocket":  # the page uses none
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {key: value.decode("latin-1") for key, value in reversed(scope["headers"])}
        refused = self._refused(scope, headers)
        if refused:
            await _answer(send, *refused)
        elif scope["path"] == "/health" and scope["method"] in ("GET", "HEAD"):
            await _answer(send, 200, self._health, "application/json")
        else:
            await self._pass_on(scope, receive, send)

    def _refused(self, scope: Scope, headers: dict[bytes, str]) -> tuple[int, bytes] | None:
        """Status and reason for a request that goes no further."""
        host = _HOST.fullmatch(headers.get(b"host", ""))
        if host is None or not self._trusts(_plain(host["name"])):
            return 400, b"This address is not one that the server knows as its own."
        if scope["method"] in _UNSAFE:
            origin = headers.get(b"origin")
            foreign = headers.get(b"sec-fetch-site", "same-origin") not in ("same-origin", "none")
            if foreign if origin is None else not _same(origin, host):
                return 403, b"Another site sent this request. A proxy before the server must pass on Host."
        length = headers.get(b"content-length", "0")
        if not length.isascii() or not length.isdigit():
            return 400, b"Content-Length is no number."
        if len(length) > 18 or int(length) > self._most(scope):
            return 413, b"This is too large."
        return None

    def _trusts(self, name: str) -> bool:
        return name in self._hosts or (self._any_number and _is_number(name))

    def _most(self, scope: Scope) -> int:
        upload = scope["path"].rstrip("/").endswith("/upload")
        return self._max_body if upload else min(MOST_BODY, self._max_body)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the page answer, and stop a body without a length where it becomes too large."""
        most, read, started, over = self._most(scope), 0, False, False

        async def counted() -> Message:
            nonlocal read, over
            message = await receive()
            read += len(message.get("body", b""))
            if read > most:
                over = True
                raise _TooLargeError
            return message

        async def dressed(message: Message) -> None:
            nonlocal started
            if over and not started:
                return  # whatever the page makes of the broken body
            if message["type"] == "http.response.start":
                started = True
                message = {**message, "headers": _with_headers(message.get("headers", ()))}
            await send(message)

        try:
            await self._app(scope, counted, dressed)
        except Exception:
            if not over:
                if not started:  # the server's own answer would come without the headers
                    await _answer(send, 500, b"Something went wrong; the server's log says what.")
                raise
        if over and not started:
            await _answer(send, 413, b"This is too large.")


def _version() -> str:
    try:
        return version("searchask")
    except PackageNotFoundError:  # run from a checkout
        return "unknown"


def _with_headers(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    ours = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
    return [each for each in headers if each[0].lower().decode("latin-1") not in HEADERS] + ours


async def _answer(send: Send, status: int, body: bytes, kind: str = "text/plain; charset=utf-8") -> None:
    headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
    if status == 413:  # the rest of the body is not read
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": _with_headers(headers)})
    await send({"type": "http.response.body", "body": body})


def _plain(name: str) -> str:
    """A host in the one form that is compared: lower case, addresses in their shortest form, no brackets."""
    name = name.strip("[]").lower().removesuffix(".")
    try:
        return str(ip_address(name))
    except ValueError:
        return name


def _is_number(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _same(origin: str, host: re.Match[str]) -> bool:
    """Whether a page of this origin came from this host and port."""
    try:
        parts = urlsplit(origin)
        port = str(parts.port or _PORTS.get(parts.scheme, ""))
    except ValueError:
        return False
    if parts.scheme not in _PORTS or parts.hostname is None:  # `null`, as a sandboxed page sends it
        return False
    return _plain(parts.hostname) == _plain(host["name"]) and port == (host["port"] or _PORTS[parts.scheme])

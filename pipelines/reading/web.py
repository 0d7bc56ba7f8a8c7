"""The `web` loader: listed pages over http and https, each address checked before it is connected to.

A name is resolved once and the connection goes to the very address that was checked, so that a name server which
answers differently the second time (DNS rebinding) reaches nothing. Every redirect is checked anew. Proxies of the
environment are not used: they would resolve names on their own.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from pipelines.documents import Document, Source
from pipelines.errors import DocumentError
from pipelines.reading.options import ReadOptions

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_PROTOCOL = ipaddress.ip_network("192.0.0.0/24")
"""Assigned to protocols; not every Python counts it as private."""


@dataclass(frozen=True)
class WebLoader:
    """Lists and reads the addresses of the config."""

    urls: tuple[str, ...]
    client: Client
    options: ReadOptions

    def scan(self) -> Iterator[Source]:
        """The addresses in the order of the list; nothing is fetched."""
        return (Source(url) for url in self.urls)

    def fetch(self, source: Source) -> bytes:
        """The bytes at the address; raises `DocumentError` where they can't be had."""
        return self.client.get(source.path)

    def read(self, source: Source, content: bytes) -> Document:
        """The text; the format is told by the address and the bytes."""
        from pipelines.reading.read import read_document

        parts = urlsplit(source.path)
        return read_document(f"{parts.scheme}://{parts.netloc}{parts.path}", content, self.options)


@dataclass(frozen=True)
class Client:
    """Fetches one document at a time, within limits."""

    timeout: float
    max_redirects: int
    max_size: int
    allow_private: bool = False
    allow_networks: tuple[Network, ...] = ()

    def get(self, url: str) -> bytes:
        """The body at an address, redirects followed; raises `DocumentError`."""
        deadline = time.monotonic() + self.timeout
        for _ in range(self.max_redirects + 1):
            body, target = self._one(url, deadline)
            if not target:
                return body
            url = urljoin(url, target)
        raise DocumentError(f"more than {self.max_redirects} redirects")

    def _one(self, url: str, deadline: float) -> tuple[bytes, str]:
        """One request: its body, or where it redirects to."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise DocumentError(f"redirected to {parts.scheme or 'no'}: only http and https are read")
        try:
            address = self._checked_address(parts)
            connection = _connection(parts, address, max(deadline - time.monotonic(), 0.001))
        except (UnicodeError, ValueError):
            raise DocumentError("the address is malformed") from None
        # A server that drips one byte at a time never runs into a socket timeout.
        alarm = threading.Timer(max(deadline - time.monotonic(), 0.001), _cut, (connection,))
        alarm.daemon = True
        alarm.start()
        try:
            connection.request("GET", _target(parts), headers=_HEADERS)
            return self._answer(connection.getresponse(), deadline)
        except DocumentError:
            raise
        except (OSError, http.client.HTTPException, ValueError) as error:
            if time.monotonic() >= deadline or isinstance(error, TimeoutError):
                raise DocumentError(f"{parts.hostname} did not answer within {self.timeout:g} s") from None
            raise DocumentError(f"{parts.hostname}: {_short(error)}") from None
        finally:
            alarm.cancel()
            connection.close()

    def _answer(self, response: http.client.HTTPResponse, deadline: float) -> tuple[bytes, str]:
        """Body or redirect target of a response."""
        if response.status in (301, 302, 303, 307, 308):
            target = response.headers.get("Location", "")
            if not target:
                raise DocumentError(f"HTTP {response.status} without a place to go")
            return b"", target
        if response.status != 200:
            raise DocumentError(f"HTTP {response.status} {response.reason}".strip())
        if response.headers.get("Content-Encoding", "identity").lower() not in ("identity", ""):
            raise DocumentError("the server sent compressed data that was not asked for")
        limit = f"larger than max_file_size, {self.max_size / 1e6:,.1f} MB"
        if (response.length or 0) > self.max_size:
            raise DocumentError(limit)
        body = bytearray()
        while piece := response.read(65_536):
            body += piece
            if len(body) > self.max_size:
                raise DocumentError(limit)
            if time.monotonic() >= deadline:
                raise TimeoutError
        if response.length:
            raise DocumentError("the connection broke before the document was whole")
        return bytes(body), ""

    def _checked_address(self, parts: SplitResult) -> str:
        """The address to connect to; raises `DocumentError` where any that the name has is refused."""
        host = str(parts.hostname)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            found = socket.getaddrinfo(_ascii(host), port, type=socket.SOCK_STREAM)
        except OSError:
            raise DocumentError(f"the name {host} can't be resolved") from None
        addresses = [str(entry[4][0]) for entry in found]
        for text in addresses:
            if not self.allows(ipaddress.ip_address(text.partition("%")[0])):
                raise DocumentError(
                    f"{host} has the private address {text}: allow_private or allow_networks would permit it"
                )
        return addresses[0]

    def allows(self, address: Address) -> bool:
        """Whether an address may be connected to."""
        inner = _embedded(address)
        if self.allow_private or any(inner in network for network in self.allow_networks):
            return True
        public = inner.is_global and not inner.is_multicast and not inner.is_reserved
        return public and inner not in _PROTOCOL


_HEADERS = {"User-Agent": "searchask", "Accept": "*/*", "Accept-Encoding": "identity", "Connection": "close"}


def _embedded(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, if it does."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        return inner or address
    return address


def _ascii(host: str) -> str:
    """A host name as it goes over the wire."""
    return host if host.isascii() else host.encode("idna").decode("ascii")


def _target(parts: SplitResult) -> str:
    """Path and query, with everything escaped that must be."""
    safe = "/%:=&?~#+!$,;'@()*[]"
    path = quote(parts.path or "/", safe=safe.replace("?", "").replace("#", ""))
    return path + (f"?{quote(parts.query, safe=safe.replace('#', ''))}" if parts.query else "")


def _connection(parts: SplitResult, address: str, timeout: float) -> _Pinned:
    """A connection to the checked address that speaks to the named host (and, over TLS, proves that it is it)."""
    host = _ascii(str(parts.hostname))
    if parts.scheme == "https":
        return _PinnedTls(host, parts.port, address, timeout)
    return _Pinned(host, parts.port, address, timeout)


class _Pinned(http.client.HTTPConnection):
    """HTTP to one address, whatever the name would resolve to now."""

    def __init__(self, host: str, port: int | None, address: str, timeout: float) -> None:
        super().__init__(host, port, timeout=timeout)
        self._address = address
        self.open: socket.socket | None = None  # `sock` is forgotten as soon as the answer begins

    def connect(self) -> None:
        """Connect to the address that was checked."""
        self.sock = self.open = socket.create_connection((self._address, self.port), self.timeout)


class _PinnedTls(_Pinned):
    """The same over TLS, the certificate checked against the name."""

    default_port = 443

    def connect(self) -> None:
        """Connect to the checked address and prove the name."""
        super().connect()
        context = ssl.create_default_context()
        tls = context.wrap_socket(self.sock, server_hostname=self.host, do_handshake_on_connect=False)
        self.sock = self.open = tls
        tls.do_handshake()


def _cut(connection: _Pinned) -> None:
    """End a connection from another thread."""
    if connection.open is not None:
        with contextlib.suppress(OSError):
            socket.socket.shutdown(
                connection.open, socket.SHUT_RDWR
            )  # below TLS, which another thread is using


def _short(error: Exception) -> str:
    """Why a connection failed, in a few words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not valid: {error.verify_message}"
    if isinstance(error, http.client.HTTPException | ValueError):
        return "no proper HTTP answer"
    return error.strerror.lower() if isinstance(error, OSError) and error.strerror else type(error).__name__

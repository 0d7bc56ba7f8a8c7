"""What the servers on loopback share: how one starts and ends, and how it reads and answers a request."""

from __future__ import annotations

import email
import email.policy
import functools
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar


class Handler(BaseHTTPRequestHandler, ABC):
    """Answers each POST for a server, its `house`, without a log."""

    protocol_version = "HTTP/1.1"

    def __init__(self, house: Any, *args: Any) -> None:
        self.house = house
        super().__init__(*args)

    def log_message(self, *args: Any) -> None:
        """Keep quiet."""

    def do_POST(self) -> None:
        self.answer()

    @abstractmethod
    def answer(self) -> None:
        """Answer the request."""

    def body(self) -> bytes:
        """What the request holds."""
        return self.rfile.read(int(self.headers["Content-Length"] or 0))

    def form(self, body: bytes) -> dict[str, Any]:
        """The parts of a multipart body by their names."""
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        whole: Any = email.message_from_bytes(head + body, policy=email.policy.HTTP)
        return {part.get_param("name", header="content-disposition"): part for part in whole.iter_parts()}

    def send(
        self,
        status: int,
        body: bytes,
        kind: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Answer whole; a header without a value is left out."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def chunk(self, content: bytes) -> None:
        """Send a piece of an answer in chunks; an empty one ends it."""
        self.wfile.write(b"%x\r\n%b\r\n" % (len(content), content))
        self.wfile.flush()


class Server:
    """Listens at `url` from `start` until `close`."""

    url = ""

    def start(self, handler: type[Handler], path: str = "/v1") -> None:
        """Listen on a free port, in a thread."""
        self.stopped = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(handler, self))
        self.url = f"http://127.0.0.1:{self._http.server_port}{path}"
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        """Stop answering."""
        self.stopped.set()
        self._http.shutdown()
        self._http.server_close()


Served = TypeVar("Served", bound=Server)


@contextmanager
def serving(server: Served, handler: type[Handler], path: str = "/v1") -> Iterator[Served]:
    """Run a server while the block runs."""
    server.start(handler, path)
    try:
        yield server
    finally:
        server.close()

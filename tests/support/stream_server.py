"""A server on loopback that streams a chat answer slowly, may break off, and notices when nobody listens."""

from __future__ import annotations

import json
import select
import socket
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from tests.support.loopback import Handler, Server, serving


class StreamServer(Server):
    """Sends `pieces` of an answer, one each time that `go` is set or at once; then ends, or `breaks`."""

    def __init__(self, pieces: Sequence[str], *, breaks: bool, waits: bool) -> None:
        self.pieces, self.breaks = list(pieces), breaks
        self.go = threading.Event()
        if not waits:
            self.go.set()
        self.left = threading.Event()
        """Set once the client closed its connection before the end."""

    def llm(self) -> dict[str, Any]:
        """The `llm:` of a config that asks this server."""
        return {
            "type": "openai_like",
            "base_url": self.url,
            "model": "slow",
            "api_key": "sk-very-secret",
            "retries": 0,
        }

    def close(self) -> None:
        """Stop answering; nobody waits for `go` any more."""
        self.go.set()
        super().close()


def stream_server(
    *pieces: str, breaks: bool = False, waits: bool = False
) -> AbstractContextManager[StreamServer]:
    """Run a server while the block runs; with `waits` only the first piece comes before `go` is set."""
    return serving(StreamServer(pieces, breaks=breaks, waits=waits), _Handler)


class _Handler(Handler):
    house: StreamServer

    def answer(self) -> None:
        told = self.house
        self.body()
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number, piece in enumerate(told.pieces):
            if number and not self.waited():
                told.left.set()
                self.close_connection = True
                return
            self.chunk(_event(piece))
        if told.breaks:
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        self.chunk(b"data: [DONE]\n\n")
        self.chunk(b"")

    def waited(self) -> bool:
        """Wait for `go`; False where the client closes its connection meanwhile."""
        while not self.house.go.wait(0.02):
            readable, _, _ = select.select([self.connection], [], [], 0)
            try:
                if readable and not self.connection.recv(1, socket.MSG_PEEK):
                    return False
            except ConnectionError:
                return False
        return True


def _event(piece: str) -> bytes:
    choice = {"index": 0, "delta": {"role": "assistant", "content": piece}}
    chunk = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "slow", "choices": [choice]}
    return f"data: {json.dumps(chunk)}\n\n".encode()

"""A chat endpoint on loopback that writes slowly, can die in mid-answer, and notices when nobody listens any more."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class SlowLLM:
    """Writes `reply` word by word; with `dies_after` the connection ends behind so many words."""

    reply: str = "The cafeteria opens at eight [1]."
    pause: float = 0.05
    """Seconds between two words."""
    dies_after: int | None = None
    url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    left: threading.Event = field(default_factory=threading.Event)
    """Set once a client has gone while an answer was written."""

    @property
    def prompt(self) -> str:
        """All messages of the last request."""
        return "\n".join(message["content"] for message in self.requests[-1]["messages"])


@contextmanager
def slow_llm(told: SlowLLM) -> Iterator[SlowLLM]:
    """Serve it while the block runs."""
    ended = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            told.requests.append(body)
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Transfer-Encoding", "chunked")
            self.send_header("Connection", "close")
            self.end_headers()
            try:
                self._write(body["model"])
            except (BrokenPipeError, ConnectionResetError):
                told.left.set()

        def _write(self, model: str) -> None:
            for number, word in enumerate(told.reply.split(" ")):
                if number == told.dies_after:  # without the empty piece that ends a body
                    return
                if ended.is_set():
                    return
                self._send(model, word if number == 0 else f" {word}")
                time.sleep(told.pause)
            self._send(model, "", "stop")
            self._piece(b"data: [DONE]\n\n")
            self._piece(b"")

        def _send(self, model: str, text: str, finish: str | None = None) -> None:
            delta = {"role": "assistant", "content": text}
            choice = {"index": 0, "delta": delta, "finish_reason": finish}
            chunk = {
                "id": "1",
                "object": "chat.completion.chunk",
                "created": 0,
                "model": model,
                "choices": [choice],
            }
            self._piece(f"data: {json.dumps(chunk)}\n\n".encode())

        def _piece(self, content: bytes) -> None:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(content), content))
            self.wfile.flush()

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    told.url = f"http://127.0.0.1:{server.server_port}/v1"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield told
    finally:
        ended.set()
        server.shutdown()
        server.server_close()

"""A server on loopback that speaks the rerank protocols of Cohere, Jina and DashScope."""

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
class RerankServer:
    """Scores a passage by the words it shares with the question; `status` and `body` are what goes wrong."""

    url: str = ""
    status: int = 200
    body: str = ""
    """Said in the place of a ranking."""
    delay: float = 0.0
    """Seconds before it answers."""
    requests: list[dict[str, Any]] = field(default_factory=list)
    """Each with its `path` and its `key`."""

    def ranking(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        """The best first, as all three protocols have it."""
        words = set(asked["query"].lower().strip("?").split())
        shares = [
            len(words & set(text.lower().strip(".").split())) / len(words) for text in asked["documents"]
        ]
        order = sorted(range(len(shares)), key=lambda place: -shares[place])
        return [{"index": place, "relevance_score": shares[place]} for place in order[: asked["top_n"]]]


@contextmanager
def rerank_server() -> Iterator[RerankServer]:
    """Run a server while the block runs; paths are told apart by their ends."""
    told = RerankServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            told.requests.append({"path": self.path, "key": self.headers["Authorization"], **body})
            nested = "input" in body
            asked = {**body["input"], **body["parameters"]} if nested else body
            ranking = {"results": told.ranking(asked)}
            answer = (
                {"request_id": "1", "output": ranking, "usage": {"total_tokens": 9}} if nested else ranking
            )
            said = told.body or json.dumps({"id": "1", **answer})
            time.sleep(told.delay)
            self.send_response(told.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(said.encode())))
            self.end_headers()
            self.wfile.write(said.encode())

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()

"""A server on loopback that speaks OpenAI's moderation protocol and flags what holds a word."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class ModerationServer:
    """Flags each text that holds `word` as `violence`; `status` other than 200 refuses, `body` answers nonsense."""

    def __init__(self, word: str) -> None:
        self.word, self.status, self.body = word, 200, b""
        self.texts: list[str] = []
        self.url = ""


@contextmanager
def moderation_server(word: str) -> Iterator[ModerationServer]:
    """Run a server while the block runs."""
    told = ModerationServer(word)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            told.texts += asked["input"]
            results = [
                {
                    "flagged": told.word in text,
                    "categories": {"violence": told.word in text, "hate": False},
                    "category_scores": {"violence": 0.5, "hate": 0.1},
                }
                for text in asked["input"]
            ]
            answer = {"id": "1", "model": asked["model"], "results": results}
            body = told.body or json.dumps(answer).encode()
            if told.status != 200:
                body = json.dumps({"error": {"message": f"no: {self.headers['Authorization']}"}}).encode()
            self.send_response(told.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

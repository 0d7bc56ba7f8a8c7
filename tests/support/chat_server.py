"""A server on loopback that speaks the OpenAI chat protocol and says what it is told to say."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class ChatServer:
    """Answers each request with the next of `replies`, the last one for ever; keeps the requests."""

    def __init__(self, replies: list[str], status: int = 200) -> None:
        self.replies, self.status = list(replies), status
        self.requests: list[dict[str, Any]] = []
        self.url = ""

    def next_reply(self) -> str:
        """What is said now."""
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    def prompt(self) -> str:
        """All messages of the last request."""
        return "\n".join(message["content"] for message in self.requests[-1]["messages"])


@contextmanager
def chat_server(*replies: str, status: int = 200) -> Iterator[ChatServer]:
    """Run a server while the block runs."""
    told = ChatServer(list(replies), status)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            told.requests.append(body)
            if told.status != 200:
                error = json.dumps({"error": {"message": f"no: {self.headers['Authorization']}"}}).encode()
                self.send_response(told.status)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(error)
                return
            if not body.get("stream"):
                self.whole(body)
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            reply = told.next_reply()
            for start in range(0, len(reply), 4):
                chunk = {
                    "id": "1",
                    "object": "chat.completion.chunk",
                    "created": 0,
                    "model": body["model"],
                    "choices": [
                        {"index": 0, "delta": {"role": "assistant", "content": reply[start : start + 4]}}
                    ],
                }
                self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
            self.wfile.write(b"data: [DONE]\n\n")

        def whole(self, body: dict[str, Any]) -> None:
            message = {"role": "assistant", "content": told.next_reply()}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            answer = {"id": "1", "object": "chat.completion", "created": 0, "model": body["model"]}
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps({**answer, "choices": [choice]}).encode())

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()

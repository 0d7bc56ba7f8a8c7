"""A server on loopback that speaks the OpenAI chat protocol and says what it is told to say."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from typing import Any

from tests.support.loopback import Handler, Server, serving


class ChatServer(Server):
    """Answers each request with the next of `replies`, the last one for ever; keeps the requests."""

    def __init__(self, replies: list[str], status: int = 200) -> None:
        self.replies, self.status = list(replies), status
        self.requests: list[dict[str, Any]] = []

    def next_reply(self) -> str:
        """What is said now."""
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    def prompt(self) -> str:
        """All messages of the last request."""
        return "\n".join(message["content"] for message in self.requests[-1]["messages"])


def chat_server(*replies: str, status: int = 200) -> AbstractContextManager[ChatServer]:
    """Run a server while the block runs."""
    return serving(ChatServer(list(replies), status), _Handler)


class _Handler(Handler):
    house: ChatServer
    protocol_version = "HTTP/1.0"

    def answer(self) -> None:
        told, body = self.house, json.loads(self.body())
        told.requests.append(body)
        if told.status != 200:
            error = json.dumps({"error": {"message": f"no: {self.headers['Authorization']}"}}).encode()
            return self.send(told.status, error)
        if not body.get("stream"):
            return self.whole(body)
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
        return None

    def whole(self, body: dict[str, Any]) -> None:
        message = {"role": "assistant", "content": self.house.next_reply()}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        answer = {"id": "1", "object": "chat.completion", "created": 0, "model": body["model"]}
        self.send(200, json.dumps({**answer, "choices": [choice]}).encode())

"""A chat endpoint on loopback that writes slowly, can die in mid-answer, and notices when nobody listens any more."""

from __future__ import annotations

import json
import threading
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from tests.support.loopback import Handler, Server, serving


@dataclass
class SlowLLM(Server):
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


def slow_llm(told: SlowLLM) -> AbstractContextManager[SlowLLM]:
    """Serve it while the block runs."""
    return serving(told, _Handler)


class _Handler(Handler):
    house: SlowLLM

    def answer(self) -> None:
        body = json.loads(self.body())
        self.house.requests.append(body)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            self._write(body["model"])
        except (BrokenPipeError, ConnectionResetError):
            self.house.left.set()

    def _write(self, model: str) -> None:
        told = self.house
        for number, word in enumerate(told.reply.split(" ")):
            if number == told.dies_after:  # without the empty piece that ends a body
                return
            if told.stopped.is_set():
                return
            self._send(model, word if number == 0 else f" {word}")
            time.sleep(told.pause)
        self._send(model, "", "stop")
        self.chunk(b"data: [DONE]\n\n")
        self.chunk(b"")

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
        self.chunk(f"data: {json.dumps(chunk)}\n\n".encode())

"""A server on loopback that speaks OpenAI's moderation protocol and flags what holds a word."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager

from tests.support.loopback import Handler, Server, serving


class ModerationServer(Server):
    """Flags each text that holds `word` as `violence`; `status` other than 200 refuses, `body` answers nonsense."""

    def __init__(self, word: str) -> None:
        self.word, self.status, self.body = word, 200, b""
        self.texts: list[str] = []


def moderation_server(word: str) -> AbstractContextManager[ModerationServer]:
    """Run a server while the block runs."""
    return serving(ModerationServer(word), _Handler)


class _Handler(Handler):
    house: ModerationServer
    protocol_version = "HTTP/1.0"

    def answer(self) -> None:
        told, asked = self.house, json.loads(self.body())
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
        self.send(told.status, body)

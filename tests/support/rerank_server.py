"""A server on loopback that speaks the rerank protocols of Cohere, Jina and DashScope."""

from __future__ import annotations

import json
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from tests.support.loopback import Handler, Server, serving


@dataclass
class RerankServer(Server):
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


def rerank_server() -> AbstractContextManager[RerankServer]:
    """Run a server while the block runs; paths are told apart by their ends."""
    return serving(RerankServer(), _Handler, path="")


class _Handler(Handler):
    house: RerankServer

    def answer(self) -> None:
        told, body = self.house, json.loads(self.body())
        told.requests.append({"path": self.path, "key": self.headers["Authorization"], **body})
        nested = "input" in body
        asked = {**body["input"], **body["parameters"]} if nested else body
        ranking = {"results": told.ranking(asked)}
        answer = {"request_id": "1", "output": ranking, "usage": {"total_tokens": 9}} if nested else ranking
        said = told.body or json.dumps({"id": "1", **answer})
        time.sleep(told.delay)
        self.send(told.status, said.encode())

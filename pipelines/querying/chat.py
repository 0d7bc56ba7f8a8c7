"""A conversation: questions that may refer to those before, under a budget of tokens; kept in memory only."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pipelines.querying.answer import Answer, Retrieval
from pipelines.querying.verdict import without_sources
from pipelines.text.tokens import count_tokens

if TYPE_CHECKING:
    from pipelines.components.runtime.inquiry import Exchange
    from pipelines.filters import Filters
    from pipelines.querying.knowledge_base import KnowledgeBase

KEPT = 50
"""Exchanges that are kept, whatever the budget."""


class Memory:
    """What was asked and answered, by which engine."""

    def __init__(self) -> None:
        self._exchanges: list[tuple[str, Exchange]] = []

    def __len__(self) -> int:
        return len(self._exchanges)

    def add(self, answer: Answer) -> None:
        """Take in an answered question."""
        from pipelines.components.runtime.inquiry import Exchange

        nodes = tuple(dict.fromkeys(each.node for each in answer.citations))
        exchange = Exchange(answer.question, without_sources(answer.text), nodes)
        self._exchanges = [*self._exchanges, (answer.engine, exchange)][-KEPT:]

    def history(self, engine: str, tokens: int) -> tuple[Exchange, ...]:
        """The newest exchanges that fit a budget, oldest first, for a question to an engine.

        The newest one is cut where it must be. What another engine cited is left out: it may not be allowed to
        find it.
        """
        taken: list[Exchange] = []
        for asked, exchange in reversed(self._exchanges):
            size = count_tokens(exchange.question) + count_tokens(exchange.answer)
            if size > tokens and (taken or count_tokens(exchange.question) > tokens):
                break
            answer = _cut(exchange.answer, tokens - count_tokens(exchange.question))
            nodes = exchange.nodes if asked == engine else ()
            taken.append(replace(exchange, answer=answer, nodes=nodes))
            tokens -= size
        return tuple(reversed(taken))

    def clear(self) -> None:
        """Forget all."""
        self._exchanges.clear()


class Session:
    """A conversation with a knowledge base; used by one thread at a time."""

    def __init__(self, base: KnowledgeBase, engine: str = "") -> None:
        """`engine` answers where a question names none."""
        self.base, self.engine = base, engine
        self.memory = Memory()
        self.last: Answer | None = None
        """The newest answer."""

    def ask(self, question: str, engine: str = "", *, filters: Filters | None = None) -> Answer:
        """The answer to the next question."""
        *_, answer = self.stream(question, engine, filters=filters)
        assert isinstance(answer, Answer)
        return answer

    def stream(
        self, question: str, engine: str = "", *, filters: Filters | None = None
    ) -> Generator[Retrieval | str | Answer, None, None]:
        """As `KnowledgeBase.stream`; an answer that was stopped or failed is not remembered."""
        name = self.base.engine(engine or self.engine).name
        for piece in self.base.stream(question, name, history=self.history(name), filters=filters):
            if isinstance(piece, Answer):
                self.memory.add(piece)
                self.last = piece
            yield piece

    def history(self, engine: str) -> Sequence[Exchange]:
        """What an engine is told of the conversation."""
        return self.memory.history(engine, self.base.config.spec.chat.memory_tokens)

    def clear(self) -> None:
        """Begin anew."""
        self.memory.clear()
        self.last = None


def _cut(text: str, tokens: int) -> str:
    """As much of the beginning of a text as fits."""
    while text and count_tokens(text) > tokens:
        text = text[: max(0, min(len(text) - 1, int(len(text) * tokens / max(1, count_tokens(text)))))]
    return text

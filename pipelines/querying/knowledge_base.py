"""A config with its open index: what a program asks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from types import TracebackType
from typing import Self

from pipelines.catalog import answers
from pipelines.config import Config
from pipelines.errors import StorageError
from pipelines.querying.answer import Answer, Retrieval
from pipelines.querying.engine import QueryEngine
from pipelines.querying.index import OpenIndex


class KnowledgeBase:
    """Answers questions by the query engines of a config; the answers are stored in its catalog."""

    def __init__(self, config: Config) -> None:
        """Open the index; raises StorageError where nothing is ingested yet."""
        self._spec = config.spec
        self._index = OpenIndex(config)
        self._engines: dict[str, QueryEngine] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give back files and connections."""
        self._index.close()

    def engine(self, name: str = "") -> QueryEngine:
        """A query engine by its name, the first of the config by default; raises SearchaskError for another."""
        if name not in self._engines:
            self._engines[name] = QueryEngine(self._spec, self._index, name)
        return self._engines[name]

    def ask(self, question: str, engine: str = "") -> Answer:
        """The answer to a question, with its citations."""
        *_, answer = self.stream(question, engine)
        assert isinstance(answer, Answer)
        return answer

    def stream(self, question: str, engine: str = "") -> Iterator[str | Answer]:
        """Pieces of the answer as they are written, then the whole `Answer`, whose text replaces them."""
        for piece in self.engine(engine).stream(question):
            if isinstance(piece, Answer):
                with suppress(StorageError):  # a read-only storage answers all the same
                    answers.record(
                        self._index.catalog.engine, query_engine=piece.engine, answer=piece.to_dict()
                    )
            yield piece

    def retrieve(self, question: str, engine: str = "") -> Retrieval:
        """All that is found for a question, with ranks, scores and what became of each."""
        return self.engine(engine).retrieve(question)

"""A config with its open index: what a program asks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from pipelines.catalog import answers
from pipelines.config import Config
from pipelines.config.files import moderator_of
from pipelines.errors import StorageError
from pipelines.querying.answer import Answer, Retrieval
from pipelines.querying.engine import QueryEngine
from pipelines.querying.index import OpenIndex
from pipelines.querying.metering import Meter, charging, settled
from pipelines.querying.no_index import NoIndex
from pipelines.querying.trace import Trace

if TYPE_CHECKING:
    from pipelines.components.runtime.inquiry import Exchange
    from pipelines.filters import Filters
    from pipelines.querying.graph_store import CatalogGraphStore


class KnowledgeBase:
    """Answers questions by the query engines of a config; the answers are stored in its catalog."""

    def __init__(self, config: Config) -> None:
        """Open the index; raises StorageError where there are loaders and nothing is ingested yet."""
        self.config = config
        self.index: OpenIndex | NoIndex = OpenIndex(config) if config.spec.loaders else NoIndex(config)
        self._meter = Meter(config.spec, self.index.catalog.engine)
        self._moderator = moderator_of(config)
        self._engines: dict[str, QueryEngine] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give back files and connections."""
        self.index.close()

    def engine(self, name: str = "") -> QueryEngine:
        """A query engine by its name, the first of the config by default; raises SearchaskError for another."""
        if name not in self._engines:
            made = QueryEngine(
                self.config.spec, self.index, name, meter=self._meter, moderator=self._moderator
            )
            made.notes = self.config.notes.get(made.name, ())
            self._engines[name] = made
        return self._engines[name]

    def ask(self, question: str, engine: str = "", **asked: Any) -> Answer:
        """The answer to a question, with its citations; `asked` as for `stream`."""
        *_, answer = self.stream(question, engine, **asked)
        assert isinstance(answer, Answer)
        return answer

    def stream(
        self,
        question: str,
        engine: str = "",
        *,
        history: Sequence[Exchange] = (),
        filters: Filters | None = None,
    ) -> Iterator[Retrieval | str | Answer]:
        """What was found, then pieces of the answer as they are written, then the whole, which replaces them."""
        for piece in self.engine(engine).stream(question, history=history, filters=filters):
            yield self._kept(piece) if isinstance(piece, Answer) else piece

    def graph_store(self) -> CatalogGraphStore:
        """The graph as LlamaIndex's own retrievers read it; it shows what is ingested, and can't be written to."""
        from pipelines.querying.graph_store import CatalogGraphStore

        return CatalogGraphStore(self.index)

    def _kept(self, answer: Answer) -> Answer:
        """The answer with its id, once it is stored."""
        with suppress(StorageError):  # a read-only storage answers all the same
            stored = answers.record(
                self.index.catalog.engine, query_engine=answer.engine, answer=answer.to_dict()
            )
            return replace(answer, id=stored)
        return answer

    @contextmanager
    def charging(self, question: str, purpose: str) -> Iterator[None]:
        """Count and limit what this thread embeds beside the engines, as for one question."""
        trace = Trace(purpose, "", "", question)
        with settled(self._meter, purpose, trace), charging(self.index, self._meter, trace):
            yield

    def retrieve(self, question: str, engine: str = "", **asked: Any) -> Retrieval:
        """All that is found for a question, with ranks, scores and what became of each; `asked` as for `stream`."""
        return self.engine(engine).retrieve(question, **asked)

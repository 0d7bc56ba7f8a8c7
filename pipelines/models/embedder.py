"""Many texts to vectors: in batches, concurrently where the model is remote, every answer checked."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pipelines.errors import EndpointError, SearchaskError
from pipelines.models.endpoint import CallFailed, TextRefused, endpoint_error, is_transient

if TYPE_CHECKING:
    from llama_index.core.base.embeddings.base import BaseEmbedding

    from pipelines.index import Vector
    from pipelines.models.adapter import Adapter

    Matrix = np.ndarray[Any, np.dtype[np.float32]]
    Piece = tuple[list[int], Matrix]

_TOO_LARGE = frozenset({400, 413, 422})
"""Statuses that endpoints give to a batch, or a text, above their limit."""


class Embedder:
    """An embedding model, used safely: right vectors, each once, or an `EndpointError` that says what is wrong."""

    def __init__(
        self,
        model: BaseEmbedding,
        *,
        batch_size: int,
        concurrency: int,
        name: str,
        dimension: int | None = None,
        retries: int = 0,
        secrets: Sequence[str] = (),
        adapter: Adapter | None = None,
    ) -> None:
        """`retries` is for models that don't retry by themselves: what raises `EndpointError` is final."""
        self.name = name
        self.adapter = adapter
        self.dimension = dimension
        self.batch_size = max(1, min(batch_size, model.embed_batch_size))
        """Texts a request; shrinks when the endpoint refuses a batch as too large."""
        self._model = model
        self._concurrency = concurrency
        self._retries = retries
        self._secrets = tuple(secrets)
        self._lock = threading.Lock()
        self._answered = False

    @property
    def window(self) -> int:
        """Texts that keep the model busy once: all its concurrent batches."""
        return self.batch_size * self._concurrency

    def embed(self, texts: Sequence[str]) -> Iterator[Piece]:
        """Yield (positions, float32 matrix) as answers come; blank texts are never sent and yield nothing.

        What was already answered, or was on its way, is yielded before an error is raised.
        """
        waiting = [position for position, text in enumerate(texts) if text.strip()]
        refused: list[int] = []
        if self._concurrency == 1:
            while waiting:
                batch, waiting = waiting[: self.batch_size], waiting[self.batch_size :]
                yield from self._batch(texts, batch, refused)
        else:
            yield from self._concurrently(texts, waiting, refused)
        if refused:
            sizes = ", ".join(str(len(texts[position])) for position in refused[:3])
            raise TextRefused(
                f"{self.name}: {len(refused)} of {len(texts)} texts were refused, of {sizes} characters; "
                "cut smaller chunks",
                refused,
            )

    def embed_question(self, text: str) -> Vector:
        """The vector of a question, shape (dimension,)."""
        if not text.strip():
            raise SearchaskError("the question is empty")
        vector: Vector = self._checked(self._called(lambda: [self._model.get_query_embedding(text)]), 1)[0]
        return vector if self.adapter is None else self.adapter.moved(vector)

    def _concurrently(self, texts: Sequence[str], waiting: list[int], refused: list[int]) -> Iterator[Piece]:
        """Keep `concurrency` batches under way; after the first failure, wait for those only."""
        answers: queue.Queue[Piece | Exception | None] = queue.Queue()
        failure: Exception | None = None
        running = 0
        rest = deque(waiting)

        def work(batch: list[int]) -> None:
            try:
                for piece in self._batch(texts, batch, refused):
                    answers.put(piece)
                answers.put(None)
            except Exception as error:
                answers.put(error)

        while running or (rest and failure is None):
            while rest and failure is None and running < self._concurrency:
                batch = [rest.popleft() for _ in range(min(self.batch_size, len(rest)))]
                # A daemon, so that a hanging endpoint can't keep an interrupted program alive.
                threading.Thread(target=work, args=(batch,), daemon=True, name="searchask-embed").start()
                running += 1
            answer = answers.get()
            if isinstance(answer, tuple):
                yield answer
                continue
            running -= 1
            failure = failure or answer
        if failure is not None:
            raise failure

    def _batch(self, texts: Sequence[str], batch: list[int], refused: list[int]) -> Iterator[Piece]:
        """One batch, in ever smaller pieces until the endpoint takes them; texts refused alone go to `refused`."""
        size = len(batch)
        rest = batch
        alone: list[int] = []
        while rest:
            piece = rest[:size]
            try:
                matrix = self._request([texts[position] for position in piece])
            except CallFailed as error:
                if error.status not in _TOO_LARGE or (size == 1 and not self._answered):
                    raise
                if len(piece) > 1:
                    size = len(piece) // 2
                    continue
                alone += piece
            else:
                yield piece, matrix
            rest = rest[size:]
        with self._lock:
            refused += alone
            # One long text makes its batch look too large: only a batch that went through in parts tells the limit.
            if not alone and size < len(batch):
                self.batch_size = min(self.batch_size, size)

    def _request(self, texts: list[str]) -> Matrix:
        matrix = self._checked(self._called(lambda: self._model.get_text_embedding_batch(texts)), len(texts))
        self._answered = True
        return matrix

    def _called(self, call: Any) -> list[list[float]]:
        """What the model returns, after a bounded number of tries."""
        for attempt in range(self._retries + 1):
            try:
                vectors: list[list[float]] = call()
                return vectors
            except EndpointError as error:
                failure: EndpointError = error
                break
            except Exception as error:
                failure = endpoint_error(error, url="", model=self.name, secrets=self._secrets)
                if attempt == self._retries or not is_transient(error):
                    break
            time.sleep(min(0.5 * 2**attempt, 8.0))
        raise failure

    def _checked(self, vectors: list[list[float]], wanted: int) -> Matrix:
        """The vectors as a matrix, if they are what an index can trust."""
        if len(vectors) != wanted:
            raise CallFailed(f"{self.name}: {len(vectors)} vectors came for {wanted} texts")
        sizes = {len(vector) for vector in vectors}
        with self._lock:
            if self.dimension is None and len(sizes) == 1:
                self.dimension = next(iter(sizes))
            expected = self.dimension
        if sizes != {expected}:
            got = "/".join(str(size) for size in sorted(sizes))
            raise CallFailed(f"{self.name}: vectors of {got} dimensions came where {expected} were expected")
        try:
            matrix = np.asarray(vectors, dtype=np.float32)
        except (TypeError, ValueError):
            raise CallFailed(f"{self.name}: the vectors hold something other than numbers") from None
        if not np.isfinite(matrix).all():
            raise CallFailed(f"{self.name}: a vector holds NaN or infinity")
        if not matrix.any(axis=1).all():
            raise CallFailed(f"{self.name}: a vector is all zeros")
        return matrix


def embedder(spec: Any) -> Embedder:
    """The model that a spec of `components.embed_models` describes."""
    from pipelines.models.others import secret_values

    return Embedder(
        spec.build(),
        batch_size=spec.batch_size,
        concurrency=spec.concurrency,
        name=spec.label,
        retries=spec.retries if spec.type == "ollama" else 0,
        secrets=secret_values(getattr(spec, "args", {})),
        adapter=spec.held,
    )

"""Passages -> paths, each text of a model and prompt paid for once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

from pipelines.catalog.extractions import Extractions
from pipelines.catalog.rows import Triplet
from pipelines.errors import EndpointError, LimitReached
from pipelines.ingestion.cut import Cut
from pipelines.ingestion.events import Asked
from pipelines.ingestion.spending import Allowance

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

    from pipelines.components.runtime.paths import PathReader

FAILURES = 3
"""Calls in a row that an endpoint may fail before no more are made for the documents in hand."""


class Extractor:
    """An LLM that reads passages, behind the cache of the catalog."""

    def __init__(
        self,
        reader: PathReader,
        llm: LLM,
        cache: Extractions,
        allowance: Allowance,
        *,
        workers: int,
        stopped: Callable[[], bool],
    ) -> None:
        self._reader, self._llm, self._cache, self._allowance = reader, llm, cache, allowance
        self._workers, self._stopped = workers, stopped
        self.asked = Asked()

    @property
    def window(self) -> int:
        """Passages that keep the model busy for a while, so that documents are still done one after another."""
        return 8 * self._workers

    def extract(self, cuts: Sequence[Cut]) -> tuple[dict[bytes, list[Triplet]], EndpointError | None]:
        """The paths by digest, and the error that kept some from being there; a stop keeps some away as well.

        Every reply is in the cache before the next passage is sent, so nothing is paid for twice. Raises
        LimitReached.
        """
        texts = {one.node.digest: one for one in cuts}
        found = self._cache.get(list(texts))
        self.asked.from_cache += len(found)
        missing = [one for key, one in texts.items() if key not in found]
        error = self._ask_all(missing, found) if missing else None
        for key in texts:
            if key in found:
                self.asked.paths += len(found[key])
                self.asked.useless += not found[key]
        return found, error

    def _ask_all(self, missing: list[Cut], found: dict[bytes, list[Triplet]]) -> EndpointError | None:
        failure: EndpointError | None = None
        limit: LimitReached | None = None
        failed = 0
        running: dict[Future[list[Triplet]], Cut] = {}
        with ThreadPoolExecutor(self._workers, thread_name_prefix="graph") as pool:
            while True:
                halted = limit is not None or failed >= FAILURES or self._stopped()
                while missing and not halted and len(running) < self._workers:
                    one = missing.pop(0)
                    running[pool.submit(self._ask, one.text)] = one
                if not running:
                    break
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    key = running.pop(future).node.digest
                    try:
                        paths = future.result()
                    except LimitReached as error:
                        limit = error
                    except EndpointError as error:
                        failure, failed = error, failed + 1
                    else:
                        failed = 0
                        self._cache.put(key, paths)
                        self.asked.passages += 1
                        found[key] = paths
        if limit is not None:
            raise limit
        return failure

    def _ask(self, text: str) -> list[Triplet]:
        from pipelines.models.counted import CountedLLM

        reserved: list[int] = []

        def before(tokens: int) -> None:
            self._allowance.before_call(tokens)
            reserved.append(tokens)

        llm = CountedLLM(self._llm, before=before)
        try:
            return [Triplet(*each) for each in self._reader.read(llm, text)]
        finally:
            for call, tokens in zip(llm.calls, reserved, strict=True):
                self._allowance.called(call, tokens)

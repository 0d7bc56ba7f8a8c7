"""The knowledge bases that a page serves: each a config file, with its index open for as long as it is asked."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.catalog import Catalog
from pipelines.catalog.database import FILE_NAME
from pipelines.config import Config, load_config
from pipelines.errors import SearchaskError
from pipelines.page.worker import Worker
from pipelines.querying.knowledge_base import KnowledgeBase
from pipelines.shared import Shared

if TYPE_CHECKING:
    from pipelines.ingestion.plan import Plan

_Stamp = tuple[tuple[str | int, ...], ...]


class Entry:
    """One config file; what is edited or replaced on disk is noticed at the next use."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.stem
        self._lock = threading.Lock()
        self._config: Config | None = None
        self._files = [str(path)]
        self._stamp: _Stamp = ()
        self._worker: tuple[Path, Worker] | None = None
        self._opened: tuple[_Stamp, _Stamp] | None = None
        self._base: Shared[KnowledgeBase] = Shared(lambda base: base.close())
        self.planned: Plan | None = None
        """What an ingestion would do, as of the last look."""

    def config(self) -> Config:
        """The config as it is on disk now; raises ConfigError with every problem."""
        with self._lock:
            return self._current()

    def _current(self) -> Config:
        while self._config is None or _stamp(self._files) != self._stamp:
            self._config = None
            self._stamp = _stamp(self._files)  # taken before: what is edited meanwhile is read again
            config = load_config(self.path)
            files = sorted({str(self.path), *(value.file for _, value in config.tree.walk())})
            if config.spec.embed_model.adapter:
                files.append(str(config.resolve("embed_model", "adapter")))
            if files == self._files:
                self._config = config
            self._files = files
        return self._config

    @contextmanager
    def open(self) -> Iterator[KnowledgeBase]:
        """The open index, shared by all who ask; raises ConfigError, and StorageError where nothing is ingested."""
        with ExitStack() as held:
            with self._lock:
                config = self._current()
                made_of = (self._stamp, _identity(config))
                if self._base.value is None or made_of != self._opened:
                    self._base.replace(None)
                    self._base.replace(KnowledgeBase(config))
                    self._opened = made_of
                base = held.enter_context(self._base.borrow())
            assert base is not None
            yield base

    @property
    def worker(self) -> Worker:
        """What ingests in the background; another one where the config names another storage."""
        with self._lock:
            config = self._current()
            if self._worker is None or self._worker[0] != config.storage:
                self._worker = config.storage, Worker(config)
            return self._worker[1]

    @contextmanager
    def catalog(self) -> Iterator[Catalog | None]:
        """The catalog to read; None where nothing was ever ingested."""
        config = self.config()
        if config.catalog_url is None and not _identity(config):
            yield None
            return
        catalog = Catalog(config.storage, config.catalog_url)
        try:
            yield catalog
        finally:
            catalog.close()

    def ingested(self) -> bool:
        """Whether something was ever ingested, as far as a look at the storage tells."""
        return bool(_identity(self.config()))

    def close(self) -> None:
        """Give back files and connections."""
        with self._lock:
            self._base.replace(None)


class Site:
    """Every config of a folder, or one file."""

    def __init__(self, place: Path) -> None:
        """Raises SearchaskError where there is none."""
        found = place.glob("*.yaml") if place.is_dir() else [place]
        files = [file for file in found if file.is_file()]
        if not files:
            raise SearchaskError(f"{place}: there is no config here; write one with `searchask init DIR`")
        files.sort(key=lambda file: (file.stem != "default", file.stem))
        self.entries = {file.stem: Entry(file) for file in files}

    def entry(self, name: str) -> Entry:
        """One knowledge base by its name, which comes from a browser; raises SearchaskError for another."""
        if name not in self.entries:
            raise SearchaskError(
                f"no knowledge base is called {name!r}; there are: {', '.join(self.entries)}"
            )
        return self.entries[name]

    @property
    def first(self) -> str:
        """The name of the first whose config is right, or of the first."""
        for name, entry in self.entries.items():
            with suppress(SearchaskError):
                entry.config()
                return name
        return next(iter(self.entries))

    def warm(self) -> None:
        """Open what is shown first and load its model, so that the first question need not wait for them."""
        with suppress(SearchaskError), self.entries[self.first].open() as base:
            base.index.embed_question("warm")

    def close(self) -> None:
        """Give back files and connections."""
        for entry in self.entries.values():
            entry.close()


def _stamp(files: list[str]) -> _Stamp:
    found = []
    for file in files:
        with suppress(OSError):
            stat = Path(file).stat()
            found.append((file, stat.st_mtime_ns, stat.st_size, stat.st_ino))
    return tuple(found)


def _identity(config: Config) -> _Stamp:
    """Which storage this is: SQLite goes on reading a file that was deleted or replaced."""
    file = config.storage / FILE_NAME
    try:
        stat = file.stat()
    except OSError:
        return ()
    return ((str(file), stat.st_dev, stat.st_ino),)

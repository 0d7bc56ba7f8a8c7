"""Vectors in Chroma: ids and embeddings only, since its own full-text table is five times slower than the rest."""

from __future__ import annotations

import ctypes
import itertools
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pipelines.errors import SearchaskError, StorageError
from pipelines.index import Hit
from pipelines.vectors import hnsw
from pipelines.vectors.turns import Turns

if TYPE_CHECKING:
    from pipelines.index import Vector

WRITE = 2_000
"""Vectors a call, at most: more is no faster, and readers of the same folder wait for one call."""

_PERTURB = -6
"""glibc's number of the option that fills allocated memory."""
_PAGE = 5_000
_LOOK = 200
"""Vectors looked at when a collection is opened: damage shows, and it takes two milliseconds."""
_TURN = "turn.lock"
_HNSW = {
    "space": "cosine",
    "ef_construction": 50,
    "ef_search": 100,
    "max_neighbors": 16,
    "sync_threshold": 1_000,
}
"""Over 50,000 vectors: recall of the best 20 is 0.998 in 1.1 ms; 100 at construction gives 0.999 at half the speed."""


class DamagedVectors(StorageError):
    """The vectors are there but can't be read, as after a kill in mid-write: discard them and add them again."""


class ChromaIndex:
    """One collection of a Chroma folder or server.

    A folder may be open in any number of processes, one of which writes. Chroma has no lock for that: a process that
    loads the HNSW files while another writes them damages them for good ("Error finding id"). So loading and writing
    take turns.
    """

    def __init__(self, chroma: Folder | Server, *, collection: str, dimension: int) -> None:
        self._chroma = chroma
        self._name = collection
        with reported(chroma.where), chroma.turn:
            self._client = chroma.client()
            try:
                self._collection = self._client.get_or_create_collection(
                    collection, configuration={"hnsw": _HNSW}, embedding_function=None
                )
                self._load(dimension)
                self._batch = min(WRITE, int(self._client.get_max_batch_size()))
            except BaseException:
                self.close()
                raise

    def _load(self, dimension: int) -> None:
        """Load the HNSW files, which the first query does, and see that they hold what the collection holds."""
        if short := self._chroma.short_file(str(self._collection.id)):
            raise DamagedVectors(_damaged(self._chroma.where, f"{short} is cut off"))
        held = int(self._collection.count())
        found = self._collection.query(query_embeddings=[[1.0] * dimension], n_results=_LOOK, include=[])
        if len(found["ids"][0]) * 2 < min(held, _LOOK):
            raise DamagedVectors(_damaged(self._chroma.where, f"{held} vectors are recorded but not found"))

    def add(self, ids: Sequence[str], vectors: Vector) -> None:
        """Insert or replace; any number at once."""
        for start in range(0, len(ids), self._batch):
            end = start + self._batch
            with reported(self._chroma.where), self._chroma.turn:
                self._collection.upsert(ids=list(ids[start:end]), embeddings=vectors[start:end])

    def delete(self, ids: Sequence[str]) -> None:
        """Remove; an id that is not there is no error."""
        for start in range(0, len(ids), self._batch):
            with reported(self._chroma.where), self._chroma.turn:
                self._collection.delete(ids=list(ids[start : start + self._batch]))

    def query(self, vector: Sequence[float], top_k: int) -> list[Hit]:
        """The closest by cosine similarity, best first."""
        with reported(self._chroma.where):
            found = self._collection.query(query_embeddings=[vector], n_results=top_k, include=["distances"])
        pairs = zip(found["ids"][0], found["distances"][0], strict=True)
        return [Hit(id=each, score=1.0 - distance) for each, distance in pairs]

    def ids(self) -> Iterator[str]:
        """Every id that is held."""
        for start in itertools.count(0, _PAGE):
            with reported(self._chroma.where):
                page = self._collection.get(include=[], limit=_PAGE, offset=start)["ids"]
            yield from page
            if len(page) < _PAGE:
                return

    def count(self) -> int:
        """How many are held."""
        with reported(self._chroma.where):
            return int(self._collection.count())

    def drop(self) -> None:
        """Delete the collection and everything in it."""
        with reported(self._chroma.where), self._chroma.turn:
            self._client.delete_collection(self._name)

    def close(self) -> None:
        """Give back files and connections; a second call does nothing."""
        self._client.close()
        self._chroma.release()


class Folder:
    """Chroma in this process, over a folder."""

    _used: ClassVar[set[str]] = set()
    _lock = threading.Lock()

    def __init__(self, folder: Path) -> None:
        self.where = str(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.turn: AbstractContextManager[None] = Turns(folder / _TURN)
        except OSError as error:
            raise StorageError(f"{folder}: can't be used for vectors: {error.strerror}") from None
        self._path = ""

    def client(self) -> Any:
        """A client of its own: Chroma shares one per path, which would go on showing what it first loaded."""
        _clean_memory()
        import chromadb
        from chromadb.config import Settings

        with Folder._lock:
            spellings = (self.where + "/." * times for times in itertools.count())
            self._path = next(path for path in spellings if path not in Folder._used)
            Folder._used.add(self._path)
        # Where this fails Chroma keeps what is half made under the path, so this spelling is not given back.
        return chromadb.PersistentClient(self._path, settings=Settings(anonymized_telemetry=False))

    def release(self) -> None:
        """Allow the path's spelling to be used again."""
        with Folder._lock:
            Folder._used.discard(self._path)

    def short_file(self, collection: str) -> str:
        """A file of the collection that is cut off; empty if there is none."""
        return hnsw.short_file(Path(self.where), collection)

    def clear(self) -> None:
        """Delete all that Chroma holds in the folder."""
        for each in Path(self.where).iterdir():
            if each.is_dir():
                shutil.rmtree(each)
            elif not each.name.startswith(_TURN):
                each.unlink()


def _clean_memory() -> None:
    """Let the C library zero the memory that it hands out, from now on.

    Chroma writes HNSW blocks to disk whole, also the parts it never set: in memory that was used before, they
    held an API key of an earlier request (a test found it in data_level0.bin). Other C libraries are left as is.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_PERTURB, 0xFF)  # what is allocated is filled with the complement


class Server:
    """Chroma behind HTTP, which takes care of its readers and writers itself."""

    def __init__(self, host: str, port: int, *, ssl: bool, headers: dict[str, str]) -> None:
        self.where = f"http{'s' if ssl else ''}://{host}:{port}"
        self.turn: AbstractContextManager[None] = nullcontext()
        self._options: dict[str, Any] = {"host": host, "port": port, "ssl": ssl, "headers": headers}

    def client(self) -> Any:
        """A client; raises where the server doesn't answer."""
        import chromadb
        from chromadb.config import Settings

        return chromadb.HttpClient(**self._options, settings=Settings(anonymized_telemetry=False))

    def release(self) -> None:
        """Nothing is held."""

    def short_file(self, collection: str) -> str:
        """None that can be seen from here."""
        return ""

    def clear(self) -> None:
        """A server's own files are out of reach."""
        raise DamagedVectors(_damaged(self.where, "the server can't read them"))


def discard(chroma: Folder | Server, collection: str) -> None:
    """Delete a collection without reading it, so that a damaged one goes too; with the folder, if that is damaged."""
    with chroma.turn:
        try:
            with reported(chroma.where):
                client = chroma.client()
        except DamagedVectors:
            chroma.clear()
            return
        with reported(chroma.where):
            try:
                if collection in {each.name for each in client.list_collections()}:
                    client.delete_collection(collection)
            finally:
                client.close()
                chroma.release()


@contextmanager
def reported(where: str) -> Iterator[None]:
    """Turn whatever Chroma raises, Rust panics included, into a `StorageError` that says what would help."""
    try:
        yield
    except SearchaskError:
        raise
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:
        failure = _failure(where, " ".join(str(error).split())[:200] or type(error).__name__)
        if type(error).__name__ == "PanicException":  # of Rust, which no import path leads to
            failure = DamagedVectors(str(failure))
    else:
        return
    raise failure


def _failure(where: str, said: str) -> StorageError:
    small = said.lower()
    for signs, message in _CAUSES.items():
        if any(sign in small for sign in signs):
            return StorageError(f"{where}: {message} ({said})")
    if any(sign in small for sign in _DAMAGE):
        return DamagedVectors(_damaged(where, said))
    return StorageError(f"{where}: {said}")


_CAUSES = {
    ("readonly", "read-only", "permission denied"): "the vectors can't be written to; check the permissions",
    ("disk is full", "no space left"): "the disk is full",
    ("disk i/o error",): "the disk failed a read or a write; see that it has space left and is sound",
    ("too many open files",): "too many files are open",
    (
        "database is locked",
        "could not be acquired",
    ): "another program holds the vectors; try again when it is done",
    (
        "could not connect",
        "connection refused",
        "timed out",
    ): "the Chroma server doesn't answer; check host, port, ssl",
    ("expecting embedding with dimension",): "the collection belongs to another embed_model",
}
_DAMAGE = (
    "finding id",
    "hnsw",
    "pickle",
    "backfill",
    "apply logs",
    "malformed",
    "not a database",
    "missing field",
    "missing metadata",
    "does not exist",
)
"""What Chroma's errors hold where its files contradict each other; a collection made half by a killed process too."""


def _damaged(where: str, said: str) -> str:
    return (
        f"{where}: the vectors are damaged ({said}); run ingest, which builds them again from what is stored"
    )

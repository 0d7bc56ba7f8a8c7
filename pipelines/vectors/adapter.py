"""Any vector store of LlamaIndex as a vector index."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from llama_index.core.schema import TextNode
from llama_index.core.vector_stores.types import BasePydanticVectorStore, VectorStoreQuery

from pipelines.errors import SearchaskError, StorageError
from pipelines.index import Hit
from pipelines.models.endpoint import redacted
from pipelines.models.others import instance, secret_values

if TYPE_CHECKING:
    from pipelines.index import Vector

_BATCH = 1_000


class AdaptedIndex:
    """A LlamaIndex store behind our verbs; a hit's score is what the store calls similarity."""

    def __init__(self, store: BasePydanticVectorStore, *, name: str, secrets: tuple[str, ...] = ()) -> None:
        self._store = store
        self._name = name
        self._secrets = secrets

    def add(self, ids: Sequence[str], vectors: Vector) -> None:
        """Insert or replace; any number at once."""
        for start in range(0, len(ids), _BATCH):
            some = list(ids[start : start + _BATCH])
            nodes = [
                TextNode(id_=each, text="", embedding=vector.tolist())
                for each, vector in zip(some, vectors[start : start + _BATCH], strict=True)
            ]
            # Many stores ignore, or double, an id that exists (ChromaVectorStore.add: the former).
            self._called(lambda some=some: self._store.delete_nodes(some))
            self._called(lambda nodes=nodes: self._store.add(nodes))

    def delete(self, ids: Sequence[str]) -> None:
        """Remove; an id that is not there is no error."""
        for start in range(0, len(ids), _BATCH):
            some = list(ids[start : start + _BATCH])
            self._called(lambda some=some: self._store.delete_nodes(some))

    def query(self, vector: Sequence[float], top_k: int) -> list[Hit]:
        """The closest, best first."""
        question = VectorStoreQuery(query_embedding=[float(each) for each in vector], similarity_top_k=top_k)
        found = self._called(lambda: self._store.query(question))
        ids = found.ids or [node.node_id for node in found.nodes or []]
        return [
            Hit(id=each, score=float(score))
            for each, score in zip(ids, found.similarities or [], strict=True)
        ]

    def ids(self) -> Iterator[str]:
        """Every id that is held; raises `SearchaskError` where the store can't list them."""
        nodes = self._called(lambda: self._store.get_nodes(None))
        yield from [node.node_id for node in nodes]

    def count(self) -> int:
        """How many are held; raises `SearchaskError` where the store can't list them."""
        return sum(1 for _ in self.ids())

    def drop(self) -> None:
        """Remove every vector."""
        self._called(self._store.clear)

    def close(self) -> None:
        """Close the store's client, where it can be closed."""
        close = getattr(getattr(self._store, "client", None), "close", None)
        if callable(close):
            self._called(close)

    def _called(self, call: Any) -> Any:
        try:
            return call()
        except NotImplementedError:
            failure: SearchaskError = SearchaskError(
                f"{self._name} can't do this; vector_store type chroma can"
            )
        except Exception as error:
            said = " ".join(redacted(str(error), self._secrets).split())[:300]
            failure = StorageError(f"{self._name}: {said or type(error).__name__}")
        raise failure


def opened(
    path: str, args: dict[str, Any], own: dict[str, Any], *, method: str | None = None
) -> AdaptedIndex:
    """The store of the class at `path`, with `{collection}` and the like in `args` filled in from `own`."""
    store = instance(path, BasePydanticVectorStore, _filled(args, own), method=method)
    return AdaptedIndex(store, name=path.rpartition(".")[2], secrets=secret_values(args))


def _filled(value: Any, own: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(each, own) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, own) for each in value]
    if not isinstance(value, str):
        return value
    if value == "{dimension}":
        return own["dimension"]
    for name, each in own.items():
        value = value.replace("{" + name + "}", str(each))
    return value

"""Any property graph store of LlamaIndex behind the three verbs that all of them do alike."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from llama_index.core.graph_stores.types import LabelledNode, PropertyGraphStore, Relation
from llama_index.core.schema import BaseNode

from pipelines.errors import SearchaskError, StorageError
from pipelines.extras import llama_index_class
from pipelines.models.endpoint import redacted
from pipelines.models.others import instance, secret_values


class GraphMirror:
    """A store that is written to. Only ids say what is deleted: stores differ in what else they delete by."""

    def __init__(
        self, store: PropertyGraphStore, *, name: str, secrets: tuple[str, ...] = (), file: Path | None = None
    ) -> None:
        self.store, self._name, self._secrets, self._file = store, name, secrets, file
        self.empty = file is not None and not file.exists()
        """Whether the store is known to hold nothing, since its file is not there."""

    def delete(self, ids: Sequence[str]) -> None:
        """Remove nodes with all their relations; nodes at the other ends may go too, and must be put back."""
        if ids:
            self._called(lambda: self.store.delete(ids=list(ids)))

    def put(
        self,
        passages: Sequence[BaseNode],
        entities: Sequence[LabelledNode],
        relations: Sequence[Relation],
    ) -> None:
        """Insert or replace nodes, and insert relations where they are not there."""
        if passages:
            self._called(lambda: self.store.upsert_llama_nodes(list(passages)))
        if entities:
            self._called(lambda: self.store.upsert_nodes(list(entities)))
        if relations:
            self._called(lambda: self.store.upsert_relations(list(relations)))

    def flush(self) -> None:
        """Make durable what was written, where the store has no database of its own."""
        file = self._file
        if file is None:
            return
        beside = file.with_name(f"{file.name}.new")

        def write() -> None:
            file.parent.mkdir(parents=True, exist_ok=True)
            self.store.persist(str(beside))
            os.replace(beside, file)  # noqa: PTH105 - one step: a kill leaves the old or the new

        self._called(write)

    def close(self) -> None:
        """Give back connections, where there are any."""
        close = getattr(self.store, "close", None)
        if callable(close):
            self._called(close)

    def _called(self, call: Callable[[], object]) -> None:
        failure: SearchaskError | None = None
        try:
            call()
        except Exception as error:  # each store raises what its client library does
            said = " ".join(redacted(str(error), self._secrets).split())[:300]
            failure = StorageError(f"graph_store {self._name}: {said or type(error).__name__}")
        if failure:
            raise failure


def opened(path: str, args: dict[str, Any], *, file: Path | None = None) -> GraphMirror:
    """The store of the class at `path`, read from its file where it has one; raises `SearchaskError`."""
    name = path.rpartition(".")[2]
    if file is not None and file.exists():
        if not callable(getattr(llama_index_class(path), "from_persist_path", None)):
            raise SearchaskError(f"class {path!r} can't be kept in a file: leave out `file`")
        made = instance(path, PropertyGraphStore, {"persist_path": str(file)}, method="from_persist_path")
    else:
        made = instance(path, PropertyGraphStore, args)
    return GraphMirror(made, name=name, secrets=secret_values(args), file=file)

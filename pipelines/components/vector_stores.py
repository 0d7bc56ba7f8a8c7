"""Where vectors live: `vector_store:`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, PositiveInt, SecretStr, field_serializer, model_validator
from pydantic_core import PydanticCustomError

from pipelines.spec import Spec

if TYPE_CHECKING:
    from pipelines.index import VectorIndex
    from pipelines.vectors.chroma import Folder, Server


class ChromaStore(Spec):
    """Chroma: embedded under `storage`, or a server where `host` is set."""

    type: Literal["chroma"]
    host: str | None = None
    """Host name of a Chroma server (`chroma run`); without it Chroma runs embedded, in a folder under `storage`."""
    port: PositiveInt = 8000
    """Port of the server."""
    ssl: bool = False
    """Reach the server by https."""
    token: SecretStr | None = None
    """Token that the server asks for."""
    token_header: Literal["Authorization", "X-Chroma-Token"] = "Authorization"
    """Header that carries the token; `Authorization` sends it as a bearer token."""

    operational: ClassVar[frozenset[str]] = frozenset({"ssl", "token", "token_header"})

    @model_validator(mode="after")
    def _server_fields(self) -> ChromaStore:
        alone = self.model_fields_set & {"port", "ssl", "token", "token_header"}
        if self.host is None and alone:
            raise PydanticCustomError("host", "{fields} needs host", {"fields": ", ".join(sorted(alone))})
        return self

    def build(self, *, storage: Path, collection: str, dimension: int) -> VectorIndex:
        """Open the collection, made where it is missing; raises `DamagedVectors` where it can't be read."""
        from pipelines.vectors.chroma import ChromaIndex

        return ChromaIndex(self._chroma(storage), collection=collection, dimension=dimension)

    def discard(self, *, storage: Path, collection: str) -> None:
        """Delete the collection without opening it; for one that is damaged."""
        from pipelines.vectors.chroma import discard

        discard(self._chroma(storage), collection)

    def present(self, storage: Path) -> bool:
        """Whether the files of the vectors are there: a look, no check; always so for a server."""
        return self.host is not None or (storage / "chroma" / "chroma.sqlite3").is_file()

    def _chroma(self, storage: Path) -> Folder | Server:
        from pipelines.vectors.chroma import Folder, Server

        if self.host is None:
            return Folder(storage / "chroma")
        headers: dict[str, str] = {}
        if self.token:
            secret = self.token.get_secret_value()
            headers[self.token_header] = (
                f"Bearer {secret}" if self.token_header == "Authorization" else secret
            )
        return Server(self.host, self.port, ssl=self.ssl, headers=headers)


class LlamaIndexStore(Spec):
    """Any vector store of LlamaIndex that keeps what it holds."""

    type: Literal["llama_index"]
    class_: str = Field(alias="class")
    """Dotted path of the class, under `llama_index.`."""
    args: dict[str, Any]
    """Arguments of the class; `{collection}`, `{storage}` and `{dimension}` in them stand for this index's own."""
    method: str | None = None
    """Class method that makes the store, such as `from_params`; the class itself where unset."""

    @model_validator(mode="after")
    def _collection(self) -> LlamaIndexStore:
        if "{collection}" not in repr(self.args):
            raise PydanticCustomError(
                "collection",
                'one of args must hold "{collection}", so that the vectors of two models stay apart',
            )
        return self

    def identity(self) -> dict[str, Any]:
        """The class and those arguments that decide what is found: no keys, addresses or timeouts."""
        from pipelines.models.others import lasting

        return {**super().identity(), "args": lasting(self.args)}

    @field_serializer("args", when_used="json")
    def _without_secrets(self, args: dict[str, Any]) -> dict[str, Any]:
        from pipelines.models.others import masked

        return masked(args)

    def present(self, storage: Path) -> bool:
        """Whether the vectors may be there: always, since only the store itself knows."""
        return True

    def build(self, *, storage: Path, collection: str, dimension: int) -> VectorIndex:
        """The store behind the same verbs as Chroma; raises `SearchaskError` where its class or args are wrong."""
        from pipelines.vectors.adapter import opened

        own = {"collection": collection, "storage": str(storage), "dimension": dimension}
        return opened(self.class_, self.args, own, method=self.method)

    def discard(self, *, storage: Path, collection: str) -> None:
        """Delete the collection's vectors, where the store can."""
        store = self.build(storage=storage, collection=collection, dimension=1)
        store.drop()
        store.close()


VectorStore = Annotated[ChromaStore | LlamaIndexStore, Field(discriminator="type")]

"""Where the graph is kept besides the catalog: `graph_store:`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, PositiveFloat, SecretStr, field_serializer

from pipelines.spec import Spec

if TYPE_CHECKING:
    from pipelines.vectors.graph import GraphMirror


class CatalogGraph(Spec):
    """The catalog alone; nothing else is needed."""

    type: Literal["catalog"]

    def build(self, *, storage: Path) -> GraphMirror | None:
        """None: the catalog has the graph already."""
        return None


class Neo4jGraph(Spec):
    """A Neo4j database with the APOC plugin, kept in step with the catalog; one for each knowledge base."""

    type: Literal["neo4j"]
    url: str
    """Address, such as `bolt://localhost:7687`."""
    username: str = "neo4j"
    """Who logs in."""
    password: SecretStr
    """The password."""
    database: str = "neo4j"
    """Name of the database; nothing else should be kept in it."""
    timeout: PositiveFloat = 20.0
    """Seconds to try to reach the database."""

    operational: ClassVar[frozenset[str]] = frozenset({"username", "password", "timeout"})

    def build(self, *, storage: Path) -> GraphMirror:
        """The open database; raises `MissingExtra` or `SearchaskError`."""
        from pipelines.extras import require
        from pipelines.vectors.graph import opened

        path = "llama_index.graph_stores.neo4j"
        require(path, extra="neo4j", what="graph_store type neo4j")
        args = {
            "username": self.username,
            "password": self.password.get_secret_value(),
            "url": self.url,
            "database": self.database,
            "refresh_schema": False,
            "connection_timeout": self.timeout,
            "max_transaction_retry_time": self.timeout,
        }
        return opened(f"{path}.Neo4jPropertyGraphStore", args)


class LlamaIndexGraph(Spec):
    """Any other property graph store of LlamaIndex, kept in step with the catalog."""

    type: Literal["llama_index"]
    class_: str = Field(alias="class")
    """Dotted path of the class, under `llama_index.`."""
    args: dict[str, Any] = Field(default_factory=dict)
    """Arguments of the class; `{storage}` in them stands for the `storage` of this config."""
    file: str = Field(default="", pattern=r"^\w[\w.-]*$")
    """For a store that lives in memory, such as `SimplePropertyGraphStore`: file in `storage` that keeps it."""

    def identity(self) -> dict[str, Any]:
        """The class and those of its arguments that are no secrets, timeouts and the like."""
        from pipelines.models.others import masked

        return {**super().identity(), "args": masked(self.args)}

    @field_serializer("args", when_used="json")
    def _without_secrets(self, args: dict[str, Any]) -> dict[str, Any]:
        from pipelines.models.others import masked

        return masked(args)

    def build(self, *, storage: Path) -> GraphMirror:
        """The open store; raises `SearchaskError` where the class or its args are wrong."""
        from pipelines.vectors.graph import opened

        args = {
            name: value.replace("{storage}", str(storage)) if isinstance(value, str) else value
            for name, value in self.args.items()
        }
        return opened(self.class_, args, file=storage / self.file if self.file else None)


GraphStore = Annotated[CatalogGraph | Neo4jGraph | LlamaIndexGraph, Field(discriminator="type")]

"""Which graph store a config opens, and with what."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from pipelines.components.graph_stores import CatalogGraph, LlamaIndexGraph, Neo4jGraph
from pipelines.errors import MissingExtra, SearchaskError


def test_the_catalog_needs_no_other(tmp_path: Path) -> None:
    assert CatalogGraph(type="catalog").build(storage=tmp_path) is None


def neo4j(**more: Any) -> Neo4jGraph:
    return Neo4jGraph(type="neo4j", url="bolt://127.0.0.1:9", password="hunter2hunter2", **more)


def test_without_its_package_neo4j_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [each for each in sys.modules if each.startswith("llama_index.graph_stores")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "llama_index.graph_stores.neo4j", None)
    with pytest.raises(
        MissingExtra, match=r'graph_store type neo4j needs an extra: pip install "searchask\[neo4j\]"'
    ):
        neo4j().build(storage=tmp_path)


def test_neo4j_is_opened_with_what_the_config_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = pytest.importorskip(
        "llama_index.graph_stores.neo4j.neo4j_property_graph", reason="needs the extra neo4j"
    )
    said: list[tuple[str, Any]] = []

    class Driver:
        """Stands for the connection: no server is asked."""

        def __init__(self, url: str, auth: tuple[str, str], **options: Any) -> None:
            assert options["connection_timeout"] == 3
            said.append((url, auth))

        def close(self) -> None:
            said.append(("closed", ()))

    monkeypatch.setattr(module.neo4j.GraphDatabase, "driver", Driver)
    monkeypatch.setattr(module.neo4j.AsyncGraphDatabase, "driver", Driver)
    queries: list[str] = []

    def answer(self: Any, query: str, param_map: Any = None) -> list[dict[str, Any]]:
        queries.append(query)
        return [{"versions": ["5.23.0"], "edition": "community"}]

    monkeypatch.setattr(module.Neo4jPropertyGraphStore, "structured_query", answer)
    made = neo4j(username="ada", database="kb", timeout=3).build(storage=tmp_path)
    assert isinstance(made.store, module.Neo4jPropertyGraphStore)
    assert said[0] == ("bolt://127.0.0.1:9", ("ada", "hunter2hunter2"))
    assert made.store._database == "kb"
    made.delete(["a", "b"])
    assert "DETACH DELETE" in queries[-1]
    made.close()
    assert said[-1][0] == "closed"


def test_a_password_is_no_part_of_its_identity() -> None:
    assert "hunter2" not in str(neo4j().identity())
    assert neo4j().identity() == neo4j(username="bo").identity()
    assert neo4j().identity() != neo4j(database="other").identity()


def test_a_class_that_is_no_graph_store_is_refused(tmp_path: Path) -> None:
    made = LlamaIndexGraph.model_validate(
        {"type": "llama_index", "class": "llama_index.core.schema.TextNode"}
    )
    with pytest.raises(SearchaskError, match="is no PropertyGraphStore"):
        made.build(storage=tmp_path)
    made = LlamaIndexGraph.model_validate({"type": "llama_index", "class": "os.path"})
    with pytest.raises(SearchaskError, match="must live under llama_index"):
        made.build(storage=tmp_path)


def test_storage_is_filled_in(tmp_path: Path) -> None:
    spec = {
        "type": "llama_index",
        "class": "llama_index.core.graph_stores.SimplePropertyGraphStore",
        "args": {"nothing_of_the_kind": "{storage}/x", "api_key": "hunter2hunter2"},
    }
    with pytest.raises(SearchaskError, match="nothing_of_the_kind") as told:
        LlamaIndexGraph.model_validate(spec).build(storage=tmp_path)
    assert "hunter2" not in str(told.value)

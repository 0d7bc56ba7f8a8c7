"""Vector stores of LlamaIndex behind our verbs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from pipelines.components.vector_stores import VectorStore
from pipelines.errors import SearchaskError, StorageError

CHROMA = {
    "type": "llama_index",
    "class": "llama_index.vector_stores.chroma.ChromaVectorStore",
    "method": "from_params",
    "args": {
        "collection_name": "{collection}",
        "persist_dir": "{storage}/elsewhere",
        "collection_kwargs": {"metadata": {"hnsw:space": "cosine"}},
    },
}


def opened(storage: Path, config: dict, collection: str = "gen-1"):
    spec = TypeAdapter(VectorStore).validate_python(config)
    return spec.build(storage=storage, collection=collection, dimension=8)


def drawn(count: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(count, 8)).astype(np.float32)


def test_a_store_that_keeps_what_it_holds(tmp_path: Path) -> None:
    matrix = drawn(1_200)
    names = [f"n{number}" for number in range(1_200)]
    index = opened(tmp_path, CHROMA)
    index.add(names, matrix)
    index.add(["n0"], matrix[5:6])  # replaces, which ChromaVectorStore.add alone does not
    assert {hit.id for hit in index.query(matrix[5], 2)} == {"n0", "n5"}
    index.delete(["n0", "n1", "never"])
    assert index.count() == 1_198
    assert "n1" not in set(index.ids())
    other = opened(tmp_path, CHROMA, "gen-2")
    assert other.count() == 0
    index.drop()
    assert index.count() == 0
    index.close()
    other.close()


def test_a_store_that_can_not_list(tmp_path: Path) -> None:
    simple = {
        "type": "llama_index",
        "class": "llama_index.core.vector_stores.SimpleVectorStore",
        "args": {"namespace": "{collection}"},
    }
    index = opened(tmp_path, simple)
    index.add(["a", "b"], drawn(2))
    assert index.query(drawn(2)[1], 1)[0].id == "b"
    assert index.query(drawn(2)[1], 1)[0].score == pytest.approx(1)
    with pytest.raises(SearchaskError, match="SimpleVectorStore can't do this; vector_store type chroma can"):
        list(index.ids())
    index.delete(["b"])
    assert [hit.id for hit in index.query(drawn(2)[1], 5)] == ["a"]
    index.close()


def test_errors_of_the_store(tmp_path: Path) -> None:
    index = opened(tmp_path, CHROMA)
    index.add(["a"], drawn(1))
    with pytest.raises(StorageError, match=r"ChromaVectorStore: .*dimension"):
        index.query([1.0] * 9, 1)
    with pytest.raises(SearchaskError, match="has no method 'from_nowhere'"):
        opened(tmp_path, {**CHROMA, "method": "from_nowhere"})


def test_one_argument_must_name_the_collection() -> None:
    with pytest.raises(ValidationError, match="one of args must hold"):
        TypeAdapter(VectorStore).validate_python({**CHROMA, "args": {"collection_name": "mine"}})


def test_identity_leaves_out_addresses_and_keys() -> None:
    args = {"collection_name": "{collection}", "host": "a", "api_key": "sk-1234567"}
    spec = TypeAdapter(VectorStore).validate_python({**CHROMA, "args": args})
    assert spec.identity()["args"] == {"collection_name": "{collection}"}
    assert "sk-1234567" not in spec.model_dump_json()

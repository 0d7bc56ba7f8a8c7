"""`embed_model:` from config to model."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from pipelines.components.embed_models import EmbedModel, OpenAIModel
from pipelines.errors import MissingExtra, SearchaskError
from pipelines.spec import Spec
from tests.support.openai_server import OpenAIServer, vectors

MOCK = {"type": "llama_index", "class": "llama_index.core.embeddings.MockEmbedding"}
EXAMPLES = {
    "local": {"type": "local"},
    "fake": {"type": "fake"},
    "openai": {"type": "openai", "api_key": "sk-1234567"},
    "openai_like": {"type": "openai_like", "model": "bge-m3", "base_url": "http://localhost:1/v1"},
    "huggingface": {"type": "huggingface", "model": "BAAI/bge-m3"},
    "fastembed": {"type": "fastembed"},
    "ollama": {"type": "ollama", "model": "bge-m3"},
    "llama_index": {**MOCK, "args": {"embed_dim": 4}},
}


def spec(**fields: object) -> EmbedModel:
    return TypeAdapter(EmbedModel).validate_python(fields)


@pytest.mark.parametrize("kind", EXAMPLES)
def test_every_type_has_what_others_rely_on(kind: str) -> None:
    model = spec(**EXAMPLES[kind])
    assert isinstance(model, Spec)
    assert model.batch_size > 0
    assert model.concurrency > 0
    assert model.price in (None, 0)
    assert model.label
    assert model.operational <= set(type(model).model_fields)
    assert "batch_size" not in model.identity()
    assert "sk-1234567" not in str(model.identity()) + model.model_dump_json() + repr(model) + model.label


def test_the_examples_are_all_types() -> None:
    members = TypeAdapter(EmbedModel).json_schema()["discriminator"]["mapping"]
    assert set(members) == set(EXAMPLES)


@pytest.mark.parametrize("kind", ["huggingface", "fastembed", "ollama"])
def test_a_missing_package_is_named_with_its_extra(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, f"llama_index.embeddings.{kind}", None)
    with pytest.raises(MissingExtra, match=rf"embed_model type {kind} needs an extra: .*searchask\[{kind}\]"):
        spec(**EXAMPLES[kind]).build()


def test_where_a_model_runs_is_not_which_model_it_is() -> None:
    here = spec(type="openai_like", model="m", base_url="http://a/v1", api_key="k1", timeout=5)
    there = spec(type="openai_like", model="m", base_url="http://b/v1", concurrency=9, price=0.1)
    other = spec(type="openai_like", model="m", base_url="http://a/v1", text_prefix="passage: ")
    assert here.identity() == there.identity()
    assert here.identity() != other.identity()


def test_no_key_is_said_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(SearchaskError, match="needs a key: set api_key, or the variable OPENAI_API_KEY"):
        OpenAIModel(type="openai").build()
    monkeypatch.setenv("OPENAI_API_KEY", "sk-x\ny")
    with pytest.raises(SearchaskError, match="copy it again") as caught:
        OpenAIModel(type="openai").build()
    assert "sk-x" not in str(caught.value)


def test_openai_with_any_model_name(openai_server: OpenAIServer) -> None:
    openai_server.reset(key="sk-right")
    model = spec(
        type="openai", model="bge-m3", base_url=openai_server.url, api_key="sk-right", dimensions=384
    )
    ((_, matrix),) = model.embedder().embed(["年假"])
    assert np.allclose(matrix, vectors("bge-m3", ["年假"]), atol=1e-6)
    assert openai_server.requests[0].body["dimensions"] == 384


def test_a_real_model_behind_the_protocol(openai_server: OpenAIServer) -> None:
    model = spec(type="openai_like", model="e5-passage", base_url=openai_server.url)
    ((_, matrix),) = model.embedder().embed(
        ["十五天年假", "the office closes at six", "annual leave: 15 days"]
    )
    assert matrix[0] @ matrix[2] > matrix[0] @ matrix[1]


async def _asked(model: EmbedModel) -> list[list[float]]:
    built = model.build()
    return [await built.aget_query_embedding("q"), *await built.aget_text_embedding_batch(["t", "u"])]


def test_the_asynchronous_way_is_the_same(openai_server: OpenAIServer) -> None:
    import asyncio

    model = spec(type="openai_like", model="m", base_url=openai_server.url)
    assert np.allclose(asyncio.run(_asked(model)), vectors("m", ["q", "t", "u"]), atol=1e-6)


def test_any_class_of_llama_index() -> None:
    model = spec(**MOCK, args={"embed_dim": 4})
    ((_, matrix),) = model.embedder().embed(["a", "b"])
    assert matrix.shape == (2, 4)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"class": "os.system"}, "must live under llama_index"),
        ({"class": "llama_index.core.schema.TextNode"}, "is no BaseEmbedding"),
        ({"args": {"embed_dim": "many", "api_key": "sk-1234567"}}, "can't be made with these args"),
    ],
)
def test_a_wrong_class_or_argument(fields: dict, message: str) -> None:
    with pytest.raises(SearchaskError, match=message) as caught:
        spec(**{**MOCK, **fields}).build()
    assert "sk-1234567" not in str(caught.value)


def test_secrets_in_args_are_kept_out_of_identity_and_json() -> None:
    one = spec(
        **MOCK, args={"model_name": "m", "api_key": "sk-1234567", "api_base": "http://a", "timeout": 3}
    )
    two = spec(**MOCK, args={"model_name": "m"})
    assert one.identity()["args"] == two.identity()["args"] == {"model_name": "m"}
    assert "sk-1234567" not in one.model_dump_json()
    assert one.label == "m (MockEmbedding)"


def test_unknown_keys_and_values_are_errors() -> None:
    for fields in ({"type": "local", "model": "x"}, {"type": "openai_like", "model": "m"}, {"type": "e5"}):
        with pytest.raises(ValidationError):
            spec(**fields)
    with pytest.raises(ValidationError):
        spec(type="openai", batch_size=4096)


def test_ollama_gets_address_prefixes_and_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    from llama_index.core.embeddings import MockEmbedding

    given: dict[str, object] = {}

    class OllamaEmbedding(MockEmbedding):
        def __init__(self, **args: object) -> None:
            given.update(args)
            super().__init__(embed_dim=3)

    module = SimpleNamespace(OllamaEmbedding=OllamaEmbedding)
    monkeypatch.setitem(sys.modules, "llama_index.embeddings.ollama", module)
    model = spec(type="ollama", model="bge-m3", query_prefix="q: ", timeout=7).build()
    assert model.embed_batch_size == 32
    assert given == {
        "model_name": "bge-m3",
        "base_url": "http://localhost:11434",
        "query_instruction": "q: ",
        "text_instruction": None,
        "client_kwargs": {"timeout": 7.0},
    }

"""The rerankers that extras bring, each as its package is: over HTTP on loopback, or with a model made here."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import NodeWithScore, TextNode
from pydantic import TypeAdapter

from pipelines.components.postprocessors import Postprocessor
from pipelines.components.runtime.inquiry import Inquiry
from pipelines.errors import SearchaskError
from tests.support.rerank_server import RerankServer, rerank_server

QUESTION = "How many days of leave do staff get?"
TEXTS = ("Cats purr.", "Staff get 15 days of leave.", "Leave is booked ahead.", "Bolts cost 0.40.")
KEY = "sk-secret-key"
ORDER = ["0", "1", "2"]
HOSTED = {
    "cohere": "llama_index.postprocessor.cohere_rerank.CohereRerank",
    "jina": "llama_index.postprocessor.jinaai_rerank.JinaRerank",
    "dashscope": "llama_index.postprocessor.dashscope_rerank.DashScopeRerank",
}
PATHS = {
    "cohere": "/v2/rerank",
    "jina": "/v1/rerank",
    "dashscope": "/api/v1/services/rerank/text-rerank/text-rerank",
}
hosted = pytest.mark.parametrize("name", HOSTED)


def needed(path: str, extra: str) -> None:
    module = path.rpartition(".")[0]
    pytest.importorskip(module, reason=f'needs the package of: pip install "searchask[{extra}]"')


@pytest.fixture
def server() -> Iterator[RerankServer]:
    with rerank_server() as running:
        yield running


def spec(name: str, server: RerankServer, monkeypatch: pytest.MonkeyPatch, **more: Any) -> dict[str, Any]:
    needed(HOSTED[name], name)
    args = {"api_key": KEY}
    if name == "dashscope":
        dashscope = pytest.importorskip("dashscope")
        # As the variable DASHSCOPE_HTTP_BASE_URL sets it, which is read when the package is imported.
        monkeypatch.setattr(dashscope, "base_http_api_url", f"{server.url}/api/v1")
    else:
        args["base_url"] = f"{server.url}/v1" if name == "jina" else server.url
    return {"type": "rerank", "class": HOSTED[name], "args": args, "top_n": 3, **more}


def built(data: dict[str, Any]) -> BaseNodePostprocessor:
    made: BaseNodePostprocessor = TypeAdapter[Any](Postprocessor).validate_python(data).build(index=None)
    return made


def found() -> list[NodeWithScore]:
    return [
        NodeWithScore(node=TextNode(id_=str(place), text=text), score=1 - place / 10)
        for place, text in enumerate(TEXTS)
    ]


def ranked(made: BaseNodePostprocessor) -> tuple[list[tuple[str, float | None]], list[str]]:
    inquiry = Inquiry(query_str=QUESTION, language="en")
    hits = made.postprocess_nodes(found(), query_bundle=inquiry)
    return [(hit.node.node_id, hit.score) for hit in hits], inquiry.notes


@hosted
def test_its_scores_make_the_order(name: str, server: RerankServer, monkeypatch: pytest.MonkeyPatch) -> None:
    hits, notes = ranked(built(spec(name, server, monkeypatch)))
    assert hits == [("1", pytest.approx(5 / 8)), ("2", pytest.approx(1 / 8)), ("0", 0.0)]
    assert notes == []
    (request,) = server.requests
    assert (request["path"], request["key"]) == (PATHS[name], f"Bearer {KEY}")
    assert (request.get("input") or request)["documents"] == list(TEXTS)


@hosted
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, f'{{"message": "no such key: {KEY}"}}'),
        (400, '{"message": "no such model"}'),
        (500, '{"message": "down"}'),
        (502, "<html>bad gateway</html>"),
        (200, '{"results": []}'),
        (200, "nonsense"),
    ],
)
def test_an_error_leaves_the_order_and_says_so(
    name: str, status: int, body: str, server: RerankServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = built(spec(name, server, monkeypatch))
    server.status, server.body = status, body
    began = time.monotonic()
    hits, (note,) = ranked(made)
    assert [key for key, _ in hits] == ORDER
    assert note.startswith("rerank: ")
    assert note.endswith("; the order stays as it was")
    assert KEY not in note
    assert any(part in note for part in (str(status), "holds no ranking", "none of the passages", "refused"))
    assert len(server.requests) <= 3  # the client of Cohere tries again by itself
    assert time.monotonic() - began < 10


@hosted
def test_nobody_waits_for_ever(name: str, server: RerankServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.delay = 3.0
    made = built(spec(name, server, monkeypatch, timeout=0.3))
    began = time.monotonic()
    hits, (note,) = ranked(made)
    assert time.monotonic() - began < 2
    assert [key for key, _ in hits] == ORDER
    assert "no answer within the timeout" in note


@pytest.mark.parametrize(
    ("name", "variable"), [("cohere", "COHERE_API_KEY"), ("dashscope", "DASHSCOPE_API_KEY")]
)
def test_without_a_key_it_says_which_is_missing(
    name: str, variable: str, server: RerankServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = spec(name, server, monkeypatch)
    del data["args"]["api_key"]
    monkeypatch.delenv(variable, raising=False)
    with pytest.raises(SearchaskError, match=f"refused its args: there is no {variable}"):
        built(data)


def test_a_cross_encoder_runs_here(tmp_path: Path) -> None:
    path = "llama_index.postprocessor.sbert_rerank.SentenceTransformerRerank"
    needed(path, "sentence-transformers")
    library = pytest.importorskip(
        "sentence_transformers", reason="needs sentence-transformers, which brings torch"
    )
    model = tmp_path / "model"
    cross_encoder(model)
    data = {"type": "rerank", "class": path, "args": {"model": str(model), "device": "cpu"}, "top_n": 3}
    hits, notes = ranked(built(data))
    assert notes == []
    scores = [score for _, score in hits]
    assert scores == sorted(scores, key=lambda score: -(score or 0.0))
    told = library.CrossEncoder(str(model), device="cpu").predict([(QUESTION, text) for text in TEXTS])
    assert [key for key, _ in hits] == [str(place) for place in told.argsort()[::-1][:3]]


def cross_encoder(folder: Path) -> None:
    """A tiny model with drawn weights, in the form in which hubs give them."""
    torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
    words = sorted({word for text in (QUESTION, *TEXTS) for word in text.lower().replace("?", "").split()})
    folder.mkdir()
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]
    (folder / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    torch.manual_seed(7)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    config = transformers.BertConfig(vocab_size=len(vocabulary), num_labels=1, initializer_range=1.0, **sizes)
    transformers.BertForSequenceClassification(config).save_pretrained(folder)
    transformers.BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)


def test_flashrank_is_made_and_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    path = "llama_index.postprocessor.flashrank_rerank.FlashRankRerank"
    needed(path, "flashrank")

    class Ranker:
        """In the place of the one that downloads its model; scores by shared words, and gives them best first."""

        def __init__(self, model_name: str, max_length: int) -> None:
            self.made = (model_name, max_length)

        def rerank(self, request: Any) -> list[dict[str, Any]]:
            words = set(request.query.lower().split())
            scored = [
                {"id": each["id"], "score": np.float32(len(words & set(each["text"].lower().split())))}
                for each in request.passages
            ]
            return sorted(scored, key=lambda each: -each["score"])

    monkeypatch.setattr(sys.modules[path.rpartition(".")[0] + ".base"], "Ranker", Ranker)
    hits, notes = ranked(built({"type": "rerank", "class": path, "top_n": 2}))
    assert [key for key, _ in hits] == ["1", "2"]
    assert [type(score) for _, score in hits] == [float, float]  # and not numpy's, which JSON does not take
    assert notes == []

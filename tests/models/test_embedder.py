"""Many texts through a real endpoint that misbehaves."""

from __future__ import annotations

import math
import time
import traceback

import numpy as np
import pytest
from pydantic import TypeAdapter

from pipelines.components.embed_models import EmbedModel
from pipelines.errors import EndpointError, SearchaskError
from pipelines.models.embedder import Embedder
from pipelines.models.endpoint import TextRefused
from tests.support.openai_server import OpenAIServer, vectors

KEY = "sk-proj-abcDEF0123456789abcDEF"
TEXTS = [f"text number {number}" for number in range(100)]


def embedder(server: OpenAIServer, **fields: object) -> Embedder:
    config = {"type": "openai_like", "model": "any", "base_url": server.url, "batch_size": 10, "timeout": 5}
    return TypeAdapter(EmbedModel).validate_python({**config, **fields}).embedder()


def collected(model: Embedder, texts: list[str]) -> tuple[dict[int, np.ndarray], Exception | None]:
    found: dict[int, np.ndarray] = {}
    try:
        for positions, matrix in model.embed(texts):
            assert matrix.dtype == np.float32
            assert len(positions) == len(matrix)
            assert not found.keys() & set(positions)
            found.update(zip(positions, matrix, strict=True))
    except SearchaskError as error:
        return found, error
    return found, None


@pytest.mark.parametrize("concurrency", [1, 8])
def test_every_text_gets_its_own_vector(openai_server: OpenAIServer, concurrency: int) -> None:
    found, error = collected(embedder(openai_server, concurrency=concurrency), TEXTS)
    assert error is None
    assert np.allclose(np.stack([found[each] for each in range(100)]), vectors("any", TEXTS), atol=1e-6)
    assert openai_server.sizes == [10] * 10


def test_requests_are_concurrent_within_bounds(openai_server: OpenAIServer) -> None:
    openai_server.reset(delay=0.1)
    _, error = collected(embedder(openai_server, concurrency=5), TEXTS)
    assert error is None
    assert openai_server.most_at_once == 5


def test_vectors_are_ordered_by_their_index(openai_server: OpenAIServer) -> None:
    openai_server.reset(reverse=True)
    found, _ = collected(embedder(openai_server), TEXTS[:20])
    assert np.allclose(found[3], vectors("any", [TEXTS[3]])[0], atol=1e-6)


def test_blank_texts_are_never_sent(openai_server: OpenAIServer) -> None:
    found, error = collected(embedder(openai_server), ["a", "", " \n", "b"])
    assert error is None
    assert sorted(found) == [0, 3]
    assert openai_server.requests[0].texts == ["a", "b"]
    with pytest.raises(SearchaskError, match="question is empty"):
        embedder(openai_server).embed_question("  ")


def test_prefixes(openai_server: OpenAIServer) -> None:
    model = embedder(openai_server, query_prefix="query: ", text_prefix="passage: ")
    list(model.embed(["a"]))
    model.embed_question("b")
    assert [each.texts for each in openai_server.requests] == [["passage: a"], ["query: b"]]


@pytest.mark.parametrize("concurrency", [1, 4])
def test_what_was_answered_is_kept_when_batch_37_of_100_fails(
    openai_server: OpenAIServer, concurrency: int
) -> None:
    openai_server.reset(broken_from=37)
    texts = [f"text {number}" for number in range(200)]
    model = embedder(openai_server, batch_size=2, concurrency=concurrency, retries=0)
    found, error = collected(model, texts)
    assert isinstance(error, EndpointError)
    assert len(found) == 72
    assert len(openai_server.requests) <= 36 + concurrency
    assert str(error) == f"any at {openai_server.url}: the endpoint answered 500. The server had an error"


def test_overload_is_waited_out_as_the_endpoint_asks(openai_server: OpenAIServer) -> None:
    openai_server.reset(busy=2, retry_after="0.2")
    start = time.perf_counter()
    found, error = collected(embedder(openai_server, concurrency=1), TEXTS[:10])
    assert error is None
    assert len(found) == 10
    assert time.perf_counter() - start > 0.4
    assert len(openai_server.requests) == 3


@pytest.mark.parametrize("retries", [0, 2])
def test_retries_are_counted_once(openai_server: OpenAIServer, retries: int) -> None:
    openai_server.reset(busy=1000, retry_after="0.01")
    _, error = collected(embedder(openai_server, retries=retries, concurrency=1), TEXTS)
    assert "429" in str(error)
    assert len(openai_server.requests) == retries + 1
    with pytest.raises(EndpointError, match="429"):
        embedder(openai_server, retries=retries).embed_question("a")
    assert len(openai_server.requests) == 2 * (retries + 1)


def test_a_batch_too_large_is_halved_once_for_all(openai_server: OpenAIServer) -> None:
    openai_server.reset(largest_batch=7)
    model = embedder(openai_server, batch_size=40, concurrency=1)
    found, error = collected(model, TEXTS)
    assert error is None
    assert len(found) == 100
    assert model.batch_size == 5
    refused = [len(each.texts) for each in openai_server.requests if each.status == 400]
    assert refused == [40, 20, 10]
    assert openai_server.sizes == [5] * 20


def test_a_text_too_long_costs_only_itself(openai_server: OpenAIServer) -> None:
    openai_server.reset(poison="number 42")
    model = embedder(openai_server)
    found, error = collected(model, TEXTS)
    assert isinstance(error, TextRefused)
    assert error.positions == (42,)
    assert "1 of 100 texts were refused, of 14 characters" in str(error)
    assert sorted(found) == [each for each in range(100) if each != 42]
    assert model.batch_size == 10


def test_an_endpoint_that_refuses_everything_is_left_soon(openai_server: OpenAIServer) -> None:
    openai_server.reset(poison="text")
    found, error = collected(embedder(openai_server, concurrency=1), TEXTS)
    assert not found
    assert "the endpoint answered 400. input is longer than the context" in str(error)
    assert len(openai_server.requests) == 4  # 10, 5, 2, 1


@pytest.mark.parametrize(
    ("faults", "message"),
    [
        ({"number": math.nan}, "a vector holds NaN or infinity"),
        ({"number": math.inf}, "a vector holds NaN or infinity"),
        ({"zeros": True}, "a vector is all zeros"),
        ({"missing": 1}, "9 vectors came for 10 texts"),
        ({"missing": 10}, "the answer holds no embeddings"),
        ({"dimension": 100}, "vectors of 100 dimensions came where 384 were expected"),
        ({"garbage": "<html>Welcome</html>"}, "the answer holds no embeddings; is this the right base_url?"),
        ({"garbage": '{"data": 3}'}, "the answer holds no embeddings; is this the right base_url?"),
    ],
)
def test_answers_that_no_index_may_hold(openai_server: OpenAIServer, faults: dict, message: str) -> None:
    openai_server.reset(**faults)
    model = embedder(openai_server)
    model.dimension = 384
    found, error = collected(model, TEXTS[:10])
    assert not found
    assert isinstance(error, EndpointError)
    assert message in str(error)
    assert f"any at {openai_server.url}: " in str(error)


def test_the_first_answer_sets_the_dimension(openai_server: OpenAIServer) -> None:
    model = embedder(openai_server)
    model.embed_question("a")
    assert model.dimension == 384
    openai_server.reset(dimension=200)
    with pytest.raises(EndpointError, match="vectors of 200 dimensions came where 384"):
        model.embed_question("b")


def test_a_hanging_endpoint_is_left_after_the_timeout(openai_server: OpenAIServer) -> None:
    openai_server.reset(hang=True)
    start = time.perf_counter()
    _, error = collected(embedder(openai_server, timeout=0.2, retries=1, concurrency=8), TEXTS)
    assert time.perf_counter() - start < 4
    assert str(error) == f"any at {openai_server.url}: no answer within the timeout"


def test_nobody_there() -> None:
    server = OpenAIServer()
    server.close()
    _, error = collected(embedder(server, retries=0), ["a"])
    assert str(error) == f"any at {server.url}: can't connect ([Errno 111] Connection refused)"


@pytest.mark.parametrize("kind", ["openai", "openai_like"])
def test_a_wrong_key_fails_at_once_and_is_shown_nowhere(
    openai_server: OpenAIServer,
    kind: str,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    openai_server.reset(key="sk-another")
    spec = TypeAdapter(EmbedModel).validate_python(
        {"type": kind, "model": "any", "base_url": openai_server.url, "api_key": KEY, "concurrency": 1}
    )
    caplog.set_level("DEBUG")
    model = spec.embedder()
    seen = [repr(spec), str(spec.identity()), spec.model_dump_json(), spec.label]
    built = spec.build()
    seen += [str(built), repr(built), str(built.to_dict()), str(built.to_payload()), repr(vars(model))]
    for call in (lambda: list(model.embed(["a"])), lambda: model.embed_question("a")):
        with pytest.raises(EndpointError, match=r"the key was refused \(401\); check api_key") as caught:
            call()
        error: BaseException | None = caught.value
        seen += ["".join(traceback.format_exception(caught.value)), repr(caught.value)]
        while error is not None:
            seen.append(str(error))
            error = error.__cause__ or error.__context__
    assert [each.status for each in openai_server.requests] == [401, 401]
    seen += [caplog.text, *capfd.readouterr()]
    for text in seen:
        assert KEY not in text
        assert KEY[:8] not in text
        assert KEY[-6:] not in text


def test_the_key_of_the_environment_goes_to_openai_only(
    openai_server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    embedder(openai_server).embed_question("a")
    embedder(openai_server, type="openai").embed_question("a")
    keys = [each.headers["Authorization"] for each in openai_server.requests]
    assert keys == ["Bearer none", f"Bearer {KEY}"]


def test_an_abandoned_run_sends_no_more(openai_server: OpenAIServer) -> None:
    openai_server.reset(delay=0.05)
    pieces = embedder(openai_server, concurrency=2).embed(TEXTS)
    next(pieces)
    pieces.close()  # type: ignore[attr-defined]
    time.sleep(0.3)
    assert len(openai_server.requests) <= 4


def test_a_library_error_that_is_no_http_is_wrapped() -> None:
    spec = {
        "type": "llama_index",
        "class": "llama_index.core.embeddings.MockEmbedding",
        "args": {"embed_dim": 8},
    }
    model = TypeAdapter(EmbedModel).validate_python(spec).embedder()

    def broken(texts: list[str]) -> list[list[float]]:
        raise RuntimeError(f"bad token {KEY}\nsecond line")

    object.__setattr__(model._model, "_get_text_embeddings", broken)
    with pytest.raises(EndpointError, match=r"^\(MockEmbedding\): bad token \[key\] second line$"):
        list(model.embed(["a"]))

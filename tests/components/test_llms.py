"""`llm:` against a real model behind a real server."""

from __future__ import annotations

import asyncio
import time
import traceback

import pytest
from llama_index.core.llms import ChatMessage
from pydantic import TypeAdapter

from pipelines.components.llms import LLM
from pipelines.errors import EndpointError, SearchaskError
from tests.support.openai_server import OpenAIServer

KEY = "sk-proj-abcDEF0123456789abcDEF"
QUESTION = [ChatMessage(role="user", content="Say hello.")]


def spec(**fields: object) -> LLM:
    return TypeAdapter(LLM).validate_python(fields)


def model(server: OpenAIServer, **fields: object):
    config = {
        "type": "openai_like",
        "model": "smollm2",
        "base_url": server.url,
        "max_tokens": 8,
        "temperature": 0,
    }
    return spec(**{**config, **fields}).build()


def test_chat_with_token_counts(openai_chat: OpenAIServer) -> None:
    answer = model(openai_chat).chat(QUESTION)
    assert answer.message.content
    assert answer.additional_kwargs["completion_tokens"] == 8
    assert answer.additional_kwargs["prompt_tokens"] > 3
    sent = openai_chat.requests[0]
    assert sent.headers["Authorization"] == "Bearer none"
    assert sent.body["max_tokens"] == 8
    assert "stream_options" not in sent.body


def test_streaming_chat_with_token_counts(openai_chat: OpenAIServer) -> None:
    pieces = list(model(openai_chat).stream_chat(QUESTION))
    assert len([piece for piece in pieces if piece.delta]) > 3
    assert "".join(piece.delta or "" for piece in pieces) == pieces[-1].message.content
    assert pieces[-1].additional_kwargs["completion_tokens"] == 8


def test_the_asynchronous_way(openai_chat: OpenAIServer) -> None:
    async def asked() -> tuple[str, str]:
        llm = model(openai_chat)
        whole = (await llm.achat(QUESTION)).message.content
        pieces = [piece.delta or "" async for piece in await llm.astream_chat(QUESTION)]
        return whole or "", "".join(pieces)

    whole, streamed = asyncio.run(asked())
    assert whole == streamed != ""


def test_openai_with_a_name_that_llama_index_does_not_know(openai_chat: OpenAIServer) -> None:
    openai_chat.reset(key=KEY)
    llm = model(openai_chat, type="openai", model="qwen3-8b", api_key=KEY)
    assert llm.metadata.context_window == 128_000
    assert str(llm.complete("Say hello."))
    known = spec(type="openai", model="gpt-4o-mini", api_key=KEY)
    assert known.build().metadata.context_window == 128_000
    assert spec(type="openai", model="gpt-4", api_key=KEY).build().metadata.context_window == 8_192


def test_further_fields_of_the_request(openai_server: OpenAIServer) -> None:
    openai_server.reset(broken_from=1)
    llm = model(openai_server, extra_body={"enable_thinking": False}, stream_usage=False, retries=0)
    with pytest.raises(EndpointError):
        list(llm.stream_chat(QUESTION))
    assert openai_server.requests[0].body["enable_thinking"] is False
    assert "stream_options" not in openai_server.requests[0].body


CALLS = {
    "chat": lambda llm: llm.chat(QUESTION),
    "stream_chat": lambda llm: list(llm.stream_chat(QUESTION)),
    "complete": lambda llm: llm.complete("a"),
    "stream_complete": lambda llm: list(llm.stream_complete("a")),
    "achat": lambda llm: asyncio.run(llm.achat(QUESTION)),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_wrong_key_is_said_without_it(openai_server: OpenAIServer, call: str) -> None:
    openai_server.reset(key="sk-another")
    llm = model(openai_server, api_key=KEY)
    with pytest.raises(
        EndpointError, match=r"^smollm2 at .*: the key was refused \(401\); check api_key$"
    ) as caught:
        CALLS[call](llm)
    assert len(openai_server.requests) == 1
    seen = ["".join(traceback.format_exception(caught.value)), str(llm), repr(llm), str(llm.to_dict())]
    assert not any(KEY[:8] in text or KEY[-6:] in text for text in seen)


@pytest.mark.parametrize("call", CALLS)
def test_a_page_instead_of_an_answer(openai_server: OpenAIServer, call: str) -> None:
    openai_server.reset(garbage="<html>Welcome</html>")
    with pytest.raises(EndpointError, match="the answer holds no text; is this the right base_url"):
        CALLS[call](model(openai_server))


def test_a_stream_that_breaks_off(openai_chat: OpenAIServer) -> None:
    openai_chat.reset(cut_stream=True)
    came = []
    with pytest.raises(EndpointError, match="the model crashed"):
        came.extend(model(openai_chat).stream_chat(QUESTION))


def test_overload_and_silence_are_bounded(openai_server: OpenAIServer) -> None:
    openai_server.reset(busy=99, retry_after="0.01")
    with pytest.raises(EndpointError, match="429"):
        model(openai_server, retries=2).chat(QUESTION)
    assert len(openai_server.requests) == 3
    openai_server.reset(hang=True)
    start = time.perf_counter()
    with pytest.raises(EndpointError, match="no answer within the timeout"):
        model(openai_server, timeout=0.2, retries=0).chat(QUESTION)
    assert time.perf_counter() - start < 3


def test_nobody_there() -> None:
    server = OpenAIServer()
    server.close()
    with pytest.raises(EndpointError, match=rf"^smollm2 at {server.url}: can't connect"):
        model(server, retries=0).chat(QUESTION)


def test_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(SearchaskError, match="set api_key, or the variable OPENAI_API_KEY"):
        spec(type="openai", model="gpt-4o-mini").build()


def test_any_class_of_llama_index() -> None:
    mock = {"type": "llama_index", "class": "llama_index.core.llms.MockLLM"}
    assert str(spec(**mock, args={"max_tokens": 2}).build().complete("a")) == "text text"
    secret = spec(**mock, args={"api_key": KEY, "model": "m", "api_base": "http://a"})
    assert secret.identity()["args"] == {"model": "m"}
    assert KEY not in secret.model_dump_json()
    with pytest.raises(SearchaskError, match="is no LLM"):
        spec(type="llama_index", **{"class": "llama_index.core.schema.TextNode"}).build()


def test_identity_is_the_model_and_not_its_address() -> None:
    one = spec(type="openai_like", model="m", base_url="http://a", api_key=KEY, timeout=3)
    two = spec(type="openai_like", model="m", base_url="http://b")
    assert one.identity() == two.identity()
    assert KEY not in str(one.identity()) + repr(one) + one.model_dump_json()

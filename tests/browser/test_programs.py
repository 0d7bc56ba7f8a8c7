"""What programs may call: three functions over HTTP and, where it is switched on, over MCP; nothing else."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.browser import corpus
from tests.support.page_server import PageServer, base, page_server

PUBLIC = {"ask", "retrieve", "list_documents"}
QUESTION = "What does a lost badge cost?"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageServer]:
    root = tmp_path_factory.mktemp("programs")
    base(
        root, "house", corpus.FILES, retrievers=corpus.WORDS, query_engines={"answer": {"retriever": "words"}}
    )
    with page_server(root / "configs", root / "log", "--mcp") as running:
        yield running


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return json.load(answer)


def called(server: PageServer, name: str, *data: object) -> Any:
    """What a function of the public API gives."""
    body = json.dumps({"data": list(data)}).encode()
    where = f"{server.url}/gradio_api/call/{name}"
    request = urllib.request.Request(where, body, {"Content-Type": "application/json"})
    event = get(request)["event_id"]  # type: ignore[arg-type]
    with urllib.request.urlopen(f"{where}/{event}", timeout=30) as stream:
        lines = stream.read().decode().splitlines()
    return json.loads(json.loads(lines[lines.index("event: complete") + 1].removeprefix("data: "))[0])


def test_three_functions_are_public(server: PageServer) -> None:
    info = get(f"{server.url}/gradio_api/info")
    assert {name.strip("/") for name in info["named_endpoints"]} == PUBLIC
    assert info["unnamed_endpoints"] == {}
    assert {each["document"] for each in called(server, "list_documents", "house")} == set(corpus.FILES)
    answer = called(server, "ask", QUESTION, "", "")
    assert answer["outcome"] == "answered"
    assert answer["citations"][0]["document"] == "cafeteria.md"
    found = called(server, "retrieve", QUESTION, "house", "")
    assert found["candidates"][0]["document"] == "cafeteria.md"
    assert "error" in called(server, "ask", "x" * 100_001, "", "")
    assert "no knowledge base is called" in called(server, "ask", QUESTION, "../etc", "")["error"]


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json", "/monitoring", "/gradio_api/runs"])
def test_nothing_is_told_beside_it(server: PageServer, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(server.url + path, timeout=30)
    assert refused.value.code in (401, 403, 404)


def test_the_same_three_are_mcp_tools(server: PageServer) -> None:
    pytest.importorskip("mcp")
    # In a thread of its own: in this one the browser's loop may run.
    with ThreadPoolExecutor(1) as thread:
        names, described, answer = thread.submit(
            asyncio.run, over_mcp(f"{server.url}/gradio_api/mcp/")
        ).result()
    assert names == PUBLIC
    assert all(described)
    assert answer["citations"][0]["document"] == "cafeteria.md"


async def over_mcp(url: str) -> tuple[set[str], list[str | None], Any]:
    """The tools' names, their descriptions, and what one of them answers."""
    from mcp import ClientSession
    from mcp.client.streamable_http import streamablehttp_client

    async with streamablehttp_client(url) as (read, write, _), ClientSession(read, write) as session:
        await session.initialize()
        tools = (await session.list_tools()).tools
        done = await session.call_tool("ask", {"question": QUESTION})
        content: Any = done.content[0]
        return {tool.name for tool in tools}, [tool.description for tool in tools], json.loads(content.text)

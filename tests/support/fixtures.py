"""Fixtures for tests of the OpenAI path: `from tests.support.fixtures import openai_chat, openai_server`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.openai_server import OpenAIServer, chat_missing


@pytest.fixture
def openai_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIServer]:
    """A server without faults, and no key in the environment."""
    for name in ("OPENAI_API_KEY", "OPENAI_API_BASE", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    server = OpenAIServer()
    yield server
    server.close()


@pytest.fixture
def openai_chat(openai_server: OpenAIServer) -> OpenAIServer:
    """The same, where a chat model is installed; skips elsewhere."""
    if reason := chat_missing():
        pytest.skip(reason)
    return openai_server

"""What holds for every test: LlamaIndex's global settings are out of reach, and so is the network."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

# Tests run beside each other: a model of each process that takes every core would wait for the others.
os.environ.setdefault("OMP_NUM_THREADS", "1")

pytest_plugins = ["tests.support.fixtures"]


@pytest.fixture(scope="session", autouse=True)
def _no_global_settings() -> None:
    """Make any use of LlamaIndex's global models fail: every model is passed explicitly."""
    from llama_index.core.settings import _Settings

    def refuse(settings: object) -> NoReturn:
        raise AssertionError("LlamaIndex's global Settings were reached")

    for name in ("llm", "embed_model", "node_parser", "transformations", "prompt_helper"):
        setattr(_Settings, name, property(refuse))

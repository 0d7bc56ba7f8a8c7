from __future__ import annotations

import os
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipelines.text.tokens import count_tokens, encoding, tokenize
from tests.text import DATA, SNIPPETS


@pytest.mark.parametrize("path", sorted(DATA.iterdir()), ids=lambda path: path.name)
def test_counts_as_llama_index_does(path: object) -> None:
    from llama_index.core.utils import get_tokenizer

    text = (DATA / str(path)).read_text("utf-8")
    assert count_tokens(text) == len(get_tokenizer()(text)) == len(tokenize(text))


def test_counts_any_text_exactly() -> None:
    chance = random.Random(1)
    for _ in range(20_000):
        text = "".join(chance.choices(SNIPPETS, k=chance.randint(0, 12)))
        assert count_tokens(text) == len(tokenize(text)), repr(text)


def test_counts_any_ascii_exactly() -> None:
    chance = random.Random(3)
    characters = (
        [chr(code) for code in range(128)] + [" "] * 40 + list("aeiounrst" * 6) + ["'s", "'LL", "\r\n"]
    )
    for _ in range(20_000):
        text = "".join(chance.choices(characters, k=chance.randint(0, 30)))
        assert count_tokens(text) == len(tokenize(text)), repr(text)


def test_special_tokens_are_plain_text() -> None:
    assert count_tokens("<|endoftext|>") > 1


def test_many_threads() -> None:
    text = (DATA / "river.txt").read_text("utf-8")
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(count_tokens, [text] * 40))) == 1


def test_needs_neither_network_nor_llama_index() -> None:
    code = """
import os, socket, sys
def refuse(*args, **kwargs): raise OSError("no network")
socket.socket.connect = refuse
from pipelines.text.tokens import count_tokens
assert count_tokens("hello world") == 2
assert "llama_index.core" not in sys.modules
assert "TIKTOKEN_CACHE_DIR" not in os.environ
"""
    environment = {name: value for name, value in os.environ.items() if name != "TIKTOKEN_CACHE_DIR"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


def test_encoding_is_the_one_of_llama_index() -> None:
    assert encoding().name == "cl100k_base"

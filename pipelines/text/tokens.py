"""Exact token counts, as LlamaIndex counts them (tiktoken's `cl100k_base`), offline and fast."""

from __future__ import annotations

import importlib.util
import os
import re
import threading
from collections.abc import Container
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import SearchaskError

if TYPE_CHECKING:
    import tiktoken

ENCODING = "cl100k_base"
"""What `llama_index.core.utils.get_tokenizer()` uses."""

# LlamaIndex ships the table under the name that tiktoken's cache gives it.
_TABLE = "9b5ad71b2ce5302211f9c61530b329a4922fc6a4"
_MEMO_WORDS = 60_000
_LONGEST_WORD = 32
_NOT_A_WORD = 1 << 40
_MARKS = ",.;:)"
_SINGLE_SPACE = re.compile(r"(?<=\S) (?=\S)")
_loading = threading.Lock()


@lru_cache(maxsize=1)
def encoding() -> tiktoken.Encoding:
    """The tiktoken encoding, from the table that LlamaIndex ships: tiktoken alone would download it."""
    core = importlib.util.find_spec("llama_index.core")
    for place in (core and core.submodule_search_locations) or ():
        folder = Path(place) / "_static" / "tiktoken_cache"
        if (folder / _TABLE).is_file():
            return _from_folder(folder)
    raise SearchaskError(f"the token table {ENCODING} is missing from llama-index-core: reinstall it")


def _from_folder(folder: Path) -> tiktoken.Encoding:
    import tiktoken

    with _loading:
        before = os.environ.get("TIKTOKEN_CACHE_DIR")
        os.environ["TIKTOKEN_CACHE_DIR"] = str(folder)
        try:
            return tiktoken.get_encoding(ENCODING)
        finally:
            if before is None:
                del os.environ["TIKTOKEN_CACHE_DIR"]
            else:
                os.environ["TIKTOKEN_CACHE_DIR"] = before


def tokenize(text: str) -> list[int]:
    """The tokens of `text`; special tokens in it are plain text."""
    return encoding().encode_ordinary(text)


class _Words(dict[str, int]):
    """Tokens in a word, by the word, with `lead` before it; a word that borders on more white space has none.

    Byte-pair merges never cross the border between a non-space and a following space (the encoding's
    pattern sees to that), so the counts of words add up exactly, and by Zipf's law most words were seen
    before.
    """

    def __init__(self, lead: str) -> None:
        self.lead = lead
        self.table: Container[bytes] = ()

    def __missing__(self, word: str) -> int:
        if not word.isascii() or len(word) > _LONGEST_WORD:
            return _NOT_A_WORD if word[0].isspace() or word[-1].isspace() else len(tokenize(self.lead + word))
        if len(self) >= _MEMO_WORDS:
            self.clear()
        self[word] = count = self._count(word)
        return count

    def _count(self, word: str) -> int:
        if not word or word[0].isspace() or word[-1].isspace():
            return 0 if not word and not self.lead else _NOT_A_WORD
        # A run of letters that is in the table is one token; a mark after it is always its own.
        self.table = self.table or encoding()._mergeable_ranks
        letters = word[:-1] if word[-1] in _MARKS else word
        if letters.isalpha() and (self.lead + letters).encode() in self.table:
            return 1 + len(word) - len(letters)
        return len(tokenize(self.lead + word))


_first = _Words("")
_other = _Words(" ")


def count_tokens(text: str) -> int:
    """How many tokens `text` has: `len(tokenize(text))`, several times faster for running English."""
    first, *others = text.split(" ")
    total = _first[first] + sum(map(_other.__getitem__, others))
    if total < _NOT_A_WORD:
        return total
    # White space of more than one character: such runs stay inside the pieces.
    first, *others = _SINGLE_SPACE.split(text)
    if not others:
        return len(tokenize(first))
    *others, last = others
    return len(tokenize(first)) + sum(map(_other.__getitem__, others)) + len(tokenize(" " + last))

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

# LlamaIndex ships the tables under the names that tiktoken's cache gives them.
_TABLES = {
    ENCODING: "9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
    "o200k_base": "fb374d419588a4632f3f557e76b4b70aebbca790",
}
_MEMO = 100_000
_LONGEST = 32
_NOT_A_WORD = 1 << 40
_CJK = "\u2e80"
# The encoding's own pattern, for ASCII.
_PIECE = re.compile(
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\nA-Za-z0-9]?+[A-Za-z]++|[0-9]{1,3}+| ?[^\sA-Za-z0-9]++[\r\n]*+|"
    r"\s++\Z|\s*[\r\n]|\s+(?!\S)|\s",
    re.ASCII,
)
_loading = threading.Lock()


@lru_cache(maxsize=len(_TABLES))
def encoding(name: str = ENCODING) -> tiktoken.Encoding:
    """A tiktoken encoding, from the table that LlamaIndex ships: tiktoken alone would download it."""
    core = importlib.util.find_spec("llama_index.core")
    for place in (core and core.submodule_search_locations) or ():
        folder = Path(place) / "_static" / "tiktoken_cache"
        if (folder / _TABLES[name]).is_file():
            return _from_folder(folder, name)
    raise SearchaskError(f"the token table {name} is missing from llama-index-core: reinstall it")


def encoding_name(model: str) -> str:
    """The encoding of a model of OpenAI; `ENCODING` for one that tiktoken doesn't know."""
    from tiktoken.model import encoding_name_for_model

    try:
        name = encoding_name_for_model(model)
    except KeyError:
        return ENCODING
    return name if name in _TABLES else ENCODING


def _from_folder(folder: Path, name: str) -> tiktoken.Encoding:
    import tiktoken

    with _loading:
        before = os.environ.get("TIKTOKEN_CACHE_DIR")
        os.environ["TIKTOKEN_CACHE_DIR"] = str(folder)
        try:
            return tiktoken.get_encoding(name)
        finally:
            if before is None:
                del os.environ["TIKTOKEN_CACHE_DIR"]
            else:
                os.environ["TIKTOKEN_CACHE_DIR"] = before


def tokenize(text: str) -> list[int]:
    """The tokens of `text`; special tokens in it are plain text."""
    return encoding().encode_ordinary(text)


class _Pieces(dict[str, int]):
    """Tokens in a piece, by the piece: what the encoding's pattern never merges with its neighbours."""

    def __init__(self) -> None:
        self.table: Container[bytes] = encoding()._mergeable_ranks

    def __missing__(self, piece: str) -> int:
        count = 1 if piece.encode() in self.table else len(tokenize(piece))
        if len(piece) <= _LONGEST:
            if len(self) >= _MEMO:
                self.clear()
            self[piece] = count
        return count

    def count(self, text: str) -> int:
        """Tokens in a text of ASCII."""
        return sum(map(self.__getitem__, _PIECE.findall(text)))


class _Words(dict[str, int]):
    """Tokens in a word, by the word, as it stands after `lead`.

    Byte-pair merges never cross the border between a non-space and a following space (the encoding's
    pattern sees to that), so the counts of words add up exactly, and by Zipf's law most words were seen
    before. A word that borders on more white space counts `_NOT_A_WORD`: then the sum is void.
    """

    def __init__(self, pieces: _Pieces, lead: str, *, open_end: bool = False) -> None:
        self.pieces, self.lead, self.open_end = pieces, lead, open_end

    def __missing__(self, word: str) -> int:
        if not word:
            count = len(self.lead) if self.open_end or not self.lead else _NOT_A_WORD
        elif (self.lead and word[0].isspace()) or (not self.open_end and word[-1].isspace()):
            count = _NOT_A_WORD
        elif word.isascii():
            count = self.pieces.count(self.lead + word)
        else:
            count = len(tokenize(self.lead + word))
        one = "\n" not in word.strip("\n")
        if one and len(word) <= _LONGEST and (word.isascii() or max(word) < _CJK):
            if len(self) >= _MEMO:
                self.clear()
            self[word] = count
        return count


@lru_cache(maxsize=1)
def _words() -> tuple[_Words, _Words, _Words]:
    """Counts of first words, of words in the middle, and of last words."""
    pieces = _Pieces()
    return _Words(pieces, ""), _Words(pieces, " "), _Words(pieces, " ", open_end=True)


def count_tokens(text: str) -> int:
    """How many tokens `text` has: `len(tokenize(text))`, several times faster for running English."""
    first, middle, last = _words()
    words = text.split(" ")
    if len(words) > 1:
        total = first[words[0]] + last[words.pop()] + sum(map(middle.__getitem__, words[1:]))
        if total < _NOT_A_WORD:
            return total
    return first.pieces.count(text) if text.isascii() else len(tokenize(text))

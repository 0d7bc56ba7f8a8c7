"""A list of words that must not occur: whole words, in Chinese and in Latin script, and regular expressions."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from pipelines.errors import SearchaskError
from pipelines.text.analyser import is_han

_LETTER = r"[^\W\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"
"""A letter or digit of a word that is written with spaces around it, so no Chinese character."""


class WordList:
    """Words and regular expressions of a file; raises SearchaskError for a file that can't be used."""

    def __init__(self, file: Path) -> None:
        self.name = file.name
        try:
            lines = file.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            said = getattr(error, "strerror", None) or "it is not UTF-8"
            raise SearchaskError(f"{file} can't be read: {said}") from None
        self._entries = [
            (number, *_entry(line.strip(), f"{file}:{number}"))
            for number, line in enumerate(lines, 1)
            if line.strip() and not line.lstrip().startswith("#")
        ]

    @property
    def entries(self) -> list[str]:
        """What its entries look for, whatever their order and whatever stands between them."""
        return sorted({f"{pattern.pattern}{pattern.flags}" for _, pattern, _ in self._entries})

    def match(self, text: str) -> int | None:
        """The line of the first entry that stands in the text; None where none does."""
        plain = _plain(text)
        borders: frozenset[int] | None = None
        for number, pattern, chinese in self._entries:
            for found in pattern.finditer(plain):
                if not chinese:
                    return number
                if borders is None:
                    borders = _borders(plain)
                if _whole(found.span(), borders):
                    return number
        return None


def _entry(line: str, place: str) -> tuple[re.Pattern[str], bool]:
    """The expression of a line, and whether it is a Chinese word, whose borders only segmentation tells."""
    if len(line) > 2 and line[0] == line[-1] == "/":
        try:
            return re.compile(line[1:-1], re.IGNORECASE), False
        except re.error as error:
            raise SearchaskError(f"{place}: no regular expression: {error}") from None
    word = _plain(line)
    left = rf"(?<!{_LETTER})" if re.match(_LETTER, word) else ""
    right = rf"(?!{_LETTER})" if re.search(rf"{_LETTER}\Z", word) else ""
    spaced = r"\s+".join(map(re.escape, word.split()))
    return re.compile(f"{left}{spaced}{right}"), all(is_han(character) for character in word)


def _plain(text: str) -> str:
    """Text in which width, case and invisible characters tell nothing apart."""
    visible = "".join(character for character in text if unicodedata.category(character) != "Cf")
    return unicodedata.normalize("NFKC", visible).casefold()


def _borders(text: str) -> frozenset[int]:
    """The offsets between the words of a text."""
    import rjieba

    found, offset = {0}, 0
    for word in rjieba.cut(text):
        offset += len(word)
        found.add(offset)
    return frozenset(found)


def _whole(span: tuple[int, int], borders: frozenset[int]) -> bool:
    """Whether no word lies across one end of the span: a longer word that holds all of it is fine."""
    start, end = span
    inside = any(place in borders for place in range(start + 1, end))
    return not inside or (start in borders and end in borders)

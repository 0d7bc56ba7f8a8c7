"""Where in a passage a claim finds its support: word for word, or by the words and numbers that both share."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from pipelines.text.sentences import sentence_spans

LONGEST_WINDOW = 3
"""Sentences of a passage that may support one claim together."""

STEP = 0.1
"""What each further sentence of a run must add to the share that it holds."""

WRONG_NUMBER = 0.3
"""What is left of the share where the claim states a number that the run does not hold: figures are what claims
are about."""

_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_HAN_RUN = re.compile(f"[{_HAN}]+")
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?|\d+(?:[.,]\d+)*")
_CUT_FRONT = re.compile(r"[a-zA-Z][a-zA-Z]$|\d\d$|\d[.,]\d$|-\d$")
_CUT_BACK = re.compile(r"^[a-zA-Z][a-zA-Z]|^\d\d|^\d[.,]\d|^\d%")
_STOP_WORDS = """
    a an and are as at be been but by can could did do does for from had has have he her his how i if in into is it its
    may might more most not of on or our shall she should so such than that the their them then there these they this
    those to was we were what when where which who whom whose why will with would you your according passage passages
    also only yes no"""
_STOP = frozenset(_STOP_WORDS.split())
_EMPTY_HAN = frozenset("的了是在和与及或也都就而且其这那为之中对于由被把以可能会应不有个没")
_ENDINGS = ("ings", "ing", "ies", "es", "ed", "ly", "s")
_ENGLISH_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_HAN_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_HAN_PLACES = {"十": 10, "百": 100, "千": 1000}
_HAN_NUMBER = re.compile("[零〇一二两三四五六七八九十百千]+")


@dataclass(frozen=True, slots=True)
class Support:
    """A span of a passage and the share of a claim that it holds."""

    start: int
    end: int
    share: float


@dataclass(frozen=True, slots=True)
class Units:
    """What a text says, as far as words and numbers tell: order, function words and endings left out."""

    words: frozenset[str]
    numbers: frozenset[str]
    """In digits, as they are written."""
    spelled: frozenset[str]
    """In digits, of numbers written as words: `15` of `十五`."""

    def __len__(self) -> int:
        return len(self.words) + len(self.numbers)

    @property
    def all(self) -> frozenset[str]:
        """Words and numbers."""
        return self.words | self.numbers


def units(text: str) -> Units:
    """The words, pairs of Chinese characters and numbers of a text."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    words: set[str] = set()
    numbers: set[str] = set()
    for run in _HAN_RUN.findall(plain):
        pairs = {one + other for one, other in pairwise(run)} or {run}
        words |= {pair for pair in pairs if not set(pair) <= _EMPTY_HAN}
    for word in _WORD.findall(_HAN_RUN.sub(" ", plain)):
        if word[0].isdigit():
            numbers.add(word.replace(",", "").lstrip("0") or "0")
        elif word not in _STOP:
            words.add(_stem(word))
    spelled = {str(_han_value(run)) for run in _HAN_NUMBER.findall(plain)}
    spelled |= {str(value) for value, word in enumerate(_ENGLISH_NUMBERS) if word in words}
    return Units(frozenset(words), frozenset(numbers), frozenset(spelled))


def _han_value(run: str) -> int:
    """The number that Chinese numerals spell: 二百一十五 is 215, 二〇二四 is 2024."""
    if not set(run) & set(_HAN_PLACES):
        return int("".join(str(_HAN_DIGITS[char]) for char in run))
    total, digit = 0, 0
    for char in run:
        if char in _HAN_PLACES:
            total, digit = total + max(digit, 1) * _HAN_PLACES[char], 0
        else:
            digit = _HAN_DIGITS[char]
    return total + digit


def _stem(word: str) -> str:
    word = word.removesuffix("'s")
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word


def trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """The span without white space at its ends."""
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), end - (len(piece) - len(piece.rstrip()))


def sentences_of(text: str) -> list[tuple[int, int]]:
    """The spans of a text's sentences, without the white space around them."""
    spans = (trimmed(text, start, end) for start, end in sentence_spans(text))
    return [(start, end) for start, end in spans if start < end]


def _found(claim: str, passage: str) -> tuple[int, int] | None:
    """Where a passage holds a claim as it is or but for width, case, white space and punctuation."""
    exact = claim.strip()
    start = passage.find(exact)
    while start >= 0:
        if _whole(passage, start, start + len(exact)):
            return start, start + len(exact)
        start = passage.find(exact, start + 1)
    wanted, _ = _normal(claim)
    plain, places = _normal(passage)
    start = plain.find(wanted) if wanted else -1
    while start >= 0:
        span = places[start], places[start + len(wanted) - 1] + 1
        if _whole(passage, *span):
            return span
        start = plain.find(wanted, start + 1)
    return None


def _normal(text: str) -> tuple[str, list[int]]:
    """The letters and digits of a text, of one width and case, and where each stood.

    A point or a comma between digits, a sign before them and a percent sign behind them are part of a number.
    """
    chars: list[str] = []
    places: list[int] = []
    for place, char in enumerate(text):
        folded = _folded(char)
        if not folded.isalnum():
            near = text[place - 1 : place] + text[place + 1 : place + 2]
            if not (folded in ".,:" and len(near) == 2 and near.isdigit()) and folded not in "%+-−":
                continue
            folded = "-" if folded == "−" else folded
        chars += folded
        places += [place] * len(folded)
    return "".join(chars), places


@lru_cache(maxsize=8192)
def _folded(char: str) -> str:
    return unicodedata.normalize("NFKC", char).casefold()


def _whole(passage: str, start: int, end: int) -> bool:
    """Whether a span begins and ends with whole words and numbers: `5 days` is not in `15 days` or `1.5 days`."""
    return not (_CUT_FRONT.search(passage[max(0, start - 2) : start + 1]) if start else None) and not (
        _CUT_BACK.search(passage[end - 1 : end + 2])
    )


def support(claim: str, passage: str) -> Support | None:
    """The sentences of `passage` that hold a claim word for word, or else the run that holds most of it.

    Short runs come first; None if nothing is shared.
    """
    wanted = units(claim)
    if not wanted:
        return None
    spans = sentences_of(passage)
    if literal := _found(claim, passage):
        around = [span for span in spans if span[0] < literal[1] and literal[0] < span[1]]
        if around:
            return Support(around[0][0], around[-1][1], 1.0)
    best: Support | None = None
    most = -1.0
    parts = [units(passage[start:end]) for start, end in spans]
    for first in range(len(spans)):
        held: frozenset[str] = frozenset()
        for last in range(first, min(first + LONGEST_WINDOW, len(spans))):
            held |= parts[last].all | parts[last].spelled
            share = len(wanted.all & held) / len(wanted)
            if not wanted.numbers <= held:
                share *= WRONG_NUMBER
            worth = share - STEP * (last - first)
            if share > 0 and worth > most:
                most, best = worth, Support(spans[first][0], spans[last][1], share)
    return best

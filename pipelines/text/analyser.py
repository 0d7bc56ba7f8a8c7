"""Text -> the terms of keyword search, the same for a passage and for a question.

Chinese is segmented, with a pair of characters where two stand alone; identifiers are kept whole and in
parts; Latin words are folded and stemmed; full-width forms are half-width.
"""

from __future__ import annotations

import re
import unicodedata
from abc import abstractmethod
from functools import lru_cache
from typing import Any

from pipelines.spec import fingerprint
from pipelines.text.stop_words import PARTICLES, STOP_WORDS

VERSION = 1
"""Raised whenever the terms of some text change: then keyword indexes are built anew."""

_LONGEST = 64
_SHORT = 32
_MEMO = 100_000
_CJK = "\u2e80"
_HAN = r"\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_KANA_HANGUL = r"\u3040-\u30ff\uac00-\ud7af"
_LETTER = rf"[^\W_{_HAN}{_KANA_HANGUL}]"
_RUN = re.compile(
    rf"""(?P<han>[{_HAN}]+)
    | (?P<word>{_LETTER}+(?:(?:[-_./:@'’&+=~]|(?<=\d),(?=\d{{3}})){_LETTER}+)*(?:\+\+|\#)?)
    | (?P<pairs>[{_KANA_HANGUL}]+)""",
    re.VERBOSE,
)
# The same words where all is ASCII, which takes a third of the time.
_ASCII_WORD = re.compile(r"[A-Za-z0-9]++(?:(?:[-_./:@'&+=~]|(?<=\d),(?=\d{3}))[A-Za-z0-9]++)*+(?:\+\+|\#)?")
_HAN_RUN = re.compile(rf"[{_HAN}]+")
# Anything but ASCII, Latin letters with accents, kana, common Chinese characters and Chinese punctuation: where
# there is none of it, NFKC changes nothing that is in a term, and takes a fifth of the time.
_UNUSUAL = re.compile(
    r"[^\x00-\x7f\u00b7\u00c0-\u017e\u2010-\u2026\u3001-\u301f\u3041-\u30fe\u4e00-\u9fff\uff01-\uff0c\uff1a-\uff1f]"
)
_JOINTS = re.compile(r"[-_./:@'’&+=~]")
_HUMPS = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=\d)(?=[A-Za-z])|(?<=[A-Za-z])(?=\d)")
_POSSESSIVE = re.compile(r"['’](?:s|S)?$")
_DECIMAL = re.compile(r"\d+\.\d+")
_NUMBERED_VERSION = re.compile(r"[vV](\d[^\s]*)")


class Analyser:
    """Cuts text into terms; words of `dictionary` are terms of their own, whatever they are made of."""

    def __init__(self, dictionary: tuple[str, ...] = ()) -> None:
        self.dictionary = tuple(
            sorted({word for entry in dictionary if (word := _lower(_normal(entry)).strip())})
        )
        self._by_first: dict[str, list[str]] = {}
        for word in sorted(self.dictionary, key=len, reverse=True):
            self._by_first.setdefault(word[0], []).append(word)
        firsts = "".join(map(re.escape, self._by_first))
        self._firsts = re.compile(f"[{firsts}]") if firsts else None

    @property
    def fingerprint(self) -> str:
        """Changes whenever the terms of some text may."""
        return fingerprint("analyser", VERSION, self.dictionary)

    def index_terms(self, text: str) -> list[str]:
        """The terms of a passage, each as often as it occurs."""
        return self.index_text(text).split()

    def index_text(self, text: str) -> str:
        """The terms of a passage with white space between, which is how the keyword index takes them in."""
        text = _normal(text)
        own = [_one_term(word) for _, _, word in self._own_words(text, nested=True)]
        return " ".join([_spaced(text, _indexed), *own])

    def query_terms(self, text: str) -> list[str]:
        """The terms of a question, none twice; no stop words, unless there is nothing else."""
        text = _normal(text)
        terms: list[str] = []
        done = 0
        for start, end, word in self._own_words(text):
            terms += [*_spaced(text[done:start], _asked).split(), _one_term(word)]
            done = end
        terms += _spaced(text[done:], _asked).split()
        unique = list(dict.fromkeys(terms))
        return [term for term in unique if term not in STOP_WORDS] or unique

    def parts(self, term: str) -> list[str]:
        """What a passage may hold that does not hold `term` itself: the words in a compound or a dictionary word."""
        inner = _spaced(term.replace("_", " "), _indexed).split()
        return [part for part in dict.fromkeys(inner) if part != term and part not in STOP_WORDS]

    def _own_words(self, text: str, *, nested: bool = False) -> list[tuple[int, int, str]]:
        """Words of the dictionary as (start, end, word), none inside a Latin word; the longest only, or all."""
        if self._firsts is None:
            return []
        folded = _lower(text)
        found: list[tuple[int, int, str]] = []
        for match in self._firsts.finditer(folded):
            start = match.start()
            if found and start < found[-1][1] and not nested:
                continue
            for word in self._by_first[match[0]]:
                end = start + len(word)
                if folded.startswith(word, start) and not (_inside(folded, start) or _inside(folded, end)):
                    found.append((start, end, word))
                    if not nested:
                        break
        return found


def is_han(term: str) -> bool:
    """Whether a term is Chinese characters only."""
    return _HAN_RUN.fullmatch(term) is not None


def _normal(text: str) -> str:
    return unicodedata.normalize("NFKC", text) if _UNUSUAL.search(text) else text


def _lower(text: str) -> str:
    """Lower case of the same length, so that offsets stay true."""
    lower = text.lower()
    return lower if len(lower) == len(text) else "".join(c if len(c.lower()) > 1 else c.lower() for c in text)


def _inside(text: str, place: int) -> bool:
    """Whether a place is between two letters or digits of one Latin word."""
    around = text[max(0, place - 1) : place + 1]
    return len(around) == 2 and around.isascii() and around.isalnum()


def _one_term(word: str) -> str:
    return "_".join(word.split())[:_LONGEST]


def _spaced(text: str, words: _Spaced) -> str:
    """The terms of a text with white space between; no term reaches across white space, so each word is for itself."""
    return " ".join(map(words.__getitem__, text.split()))


def _pairs(run: str) -> list[str]:
    return [run[place : place + 2] for place in range(len(run) - 1)] or [run]


def _chinese(run: str, asking: bool) -> list[str]:
    # Without its guesses at unknown words jieba cuts the same words the same way in any sentence; pairs of
    # the characters it leaves alone then stand for names, and for words its dictionary lacks.
    words = _jieba().cut(run, False)
    terms: list[str] = []
    before = ""
    for word in words:
        if len(word) == 1:
            if before and word not in PARTICLES and before not in PARTICLES:
                terms.append(before + word)
            before = word
        else:
            before = ""
            if len(word) > 2 and not asking:
                terms += _within[word].split()
        terms.append(word)
    return terms


class _Memo(dict[str, str]):
    """Results by word, with spaces between: most words were seen before."""

    def __missing__(self, word: str) -> str:
        terms = " ".join(self.compute(word))
        if self.is_common(word):
            if len(self) >= _MEMO:
                self.clear()
            self[word] = terms
        return terms

    def is_common(self, word: str) -> bool:
        """Whether it is likely to come again."""
        return True

    @abstractmethod
    def compute(self, word: str) -> list[str]:
        """The terms of a word that is not held yet."""


class _Within(_Memo):
    """Words and pairs of characters within a longer Chinese word."""

    def compute(self, word: str) -> list[str]:
        inner = dict.fromkeys([*_jieba().cut_for_search(word, False), *_pairs(word)])
        inner.pop(word, None)
        return list(inner)


class _Spaced(_Memo):
    """The terms of what stands between white space."""

    def __init__(self, asking: bool) -> None:
        self.asking = asking
        self.latin = _Latin(asking)

    def is_common(self, word: str) -> bool:
        """Not what is long; Chinese has no white space, so there it is a sentence."""
        return len(word) <= _SHORT and (word.isascii() or max(word) < _CJK)

    def compute(self, word: str) -> list[str]:
        if word.isascii():
            return [self.latin[run] for run in _ASCII_WORD.findall(word)]
        terms: list[str] = []
        for run in _RUN.finditer(word):
            kind = run.lastgroup
            if kind == "word":
                terms.append(self.latin[run[0]])
            elif kind == "han":
                terms += _chinese(run[0], self.asking)
            else:
                terms += _pairs(run[0])
        return terms


class _Latin(_Memo):
    """The terms of a Latin word, number or identifier: whole and in parts, in smaller parts when indexing."""

    def __init__(self, asking: bool) -> None:
        self.asking = asking

    def compute(self, word: str) -> list[str]:
        if word.isascii() and word.isalpha() and (word.islower() or word[1:].islower()):
            return [_stem(word.lower())[:_LONGEST]]
        word = _POSSESSIVE.sub("", word).replace(",", "")
        whole = _folded(word)
        if _DECIMAL.fullmatch(word):
            return [whole]
        parts = [part for part in _JOINTS.split(word.rstrip("+#")) if part]
        terms = [whole if len(parts) > 1 or whole[-1] in "+#" else _stem(whole)]
        if version := _NUMBERED_VERSION.fullmatch(word):
            terms.append(_folded(version[1]))
        if len(parts) > 1:
            terms += [_stem(_folded(part)) for part in parts]
        if not self.asking:
            for part in parts:
                humps = _HUMPS.split(part)
                terms += [_stem(_folded(hump)) for hump in humps if len(hump) > 1 and len(humps) > 1]
        return [term[:_LONGEST] for term in dict.fromkeys(terms) if term]


_within = _Within()
_indexed = _Spaced(asking=False)
_asked = _Spaced(asking=True)


def _folded(word: str) -> str:
    """Without case and, in Latin script, without accents."""
    if word.isascii():
        return word.lower()
    bare = "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))
    return bare.lower() if bare.isascii() else word.casefold()


def _stem(word: str) -> str:
    if len(word) < 4 or not word.isascii() or not word.isalpha():
        return word
    stemmed: str = _stemmer().analyze(word)[0]
    return stemmed


@lru_cache(maxsize=1)
def _stemmer() -> Any:
    from tantivy import Filter, TextAnalyzerBuilder, Tokenizer

    return TextAnalyzerBuilder(Tokenizer.raw()).filter(Filter.stemmer("english")).build()


@lru_cache(maxsize=1)
def _jieba() -> Any:
    import rjieba

    return rjieba

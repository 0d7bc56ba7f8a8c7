"""What a document is called and what a passage names: titles and key terms, in Chinese and English, by rules.

A *key* is a name without case, accents, punctuation and article, so that two ways to write it are one.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

from pipelines.text.outline import Outline
from pipelines.text.stop_words import STOP_WORDS

VERSION = 1
"""Counts up whenever the titles or terms of some text change: then graphs are built anew."""

LONGEST_KEY = 100
"""Characters of a key."""
TERMS = 24
"""Key terms of one passage, at most."""
HEADINGS = 200
"""Headings of one document that are terms, at most."""
_UNITS = 12
"""Words or Chinese characters of a key, at most."""
_LEAD = 400
"""Characters at the beginning of a text in which its subject is looked for."""

_HAN = r"\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_UNIT = re.compile(rf"[{_HAN}]|[^\W_{_HAN}]+(?:['’][^\W_{_HAN}]+)*")
_BEFORE = frozenset("the a an this its".split())
# Where the subject of a first sentence ends.
_SUBJECT_EN = re.compile(
    r"""\s*(?P<name>[^\n]{1,120}?)
    (?: \s*[(（,;:] | \s+(?:is|was|are|were|refers?|may\s+refer|has\s+been|consists?)\b ) """,
    re.VERBOSE,
)
_SUBJECT_ZH = re.compile(
    r"\s*[《「“]?(?P<name>[^\n，。（(、：《》「」“”]{2,20}?)[》」”]?(?:\s*[（(]|，|：|是|为|指)"
)
_ALSO_EN = re.compile(
    r"""\b(?:known|called|referred\s+to|abbreviated|named)\s+(?:simply\s+|collectively\s+)?(?:as\s+)?(?:the\s+)?
    ["“'‘]?(?P<name>[A-Z][\w'’.-]*(?:\s+(?:of|the|and|de|[A-Z0-9][\w'’.-]*)){1,5})""",
    re.VERBOSE,
)
_ALSO_ZH = re.compile(
    rf"(?:简称|又称|又名|也称|亦称|别名|别称|原名|全称|俗称)(?:为|作|是|：)?[《「“]?(?P<name>[\w{_HAN}·]{{2,16}})"
)
# What stands behind the name of a person: when they were born, or lived.
_LIVED = re.compile(r"[^\n.]{0,25}?[\s\"”]*[(（,][^\n)）]{0,60}?(?:\bborn\b|\bb\.|\d{4}|生)")
_NICKNAME = re.compile(r"[\"“”'‘(]\s*([A-Z][\w.-]+)\s*[\"“”'’)]")
_SUFFIX = re.compile(r"[,\s]+(?:Jr|Sr|II|III|IV|CBE|OBE|MBE)\b\.?")
_STEM_TAIL = re.compile(
    r"(?:[-_ ](?:section|part|chapter|page|v|copy)?[-_ ]?\d{1,3}|\(\d+\))+$", re.IGNORECASE
)
_STEM_DATE = re.compile(r"^\d{4}[-_.]?\d{2}[-_.]?\d{2}[-_ ]*")

_NAME = re.compile(
    r"""(?<![\w'’])(?:[A-Z][\w'’&.-]*[\w]|[A-Z])
    (?:\s(?:(?:of|the|and|for|de|la|von|van|du)\s){0,2}(?:[A-Z][\w'’&.-]*[\w]|[A-Z]|\d+)){0,6}""",
    re.VERBOSE,
)
_QUOTED = re.compile(r"[《「“\"『]([^《》「」“”\"『』\n]{2,60})[》」”\"』]")
_CODE = re.compile(
    r"(?<![\w-])(?=[\w./-]*\d)(?=[\w./-]*[A-Za-z])[A-Za-z0-9]+(?:[-_./][A-Za-z0-9]+)*(?![\w-])"
)
_HAN_RUN = re.compile(rf"[{_HAN}]{{2,}}")
_SENTENCE_START = re.compile(r"(?:^|[.!?。！？\n:：]\s*|^\W+)$")


class Unit(NamedTuple):
    """A word or a Chinese character of a text."""

    text: str
    start: int
    end: int


def key_of(name: str) -> str:
    """The key of a name; empty where nothing is left."""
    return _joined([unit.text for unit in units(name)])


def text_titles(text: str, *, markdown: bool) -> list[str]:
    """The keys of what a text calls itself: its first heading, and the subject of its first sentence."""
    found: list[str] = []
    body = 0
    if markdown:
        outline = Outline(text[: 20 * _LEAD])
        if outline.headings:
            found += _subjects(outline.heading_at(outline.headings[0]).split(" > ")[0])
            line_end = text.find("\n", outline.headings[0])
            body = line_end + 1 if outline.headings[0] < _LEAD and line_end >= 0 else 0
    found += _subjects(text[body : body + _LEAD].lstrip(), whole=False)
    return _distinct(found)


def stem_titles(path: str) -> list[str]:
    """The keys that a file name gives."""
    stem = _STEM_DATE.sub("", _STEM_TAIL.sub("", PurePosixPath(path).stem))
    return _distinct(_subjects(re.sub(r"[_]+|(?<=\w)-(?=\w{3})", " ", stem)))


def terms_of(text: str, heading: str = "", dictionary: Collection[str] = ()) -> list[str]:
    """The keys of what a passage names: its headings, names, quoted words, identifiers, telling Chinese words.

    `dictionary` are words that count wherever they stand.
    """
    found: Counter[str] = Counter()
    for part in heading.split(" > "):
        found[key_of(part)] += 3
    for match in _QUOTED.finditer(text):
        found[key_of(match[1])] += 2
    for name in _names(text):
        found[key_of(name)] += 1 + (" " in name)
    for match in _CODE.finditer(text):
        found[key_of(match[0])] += 2
    for word, weight in _chinese(text):
        found[word] += weight
    plain = text.casefold()
    for word in dictionary:
        if word.casefold() in plain:
            found[key_of(word)] += 3
    told = [(key, count) for key, count in found.items() if _tells(key)]
    return [key for key, _ in sorted(told, key=lambda item: -item[1])[:TERMS]]


def units(text: str) -> list[Unit]:
    """Words and Chinese characters in order, without case and accents."""
    return [Unit(_folded(match[0]), match.start(), match.end()) for match in _UNIT.finditer(text)]


def mentions(text: str, known: Collection[str], firsts: Collection[str]) -> Iterator[str]:
    """The keys of `known` that a text holds, the longest at each place; `firsts` are their first units."""
    found = units(text)
    at = 0
    while at < len(found):
        step = 1
        if found[at].text in firsts:
            for size in range(min(_UNITS, len(found) - at), 0, -1):
                key = _joined([unit.text for unit in found[at : at + size]])
                if key in known:
                    yield key
                    step = size
                    break
        at += step


def first_unit(key: str) -> str:
    """The first word or Chinese character of a key."""
    match = _UNIT.match(key)
    return match[0] if match else ""


def _subjects(text: str, *, whole: bool = True) -> list[str]:
    """Keys of a title, or of the subject of a text's first sentence, in its several forms."""
    found: list[str] = []
    line = text.split("\n", 1)[0]
    if whole:
        found.append(key_of(line))
    for pattern in (_SUBJECT_EN, _SUBJECT_ZH):
        match = pattern.match(text)
        if match and (pattern is _SUBJECT_ZH) == bool(_HAN_RUN.match(match["name"].lstrip("《「“"))):
            found.append(key_of(match["name"].strip(" \t\"“”'‘’《》「」")))
            if _LIVED.match(text[match.end("name") :]):
                found += _short_names(match["name"])
    for pattern in (_ALSO_EN, _ALSO_ZH):
        found += [key_of(match["name"]) for match in pattern.finditer(line[:_LEAD])]
    return found


def _short_names(name: str) -> list[str]:
    """A person's name as others write it: first and last, nickname and last."""
    plain = _SUFFIX.sub("", name)
    nickname = _NICKNAME.search(plain)
    words = _NICKNAME.sub(" ", plain).split()
    if not 2 <= len(words) <= 5 or not all(word[0].isupper() for word in words):
        return []
    short = [key_of(" ".join(words)), key_of(f"{words[0]} {words[-1]}")]
    if nickname:
        short.append(key_of(f"{nickname[1]} {words[-1]}"))
    return short


def _names(text: str) -> Iterator[str]:
    """Capitalised words in a row; one alone only within a sentence, where it is no accident."""
    for match in _NAME.finditer(text):
        name = match[0].strip(" .")
        first, _, rest = name.partition(" ")
        if first.casefold() in STOP_WORDS or first.casefold() in _BEFORE:
            name = rest
            if not name or not name[0].isupper():
                continue
        elif not rest and _SENTENCE_START.search(text[max(0, match.start() - 4) : match.start()]):
            continue
        if len(name) > 1:
            yield name


def _chinese(text: str) -> Iterator[tuple[str, int]]:
    """Chinese words that tell something: long ones, and shorter ones that a passage repeats."""
    import rjieba

    counts: Counter[str] = Counter()
    for match in _HAN_RUN.finditer(text):
        counts.update(word for word in rjieba.cut(match[0]) if len(word) > 1 and word not in STOP_WORDS)
    for word, count in counts.items():
        if len(word) > 2:
            yield word, min(count, 3)
        elif count > 1:
            yield word, min(count - 1, 2)


def _tells(key: str) -> bool:
    """Whether a key may be a name: no stop word, no bare number, no single letter."""
    return len(key) > 1 and key not in STOP_WORDS and not key.replace(" ", "").isdigit()


def _distinct(keys: Iterable[str]) -> list[str]:
    return [key for key in dict.fromkeys(keys) if _tells(key)]


def _joined(words: list[str]) -> str:
    """Words with a space between two that are not Chinese; the article before them left out."""
    while len(words) > 1 and words[0] in _BEFORE:
        words = words[1:]
    if len(words) > _UNITS:
        return ""
    key = ""
    for word in words:
        gap = " " if key and not (_is_han(key[-1]) or _is_han(word[0])) else ""
        key += gap + word
    return key[:LONGEST_KEY]


def _is_han(character: str) -> bool:
    return "\u3400" <= character <= "\u9fff" or "\uf900" <= character <= "\ufaff" or character in "々〇"


def _folded(word: str) -> str:
    if word.isascii():
        bare = word.lower()
    else:
        bare = unicodedata.normalize("NFKC", word).replace("’", "'")
        marks = unicodedata.normalize("NFKD", bare)
        bare = "".join(each for each in marks if not unicodedata.combining(each)).casefold()
    return bare.removesuffix("'s") or bare

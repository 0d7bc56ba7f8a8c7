"""Numbers in a model's reply: an order of passages, a choice of sentences, a rating."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from pipelines.components.runtime.replies import without_thinking

HIGHEST = 10
"""The best rating; the worst is 0."""

_SEPARATOR = r"\s*(?:[,，、;；&>＞]|and|和|与|及)\s*"
_LIST = re.compile(rf"[\[［【]\s*(\d{{1,3}}(?:{_SEPARATOR}\d{{1,3}})+)\s*[\]］】]")
_BRACKETED = re.compile(r"[\[［【]\s*#?(\d{1,3})\s*[\]］】]")
_NAMED = re.compile(
    r"(?:passages?|documents?|docs?|sentences?|numbers?|资料|段落|文档|句子|编号|第)\s*[:：#]?\s*[\"'“]?"
    rf"(\d{{1,3}}(?:{_SEPARATOR}\d{{1,3}})*)",
    re.IGNORECASE,
)
_BARE = re.compile(
    r"[\s\d,，、;；>＞→=.。()（）#\-]*\d[\s\d,，、;；>＞→=.。()（）#\-]*|\d+(?:\s+(?:and|和)\s+\d+)"
)
_RANKED = re.compile(r"\s*(\d{1,3})[.):：、]\s*#?(\d{1,3})\s*")
_RANGE = re.compile(r"(\d{1,3})\s*(?:-|–|—|~|～|到|至|\bto\b)\s*(\d{1,3})")
_NONE = re.compile(
    r"(?:none(?: of them)?|no(?: sentences?)?|nothing|null|n/?a|无|没有|都没有|均无|0|\[\s*\])", re.IGNORECASE
)
_LABELS = re.compile(
    r"^[\s*]*(?:ranking|order|answer|result|sentences|排序|顺序|结果|答案|句子|编号)[\s*]*[:：]\s*",
    re.IGNORECASE,
)
_IDS = ("passage", "index", "id", "number", "doc", "document", "编号")
_SCORES = ("score", "relevance", "relevance_score", "rating", "评分", "分数")
_NUMBER = r"(-?\d+(?:\.\d+)?)"
_OF = re.compile(rf"{_NUMBER}\s*(?:/|out of|of)\s*(100|10|5)(?!\d)", re.IGNORECASE)
_RATED = re.compile(
    rf"(?:score|rating|relevance|relevant|grade|评分|得分|分数|打分|相关性|相关度)(?:\s*[(（][^()（）]*[)）])?[\"'*\s]*(?:is|of|为|是)?[\"'*\s:：=]*{_NUMBER}",
    re.IGNORECASE,
)
_POINTS = re.compile(rf"{_NUMBER}\s*(?:分|points?\b)", re.IGNORECASE)


def order(said: str, count: int) -> list[int]:
    """The places, from 0, of the passages 1 to `count` that a reply ranks, best first; empty where none is."""
    return _within(_numbers(without_thinking(said)), count)


def choice(said: str, count: int) -> list[int] | None:
    """The places, from 0, of the entries 1 to `count` that a reply names; empty for none of them, None for nonsense."""
    text = without_thinking(said)
    if _NONE.fullmatch(_LABELS.sub("", text).strip(" \t\n.。!！*\"'")):
        return []
    found = _within(_numbers(_RANGE.sub(_spelled_out, text)), count)
    return sorted(found) or None


def rating(said: str) -> float | None:
    """A rating from 0 to 10; None where a reply holds none that is plain."""
    text = without_thinking(said)
    for value in _json(text):
        scores = [value[name] for name in _SCORES if name in value] if isinstance(value, dict) else []
        if scores and isinstance(scores[0], (int, float)):
            return _checked(float(scores[0]))
    if match := _OF.search(text):
        return _checked(float(match[1]) * HIGHEST / float(match[2]))
    if match := re.search(rf"{_NUMBER}\s*[%％]", text):
        return _checked(float(match[1]) / 10)
    for expression in (_RATED, _POINTS):
        if match := expression.search(text):
            return _checked(float(match[1]))
    first = text.splitlines()[0].strip(" *\"'.。[]()") if text else ""
    if re.fullmatch(_NUMBER, first):
        return _checked(float(first))
    lone = re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.]*\w)", text)
    return _checked(float(lone[0])) if len(lone) == 1 else None


def _checked(value: float) -> float | None:
    return value if 0 <= value <= HIGHEST else None


def _spelled_out(match: re.Match[str]) -> str:
    first, last = int(match[1]), int(match[2])
    return ", ".join(map(str, range(first, last + 1))) if first < last else match[0]


def _within(numbers: Iterable[int], count: int) -> list[int]:
    return list(dict.fromkeys(number - 1 for number in numbers if 1 <= number <= count))


def _numbers(text: str) -> list[int]:
    """What a reply names, in its order: as JSON, in brackets, by name, or as bare numbers on lines of their own."""
    for value in _json(text):
        if found := _named_in(value):
            return found
    for expression in (_LIST, _BRACKETED, _NAMED):
        if matches := expression.findall(text):
            return [int(number) for match in matches for number in re.findall(r"\d+", match)]
    lines = [_LABELS.sub("", line) for line in text.splitlines() if line.strip()]
    ranked = [match for line in lines if (match := _RANKED.fullmatch(line))]
    if len(ranked) > 1 and [int(match[1]) for match in ranked] == list(range(1, len(ranked) + 1)):
        return [int(match[2]) for match in ranked]
    return [int(number) for line in lines if _BARE.fullmatch(line) for number in re.findall(r"\d{1,3}", line)]


def _json(text: str) -> Iterator[Any]:
    done = 0
    for match in re.finditer(r"[\[{]", text[:2_000]):
        if match.start() < done:
            continue
        try:
            value, done = json.JSONDecoder().raw_decode(text, match.start())
        except (ValueError, RecursionError):
            continue
        yield value


def _named_in(value: Any) -> list[int]:
    """Numbers of a JSON list, of the entries of one by their scores, or of the first list in a map."""
    if isinstance(value, dict):
        return next((found for part in value.values() if (found := _named_in(part))), [])
    if not isinstance(value, list) or len(value) < 2:
        return []
    if all(isinstance(part, (int, str)) and str(part).strip().isdecimal() for part in value):
        return [int(part) for part in value]
    rows = [part for part in value if isinstance(part, dict)]
    told = [(_of(row, _IDS), _of(row, _SCORES)) for row in rows]
    known = [(int(key), score) for key, score in told if key is not None]
    if known and all(score is not None for _, score in known):
        known.sort(key=lambda pair: -(pair[1] or 0.0))
    return [key for key, _ in known]


def _of(row: dict[str, Any], names: Iterable[str]) -> float | None:
    for name in names:
        value = row.get(name)
        if isinstance(value, (int, float)):
            return float(value)
        if isinstance(value, str) and re.fullmatch(r"\d{1,3}(?:\.\d+)?", value.strip()):
            return float(value)
    return None

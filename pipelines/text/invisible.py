"""Characters that nobody sees: taken out wherever no writing needs them, since only a model would read them.

What is kept: joiners in emoji and in Arabic, Persian and Indic words, variation selectors of emoji and of Chinese
characters, direction marks on lines that are written from right to left, the tags of flags.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass

_RUN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)
_JOINING = re.compile(
    "[\u0600-\u08ff\u0900-\u0dff\u0f00-\u109f\u1780-\u18af\u1b00-\u1bff\u2d30-\u2d7f\ua840-\ua87f\ufb50-\ufdff"
    "\ufe70-\ufefc]"
)
"""Scripts whose letters are joined, and are kept apart by marks."""
_WITHOUT_SPACES = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")
"""Thai, Lao, Burmese, Khmer: zero-width spaces stand between words."""
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_SELECTABLE = re.compile(f"{_HAN.pattern}|[0-9#*\u203c\u2049\u3000-\u303f\uff01-\uff1f\u1000-\u109f]")
_FLAG = re.compile("[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f")
_DIRECTION = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u2066\u2067\u2068\u2069")
"""Marks of direction but for the overrides, which show letters in another order than they are written in."""
_ZWSP, _ZWNJ, _ZWJ, _SOFT_HYPHEN = "\u200b", "\u200c", "\u200d", "\u00ad"


@dataclass(frozen=True, slots=True)
class Visible:
    """A text without what nobody sees."""

    text: str
    removed: int
    """Characters that were taken out, soft hyphens not counted."""
    _ends: tuple[int, ...] = ()
    _gone: tuple[int, ...] = ()

    def offset(self, before: int) -> int:
        """Where an offset of the text as it was has come to."""
        place = bisect_right(self._ends, before)
        moved = before - (self._gone[place - 1] if place else 0)
        return min(moved, self._ends[place] - self._gone[place]) if place < len(self._ends) else moved


def visible(text: str) -> Visible:
    """The text without invisible characters that no writing needs."""
    if text.isascii():
        return Visible(text, 0)
    parts: list[str] = []
    ends: list[int] = []
    gone: list[int] = []
    done = lost = removed = 0
    for match in _RUN.finditer(text):
        kept = _kept(text, match)
        if kept == match.group():
            continue
        lost += len(match.group()) - len(kept)
        removed += len(match.group()) - len(kept) - match.group().count(_SOFT_HYPHEN)
        parts += text[done : match.start()], kept
        done = match.end()
        ends.append(done)
        gone.append(lost)
    if not ends:
        return Visible(text, 0)
    return Visible("".join([*parts, text[done:]]), removed, tuple(ends), tuple(gone))


def _kept(text: str, match: re.Match[str]) -> str:
    """What of a run of invisible characters belongs to the writing around it."""
    before, after = text[: match.start()][-1:], text[match.end() : match.end() + 1]
    if before == "\U0001f3f4" and _FLAG.match(match.group()):
        return _FLAG.match(match.group()).group()  # type: ignore[union-attr]
    kept = ""
    for character in match.group():
        if character not in kept and _belongs(character, before, after, kept, text, match):
            kept += character
    return kept


def _belongs(character: str, before: str, after: str, kept: str, text: str, match: re.Match[str]) -> bool:
    if not before:
        return False
    if "\ufe00" <= character <= "\ufe0f":
        return not kept and (unicodedata.category(before)[0] == "S" or bool(_SELECTABLE.match(before)))
    if "\U000e0100" <= character <= "\U000e01ef":
        return not kept and bool(_HAN.match(before))
    if "\u180b" <= character <= "\u180f":
        return not kept and "\u1800" <= before <= "\u18af"
    if character in "\u115f\u1160":
        return "\u1100" <= (before or after) <= "\u11ff"
    if character == _ZWJ:
        return (_is_picture(before) and _is_picture(after)) or bool(_JOINING.match(before))
    if character == _ZWNJ:
        return bool(_JOINING.match(before)) and bool(_JOINING.match(after))
    if character == _ZWSP:
        return bool(_WITHOUT_SPACES.match(before)) and bool(_WITHOUT_SPACES.match(after))
    return character in _DIRECTION and bool(_RIGHT_TO_LEFT.search(_line(text, match)))


def _is_picture(character: str) -> bool:
    """Whether it is a symbol, as emoji and their modifiers are."""
    return bool(character) and (unicodedata.category(character) in ("So", "Sk", "Sm") or character in "#*")


def _line(text: str, match: re.Match[str]) -> str:
    """The line around a run, at most a few hundred characters of it."""
    start = max(text.rfind("\n", 0, match.start()) + 1, match.start() - 200)
    end = text.find("\n", match.end())
    return text[start : min(end if end >= 0 else len(text), match.end() + 200)]

"""What an LLM was told, and answers that give it away word for word."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pipelines.components.responses import Draft
from pipelines.spec import Spec
from pipelines.text.sentences import sentence_spans
from pipelines.words import Words

if TYPE_CHECKING:
    from pipelines.components.runtime.inquiry import Inquiry

RUN = 12.0
"""Words in a row that an answer and the instructions share, from which they count as repeated."""
CJK = 0.6
"""What a Chinese character counts, in words: a run of 20 of them is too long."""
REPEATED = Words(
    "the answer repeated what the model was told; that was left out", "回答重复了给模型的指令，这部分已略去"
)
_GRAM = 7
_TAIL = 300
"""Characters of a stream that are looked at again with each piece."""

_UNIT = re.compile(
    "[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]|[^\\W_\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+"
)

Gram = tuple[str, ...]


class Secret:
    """Instructions that no answer is to repeat, unless a passage or the question has the same words."""

    def __init__(self, told: Iterable[str], *, known: Iterable[str] = ()) -> None:
        self._known = tuple(known)
        self._grams: set[Gram] = set()
        self.add(told)

    def add(self, told: Iterable[str]) -> None:
        """Take in further instructions."""
        found = {gram for text in told for gram in _grams(_units(text))}
        self._grams |= found - self._known_grams if found else found

    @cached_property
    def _known_grams(self) -> set[Gram]:
        return {gram for text in self._known for gram in _grams(_units(text))}

    def repeated(self, text: str) -> list[tuple[int, int]]:
        """Where a text repeats the instructions at length, as spans."""
        units = _units(text)
        found: list[tuple[int, int]] = []
        run: tuple[int, int] | None = None
        for place, gram in enumerate(_grams(units)):
            if gram not in self._grams:
                continue
            run = (run[0], place) if run and place <= run[1] + 1 else (place, place)
            first, last = run[0], run[1] + _GRAM - 1
            if (
                sum(CJK if len(unit) == 1 and unit > "\u3000" else 1.0 for unit, _ in units[first : last + 1])
                < RUN
            ):
                continue
            span = (units[first][1], units[last][1] + len(units[last][0]))
            if found and found[-1][0] == span[0]:
                found.pop()
            found.append(span)
        return found

    def without(self, text: str) -> str:
        """The text without the sentences that repeat the instructions."""
        spans = self.repeated(text)
        if not spans:
            return text
        return "".join(
            text[start:end]
            for start, end in sentence_spans(text)
            if not any(begin < end and start < stop for begin, stop in spans)
        ).strip()

    def until_repeated(self, pieces: Iterable[Any]) -> Iterator[Any]:
        """Pieces of an answer as they come; once they repeat the instructions, no further text of them."""
        tail, silent = "", False
        for piece in pieces:
            if isinstance(piece, str):
                tail = (tail + piece)[-_TAIL:]
                silent = silent or bool(self._grams and self.repeated(tail))
                if silent:
                    continue
            yield piece


def told_by(prompts: Spec, response: Spec) -> tuple[str, ...]:
    """All that a config and the program tell an LLM that answers."""
    from pipelines.components.runtime.written import DATA, FILES, NOTHING, OWN, TONGUE

    return tuple(
        _texts_in(
            [
                prompts.model_dump(),
                response.model_dump(include={"instructions"}),
                *(DATA, FILES, NOTHING, OWN, TONGUE),
            ]
        )
    )


def discreet(draft: Draft, secret: Secret, inquiry: Inquiry) -> Draft:
    """A draft without what repeats the instructions; refused where nothing else is left of it."""
    secret.add(message["content"] for message in draft.prompt if message["role"] == "system")
    said = secret.without(draft.text)
    if said == draft.text:
        return draft
    inquiry.note(REPEATED)
    # JSON that lost a part is none any more.
    return replace(draft, text=said, refused=draft.refused or draft.form == "json" or not said)


def _texts_in(value: Any) -> Iterator[str]:
    """All texts in nested maps and lists."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _texts_in(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts_in(part)


def _units(text: str) -> list[tuple[str, int]]:
    """Words, and single Chinese characters, with their offsets."""
    return [(match[0].casefold(), match.start()) for match in _UNIT.finditer(text)]


def _grams(units: list[tuple[str, int]]) -> Iterator[Gram]:
    words = [word for word, _ in units]
    return (tuple(words[place : place + _GRAM]) for place in range(len(words) - _GRAM + 1))

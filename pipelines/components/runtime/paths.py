"""Facts of a passage as paths (subject, relation, object), as an LLM reads them."""

from __future__ import annotations

import csv
import re
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing
from typing import TYPE_CHECKING

from llama_index.core.base.llms.types import ChatMessage, MessageRole

from pipelines.components.runtime.consulting import DATA, RESERVED, block
from pipelines.components.runtime.fence import cut, unfenced
from pipelines.components.runtime.replies import without_thinking
from pipelines.components.runtime.written import guarded, pieces
from pipelines.text.language import answered_in
from pipelines.text.terms import key_of, units

if TYPE_CHECKING:
    from pipelines.models.counted import CountedLLM

PURPOSE = "graph"
LONGEST_NAME = 100
"""Characters of a subject, a relation or an object."""
LONGEST_REPLY = 20_000
"""Characters after which a model that goes on and on is stopped."""
LEAST_ROOM = 100
"""Tokens of a passage that must fit beside the prompt."""

_FORM = {
    "zh": "每行写一条，写成（主体，关系，客体），最多 {count} 条。名称照原文写，用原文的语言。只写文字里说了的。"
    "没有可写的，就只写 NONE。",
    "en": "Write one a line, as (subject, relation, object), at most {count}. Write names as the text writes them, in "
    "its language. Write only what the text says. Where there is nothing to write, write NONE.",
}
_ITEM = re.compile(r"^\s*(?:[-*+•·–>]|\(?\d{1,2}[.)、．:：](?!\d)|（\d{1,2}）|[①-⑳])\s*(?=\S)")
_BRACKETS = re.compile(r"[(（\[【<{](.*)[)）\]】>}]")
_ARROW = re.compile(r"\s*(?:-+>|—+>|=+>|→|⟶|-{2,}|—{2,})\s*")
_NAMED = re.compile(
    r"[\"']?(?:subject|head|source|relation|predicate|object|tail|target|主体|关系|客体)[\"']?\s*[:：]\s*"
)
_QUOTES = "\"'`“”‘’「」*_ \t,，.。;；"

Triple = tuple[str, str, str]


class PathReader:
    """Asks about one passage at a time and takes of the reply what the passage bears out."""

    def __init__(self, instructions: Mapping[str, str], most: int) -> None:
        """`instructions` by language: `zh` and `en`; `most` paths are taken."""
        self._instructions, self._most = instructions, most

    def messages(self, text: str) -> tuple[str, str]:
        """What is sent for a passage: the system's words and the user's."""
        tongue = answered_in(text)
        form = _FORM[tongue].replace("{count}", str(self._most))
        return "\n".join([self._instructions[tongue], form, DATA[tongue]]), block("text", unfenced(text))

    def read(self, llm: CountedLLM, text: str) -> list[Triple]:
        """The paths of a passage; none where the reply is of no use. Raises `EndpointError`, LimitReached."""
        system, _ = self.messages(text)
        text = cut(text, max(LEAST_ROOM, llm.room(RESERVED, system)))
        _, user = self.messages(text)
        asked = [
            ChatMessage(role=MessageRole.SYSTEM, content=system),
            ChatMessage(role=MessageRole.USER, content=user),
        ]
        said = ""
        with llm.used_for(PURPOSE), closing(_stream(llm, asked)) as stream:
            for piece in stream:
                said += piece
                # A weak model repeats itself without end: lines that are whole are enough.
                if len(said) > LONGEST_REPLY or ("\n" in piece and said.count("\n") > 4 * self._most):
                    break
        return paths_in(said, text, self._most)


def _stream(llm: CountedLLM, asked: list[ChatMessage]) -> Generator[str, None, None]:
    yield from guarded(llm, pieces(llm, asked))


def paths_in(said: str, text: str, most: int) -> list[Triple]:
    """The paths that a reply holds, each once, of those whose both ends stand in the text."""
    words = {unit.text for unit in units(text)}
    found: dict[tuple[str, str, str], Triple] = {}
    for triple in _triples(without_thinking(said)):
        ends = key_of(triple[0]), key_of(triple[2])
        sound = all(ends) and ends[0] != ends[1] and all(len(part) <= LONGEST_NAME for part in triple)
        if sound and all(_stands(end, words) for end in ends):
            found.setdefault((ends[0], key_of(triple[1]), ends[1]), triple)
        if len(found) == most:
            break
    return list(found.values())


def _stands(key: str, words: set[str]) -> bool:
    """Whether all words of a name stand in the text; a model makes names up, or copies them from elsewhere."""
    return all(unit.text in words for unit in units(key))


def _triples(said: str) -> Iterator[Triple]:
    for line in said.splitlines():
        bare = _ITEM.sub("", line).strip(" \t`*,，;；")
        inner = _BRACKETS.search(bare)
        ways = _ways(_NAMED.sub("", inner[1])) if inner else ()
        triple = _first_of_three([*ways, _ARROW.split(bare), bare.split("|")])
        if triple:
            yield triple


def _ways(text: str) -> list[list[str]]:
    """The parts of what stands in brackets, by each sign that may part it."""
    return [
        _ARROW.split(text),
        text.split("|"),
        re.split(r"[;；]", text),
        re.split(r"[，、]", text),
        next(csv.reader([text], skipinitialspace=True), []),
        re.split(r"[,，]", text),
    ]


def _first_of_three(ways: Iterable[list[str]]) -> Triple | None:
    for parts in ways:
        bare = [" ".join(part.strip(_QUOTES).split()) for part in parts]
        if len(bare) == 3 and all(bare):
            return bare[0], bare[1], bare[2]
    return None

"""Citations of a written answer, checked against the passages that it was written from."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipelines.querying.alignment import Support, sentences_of, support, units
from pipelines.querying.answer import Citation, Sentence
from pipelines.text.language import language_of
from pipelines.text.outline import heading_within

if TYPE_CHECKING:
    from llama_index.core.schema import NodeWithScore

Similar = Callable[[str, Sequence[str]], Sequence[float]]
"""Similarities of a claim with sentences, by meaning; used where they are in different languages."""

ENOUGH = 0.5
"""Share of a claim's words and numbers that a passage must hold to support it."""
ENOUGH_MARKED = 0.35
"""The same for a passage that the answer itself names."""
SOME = 0.2
"""The least that each of several passages must hold which support a claim together."""
COMPARED = 12
"""Sentences of a passage that are compared by meaning, at most."""

UNSUPPORTED = {"zh": "［无出处］", "en": " [unsupported]"}
"""What stands after a sentence without support, by the language of the question."""

_MARKER = re.compile(r"[^\S\n]*[\[［【]\s*(\d{1,3}(?:\s*[,，、;；]\s*\d{1,3})*)\s*[\]］】]")
_LIST_NUMBER = re.compile(r"^\s*(?:\d{1,2}[.)、]|[-*•])\s+")


@dataclass(slots=True)
class Checked:
    """An answer with the citations that hold."""

    text: str = ""
    citations: list[Citation] = field(default_factory=list)
    sentences: list[Sentence] = field(default_factory=list)
    numbers: dict[tuple[int, int, int], int] = field(default_factory=dict)
    """Of the citations, by passage, start and end."""

    def take(
        self, text: str, found: Sequence[tuple[int, Support]] | None, nodes: Sequence[NodeWithScore]
    ) -> list[int]:
        """Take in a sentence and what supports it, None for nothing; the numbers of its citations."""
        own = set()
        for passage, held in found or ():
            place = (passage, held.start, held.end)
            if place not in self.numbers:
                self.numbers[place] = len(self.numbers) + 1
                self.citations.append(citation(self.numbers[place], nodes[passage], held.start, held.end))
            own.add(self.numbers[place])
        self.sentences.append(Sentence(text, tuple(sorted(own)), found is not None))
        return sorted(own)


def check(
    text: str,
    nodes: Sequence[NodeWithScore],
    language: str,
    question: str = "",
    similar: Similar | None = None,
) -> Checked:
    """The text with its markers corrected: each sentence aligned, numbers sequential, unsupported ones marked.

    Markers in `text` count `nodes` from 1. One that points nowhere is removed; one that points at a passage
    without support gives way to a passage that has it; sentences without markers are aligned all the same.
    A bare yes or no rests on what answers the `question`.
    """
    passages = [hit.node.get_content() for hit in nodes]
    plain, marks = _without_markers(text, passages)
    checked = Checked()
    done = 0
    for start, end in sentences_of(plain):
        claim = plain[start:end]
        # What stands behind a sentence is its own; what stands before it on its line, too.
        near = {mark for at, mark in marks if (done < at or at == 0 == done) and at <= end}
        named = sorted(mark for mark in near if 1 <= mark <= len(nodes))
        said = claim if units(claim) or not question else question
        found = _evidence(said, [mark - 1 for mark in named], passages, similar)
        if said is not claim:
            found = found or []
        own = checked.take(claim, found, nodes)
        tail = "".join(f"[{number}]" for number in own)
        if found is None:
            tail = UNSUPPORTED["zh" if language == "zh" else "en"]
        gap = " " if own and language_of(claim) != "zh" else ""
        checked.text += plain[done:end] + gap + tail
        done = end
    checked.text += plain[done:]
    return checked


_LITERAL = re.compile(
    r'"(?P<text>(?:\\.|[^"\\])*+)"(?P<key>\s*:)?|(?P<number>-?\d[\d.eE+-]*)|(?P<flag>true|false)\b'
)


def check_values(
    text: str, nodes: Sequence[NodeWithScore], question: str = "", similar: Similar | None = None
) -> Checked:
    """The citations of a JSON text, value by value, in its order; the text stays as it is, without markers.

    A sentence's text is a piece of the JSON text, escapes included. Numbers are looked for near the words of the
    question and of their key; true and false rest on what answers the question.
    """
    passages = [hit.node.get_content() for hit in nodes]
    checked = Checked(text)
    key = ""
    for literal in _LITERAL.finditer(text):
        if literal["key"]:
            key = json.loads(f'"{literal["text"]}"')
        elif literal["number"]:
            around = f"{question} {re.sub('[_-]+', ' ', key)}"
            checked.take(literal[0], _number_at(literal[0], around, passages), nodes)
        elif literal["flag"]:
            checked.take(literal[0], _evidence(question, [], passages, similar) or [], nodes)
        else:
            value = json.loads(literal[0])
            for start, end in sentences_of(value):
                said = value[start:end]
                found = _evidence(said, [], passages, similar)
                checked.take(json.dumps(said, ensure_ascii=False)[1:-1], found, nodes)
    return checked


def _number_at(number: str, around: str, passages: Sequence[str]) -> list[tuple[int, Support]] | None:
    """Where a number stands nearest to some words; None where it stands nowhere."""
    best: tuple[float, int, Support] | None = None
    wanted = units(number)
    for passage, text in enumerate(passages):
        for claim in (f"{around} {number}", number):
            held = support(claim, text)
            there = units(text[held.start : held.end]) if held else wanted
            if held and wanted.numbers <= there.numbers | there.spelled:
                share = held.share if claim != number else 0.0
                if best is None or share > best[0]:
                    best = share, passage, held
                break
    return [best[1:]] if best else None


def citation(number: int, hit: NodeWithScore, start: int, end: int) -> Citation:
    """The citation of a span of a passage; offsets become those in the document where it has them."""
    passage = hit.node.get_content()
    offset = getattr(hit.node, "start_char_idx", None)
    metadata = hit.node.metadata
    page, above, inner = metadata.get("page"), metadata.get("heading") or "", 0
    for begins, page_there, heading_there in metadata.get("places") or ():  # of a passage made of several
        if offset is not None and begins <= offset + start:
            page, above, inner = page_there, heading_there, max(0, begins - offset)
    return Citation(
        number=number,
        document=metadata.get("document", ""),
        loader=metadata.get("loader", ""),
        page=page,
        heading=heading_within(above, passage[inner:], start - inner),
        passage=passage,
        quote=passage[start:end],
        start=None if offset is None else offset + start,
        end=None if offset is None else offset + end,
        node=hit.node.node_id,
    )


def _without_markers(text: str, passages: Sequence[str]) -> tuple[str, list[tuple[int, int]]]:
    """The text without markers, and for each number where in that text it stood."""
    plain: list[str] = []
    marks: list[tuple[int, int]] = []
    length = done = 0
    for match in _MARKER.finditer(text):
        if _is_code(text, match, passages):
            continue
        piece = text[done : match.start()]
        plain.append(piece)
        length += len(piece)
        done = match.end()
        marks += [(length, int(number)) for number in re.findall(r"\d+", match[1])]
    return "".join([*plain, text[done:]]), marks


def _is_code(text: str, match: re.Match[str], passages: Sequence[str]) -> bool:
    """Whether brackets are part of the matter, like `argv[1]`: a passage has them after the same word."""
    word = re.search(r"[A-Za-z_]\w*$", text[: match.start()])
    return bool(word) and any(word[0] + match[0] in passage for passage in passages)  # type: ignore[index]


def _evidence(
    claim: str, named: Sequence[int], passages: Sequence[str], similar: Similar | None
) -> list[tuple[int, Support]] | None:
    """Passages and spans that support a claim; empty where it claims nothing, None where nothing supports it."""
    claim = _LIST_NUMBER.sub("", claim)
    size = len(units(claim))
    if size == 0 or claim.endswith((":", "：")):
        return []
    enough = 1.0 if size <= 2 else ENOUGH
    by_name = [(passage, held) for passage in named if (held := support(claim, passages[passage]))]
    held_by = [(passage, held) for passage, held in by_name if held.share >= min(enough, ENOUGH_MARKED)]
    if held_by:
        return held_by
    if len(by_name) > 1 and sum(held.share for _, held in by_name) >= enough:
        together = [(passage, held) for passage, held in by_name if held.share >= SOME]
        if together:
            return together
    foreign = [passage for passage in named if language_of(claim) != language_of(passages[passage])]
    across = [(passage, _by_meaning(claim, passages[passage], similar)) for passage in foreign]
    if any(held is not None for _, held in across):
        return [(passage, held) for passage, held in across if held is not None]
    rest = ((passage, support(claim, text)) for passage, text in enumerate(passages))
    best = max(
        ((held.share, -passage, held) for passage, held in rest if held), default=None, key=lambda x: x[:2]
    )
    if best and best[0] >= enough:
        return [(-best[1], best[2])]
    return None


def _by_meaning(claim: str, passage: str, similar: Similar | None) -> Support | None:
    """The sentence of a passage in another language that is closest to a claim; without `similar`, all of it.

    None where the claim states a number that the passage does not hold: figures are the same in any language.
    """
    held = units(passage)
    if not units(claim).numbers | units(claim).spelled <= held.numbers | held.spelled:
        return None
    spans = sentences_of(passage)
    if similar is None or len(spans) < 2:
        return support(claim, passage) or Support(0, len(passage), 0.0)
    spans = spans[:COMPARED]
    scores = similar(claim, [passage[start:end] for start, end in spans])
    start, end = spans[max(range(len(spans)), key=scores.__getitem__)]
    return Support(start, end, 0.0)

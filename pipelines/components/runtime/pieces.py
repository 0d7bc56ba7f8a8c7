"""The sentences and table rows of a passage, each with what it stands under."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from llama_index.core.schema import NodeWithScore

from pipelines.text.sentences import sentence_spans

_RULE_ROW = re.compile(r"\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?")
_FENCES = ("```", "~~~")
_HEADING = re.compile(r"#{1,6}[ \t]")


@dataclass(frozen=True, slots=True)
class Piece:
    """A sentence of a passage, or a row of a table in it."""

    node: int
    start: int
    end: int
    text: str
    lead: str
    """A row's header."""
    heading: str
    """What it stands under."""
    before: str
    """The sentence before, which often names its subject."""
    name: str
    """Its document's name."""


def pieces_of(number: int, hit: NodeWithScore) -> list[Piece]:
    """The sentences and table rows of a passage; headings are what they stand under."""
    text = hit.node.get_content()
    heading = str(hit.node.metadata.get("heading") or "")
    header = str(hit.node.metadata.get("table_header") or "")
    name = PurePosixPath(str(hit.node.metadata.get("document") or "")).stem
    found: list[Piece] = []
    before, row_before = "", ""
    within = heading
    for start, end in sentence_spans(text):
        sentence = text[start:end].strip()
        start += len(text[start:end]) - len(text[start:end].lstrip())
        if _RULE_ROW.fullmatch(sentence):
            # What seemed a row was the header of the rows to come.
            header = row_before
            if found and found[-1].text == header:
                found.pop()
        elif _HEADING.match(sentence):
            within, before = f"{heading}\n{sentence}", ""
        elif sentence and not sentence.startswith(_FENCES):
            if found and found[-1].text.endswith((":", "：")):
                # What announces something is quoted with it: the command, the first item of a list.
                whole = text[found[-1].start : start + len(sentence)]
                found[-1] = replace(found[-1], end=start + len(sentence), text=whole)
            is_row = sentence.startswith("|")
            lead = header if is_row else ""
            found.append(Piece(number, start, start + len(sentence), sentence, lead, within, before, name))
            before = before if is_row else sentence
            row_before = sentence if is_row else ""
            header = header if is_row else ""
    return found


def whole_of(number: int, hit: NodeWithScore) -> Piece | None:
    """All that a passage says under the headings that it begins with; None where that is nothing."""
    text = hit.node.get_content()
    start = 0
    for line in text.splitlines(keepends=True):
        if line.strip() and not _HEADING.match(line):
            break
        start += len(line)
    said = text[start:].strip()
    start += len(text[start:]) - len(text[start:].lstrip())
    lead = str(hit.node.metadata.get("table_header") or "")
    return Piece(number, start, start + len(said), said, lead, "", "", "") if said else None

"""Questions by rules: from pairs, headings, definitions, facts and tables."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator

from pipelines.evaluation.making import facts_en, facts_zh
from pipelines.evaluation.making.chunks import Source
from pipelines.evaluation.making.definitions import definitions
from pipelines.evaluation.making.drafts import Draft, folded
from pipelines.evaluation.making.headings import headings, pair
from pipelines.evaluation.making.rules import rules
from pipelines.evaluation.making.statements import statements
from pipelines.evaluation.making.tables import tables

_FRAME = re.compile(
    r"^(?:what|who) (?:is|are|was|were|does) (?:the |an? )?| (?:do|mean|refer to|stand for)\?$|"
    r"(?:是什么(?:意思)?|是谁|指的是什么| 有什么作用)？$",
    re.IGNORECASE,
)
"""What questions for definitions have in common: two about the same thing are one."""


def drafts(source: Source, seed: int) -> list[Draft]:
    """The questions that rules find in a document, kind after kind in turn, in the order of the seed."""
    found: dict[str, list[Draft]] = {}
    known: set[str] = set()
    for draft in _all(source):
        asked = folded(_FRAME.sub("", draft.text) if draft.made == "definition" else draft.text)
        if asked not in known:
            known.add(asked)
            found.setdefault(draft.made, []).append(draft)
    chance = random.Random(f"{seed} {source.path}")
    for each in found.values():
        chance.shuffle(each)
    turn: Counter[str] = Counter()
    mixed: list[Draft] = []
    while found:
        kind = min(found, key=lambda name: (turn[name], -len(found[name]), name))
        turn[kind] += 1
        mixed.append(found[kind].pop())
        if not found[kind]:
            del found[kind]
    return mixed


def _all(source: Source) -> Iterator[Draft]:
    yield from pair(source)
    if source.format == "faq":
        return
    for chunk in source.chunks:
        yield from headings(source, chunk)
        yield from tables(source, chunk)
    for statement in statements(source):
        yield from definitions(source, statement)
        yield from facts_en.facts(source, statement)
        yield from facts_zh.facts(source, statement)
        yield from rules(source, statement)

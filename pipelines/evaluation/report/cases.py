"""Questions that an engine fails, why, and what a person needs to see to understand it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from pipelines.evaluation.metrics import retrieval
from pipelines.evaluation.outcomes import Outcome, Passage
from pipelines.evaluation.questions import Question

REASONS = (
    "error",
    "refused_wrongly",
    "answered_wrongly",
    "not_found",
    "not_read",
    "not_said",
    "unsupported",
    "judged_no",
)
"""Why a question fails, the plainest first."""
NEAR = 0.5
"""F1 with a gold answer from which an answer in other words is taken for right."""
SHOWN = 10
"""Ranks that are shown of every question; passages with gold are, whatever their rank."""
_WIDTHS = {True: 700, False: 280}
"""Characters shown of a passage with gold, and of any other."""
_BEFORE = 120
"""Characters shown before the first words that are lit."""
_MOST_LIT = 20
_BLANK_LINES = re.compile(r"\n\s*\n")

Piece = tuple[str, bool]
"""Words of a passage, and whether they are lit."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A passage of a failing question."""

    passage: Passage
    gold: bool
    """Whether it is of a gold document."""
    evidence: bool
    """Whether it holds evidence."""
    pieces: list[Piece]


@dataclass(frozen=True, slots=True)
class Case:
    """A question that fails."""

    question: Question
    outcome: Outcome
    reasons: list[str]
    passages: list[Shown]
    left_out: int
    """Passages that are not shown."""

    @property
    def gold(self) -> tuple[str, ...]:
        """The documents that hold the answer."""
        return retrieval.gold_documents(self.question)


def cases(pairs: Iterable[tuple[Question, Outcome]], scored: Iterable[Mapping[str, float]]) -> list[Case]:
    """The questions that fail, in the order of their reasons, then of the set; `scored`: each one's metrics."""
    found = [case for pair, its in zip(pairs, scored, strict=True) if (case := _case(*pair, its)).reasons]
    return sorted(found, key=lambda case: REASONS.index(case.reasons[0]))


def reasons(question: Question, outcome: Outcome, scored: Mapping[str, float]) -> list[str]:
    """Why a question fails, in the order of `REASONS`; empty for one that does not."""
    if outcome.outcome == "failed":
        return ["error"]
    refused = outcome.outcome == "refused"
    found = {
        "refused_wrongly": question.answerable and refused,
        "answered_wrongly": not question.answerable and not refused,
        "unsupported": scored.get("supported", 1.0) < 1,
        "judged_no": any(each.verdict is False for each in outcome.judged.values()),
    }
    if question.answerable:
        # An answer is right in its gold words, or in words that share most of them.
        wrong = scored.get("contains") == 0 and scored.get("f1", 0.0) < NEAR
        lost = _lost(question, outcome)
        found["not_found"] = lost == "not_found"
        found["not_read"] = lost == "not_read" and (wrong or refused)
        found["not_said"] = wrong and not lost and not refused
    return [reason for reason in REASONS if found.get(reason)]


def by_document(
    pairs: Iterable[tuple[Question, Outcome]], failing: Iterable[Case]
) -> list[tuple[str, int, int]]:
    """Gold documents of failing questions with how many of their questions fail, and how many there are."""
    asked = Counter(name for question, _ in pairs for name in retrieval.gold_documents(question))
    failed = Counter(name for case in failing for name in retrieval.gold_documents(case.question))
    rows = [(name, count, asked[name]) for name, count in failed.items()]
    return sorted(rows, key=lambda row: (-row[1], -row[1] / row[2], row[0]))


def lit(question: Question, outcome: Outcome, passage: Passage, width: int) -> list[Piece]:
    """A part of the passage around its evidence, or around gold answers where the question has no evidence."""
    text = passage.text
    places = list(_joined(_places(question, outcome, passage)))[:_MOST_LIT]
    start = max(0, places[0][0] - _BEFORE) if places and places[0][0] > width // 2 else 0
    end = min(len(text), start + width)
    pieces: list[Piece] = [("…", False)] if start else []
    at = start
    for low, high in places:
        if low >= end:
            break
        pieces += [(text[at:low], False), (text[low : min(high, end)], True)]
        at = min(high, end)
    pieces.append((text[at:end] + ("…" if end < len(text) else ""), False))
    return [(_BLANK_LINES.sub("\n", words), lit) for words, lit in pieces if words]


def _case(question: Question, outcome: Outcome, scored: Mapping[str, float]) -> Case:
    why = reasons(question, outcome, scored)
    found = [_shown(question, outcome, each) for each in outcome.passages] if why else []
    shown = [each for each in found if each is not None]
    return Case(question, outcome, why, shown, len(found) - len(shown))


def _shown(question: Question, outcome: Outcome, passage: Passage) -> Shown | None:
    """None for a passage of a low rank that has nothing to do with the gold."""
    gold = passage.document in retrieval.gold_documents(question)
    evidence = any(retrieval.holds(passage, span) for span in outcome.evidence)
    if passage.rank > SHOWN and not gold and not evidence:
        return None
    return Shown(passage, gold, evidence, lit(question, outcome, passage, _WIDTHS[gold or evidence]))


def _lost(question: Question, outcome: Outcome) -> str:
    """Whether what holds the answer was not found, or not read; empty where it was, or nobody knows what it is."""
    ranked = outcome.passages
    needed: Collection[object]
    found: Collection[object]
    read: Collection[object]
    if outcome.evidence and any(each.start is not None for each in ranked):
        needed = outcome.evidence
        found = {s for s in outcome.evidence if any(retrieval.holds(each, s) for each in ranked)}
        read = {s for s in outcome.evidence if any(each.read and retrieval.holds(each, s) for each in ranked)}
    else:
        needed = retrieval.gold_documents(question)
        found = {each.document for each in ranked}.intersection(needed)
        read = {each.document for each in ranked if each.read}.intersection(needed)
    enough = 1 if question.any_document else len(set(needed))
    if not needed or len(read) >= enough:
        return ""
    return "not_read" if len(found) >= enough else "not_found"


def _places(question: Question, outcome: Outcome, passage: Passage) -> Iterator[tuple[int, int]]:
    text = passage.text
    if question.evidence:
        exact = passage.start is not None and passage.end == passage.start + len(text)
        for span in outcome.evidence if exact else ():
            if span.document == passage.document and passage.start is not None:
                low, high = span.start - passage.start, span.end - passage.start
                if low < len(text) and high > 0:
                    yield max(0, low), min(len(text), high)
        words = (
            [] if exact else [each.quote for each in question.evidence if each.document == passage.document]
        )
    else:
        words = [each for each in question.answers if len(each) > 1]
    for each in words[:_MOST_LIT]:
        for match in re.finditer(re.escape(each), text, re.IGNORECASE):
            yield match.span()


def _joined(places: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Places in their order, none of which touches another."""
    last: tuple[int, int] | None = None
    for low, high in sorted(places):
        if last and low <= last[1]:
            last = last[0], max(last[1], high)
            continue
        if last:
            yield last
        last = low, high
    if last:
        yield last

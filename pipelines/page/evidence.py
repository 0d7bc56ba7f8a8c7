"""Beside an answer: the passages that it stands on, and the same to take along."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from pipelines.page.answers import Chat, Turn
from pipelines.querying.answer import Citation
from pipelines.querying.follow_up import LAST_TURN
from pipelines.querying.trace import IN_CONTEXT, Candidate
from pipelines.words import Language, Words

_PAGE = Words("p. {page}", "第 {page} 页")
_OPEN = Words("Open the document here", "在文档中打开")
_LAST_TURN = Words("last answer", "上一个回答")
_SOURCES = Words("Sources", "来源")
_NO_EVIDENCE = Words(
    "No passage was good enough to answer from. “How this answer came about” shows what was looked at.",
    "没有足以回答的段落。“这个回答的由来”列出了查看过的内容。",
)


def evidence(chat: Chat, language: Language) -> dict[str, Any]:
    """The source panel for the turn that is shown: cited passages in the order of their numbers, then the others."""
    turn = chat.turn
    if turn is None or turn.trace is None:
        return {"turn": 0, "cited": [], "read": [], "none": "", "notes": []}
    by_node = {each.node: each for each in turn.trace.candidates}
    citations = turn.answer.citations if turn.answer else ()
    read = [each for each in turn.trace.candidates if each.fate == IN_CONTEXT]
    refused = turn.answer is not None and turn.answer.outcome != "answered"
    passages: dict[str, list[Citation]] = {}
    for each in citations:
        passages.setdefault(each.node, []).append(each)
    return {
        "turn": turn.number,
        "cited": [_cited(turn.number, each, by_node.get(node), language) for node, each in passages.items()],
        "read": [] if refused else [_read(turn.number, each, language) for each in read],
        "none": _NO_EVIDENCE.of(language) if refused else "",
        "notes": turn.trace.notes if refused else [],
    }


def _cited(
    turn: int, citations: Sequence[Citation], candidate: Candidate | None, language: Language
) -> dict[str, Any]:
    """A passage with all that is quoted from it."""
    first = citations[0]
    return {
        "id": f"{turn}-{first.number}",
        "label": "".join(f"[{each.number}]" for each in citations),
        "cited": True,
        "open": _OPEN.of(language),
        "document": first.document,
        "place": place_words(first.page, first.heading, language),
        "found": found_by(candidate, language) if candidate else "",
        "pieces": _pieces(turn, citations, candidate),
    }


def _pieces(turn: int, citations: Sequence[Citation], candidate: Candidate | None) -> list[dict[str, str]]:
    """A passage's text in order, its quotes under the ids of the marks that light them.

    Where quotes overlap, each part of them has the ids of all that it belongs to.
    """
    passage = citations[0].passage
    quoted = [(*_quoted(each, candidate), f"{turn}-{each.number}") for each in citations]
    edges = sorted({0, len(passage), *(edge for start, end, _ in quoted for edge in (start, end))})
    return [
        {
            "text": passage[first:last],
            "ids": " ".join(name for start, end, name in quoted if start <= first and last <= end),
        }
        for first, last in pairwise(edges)
    ]


def _read(turn: int, candidate: Candidate, language: Language) -> dict[str, Any]:
    return {
        "id": f"{turn}-r{candidate.rank}",
        "open": _OPEN.of(language),
        "label": f"#{candidate.rank}",
        "cited": False,
        "document": candidate.document,
        "place": place_words(candidate.page, candidate.heading, language),
        "found": found_by(candidate, language),
        "pieces": [{"text": candidate.text, "ids": ""}],
    }


def _quoted(citation: Citation, candidate: Candidate | None) -> tuple[int, int]:
    """Where in its passage the quote of a citation stands; the whole passage where it can't be told."""
    if candidate and candidate.start is not None and citation.start is not None and citation.end is not None:
        start, end = citation.start - candidate.start, citation.end - candidate.start
        if 0 <= start < end <= len(citation.passage):
            return start, end
    start = citation.passage.find(citation.quote)
    return (start, start + len(citation.quote)) if start >= 0 else (0, len(citation.passage))


def place_words(page: int | None, heading: str, language: Language) -> str:
    """Where in a document: its page and its heading, as far as it has them."""
    parts = [_PAGE.of(language, page=page)] if page else []
    return " · ".join([*parts, *([heading] if heading else [])])


def found_by(candidate: Candidate, language: Language) -> str:
    """Which retrievers found a passage, and at which rank."""
    ranks = ((finder(name, language), told["rank"]) for name, told in candidate.by.items())
    return " · ".join(f"{name} #{rank:.0f}" for name, rank in ranks)


def finder(name: str, language: Language) -> str:
    """What found a passage: a retriever by its name, or that the last answer cited it."""
    return _LAST_TURN.of(language) if name == LAST_TURN else name


def as_markdown(turn: Turn | None, language: Language) -> str:
    """A question with its answer and its sources, to paste elsewhere."""
    if turn is None or turn.answer is None:
        return ""
    label = [f"> {turn.answer.label}", ""] if turn.answer.label else []
    copied = [f"**{turn.question}**", "", *label, turn.answer.text]
    if turn.answer.citations:
        copied += ["", f"{_SOURCES.of(language)}:", ""]
        for each in turn.answer.citations:
            place = place_words(each.page, each.heading, language)
            quote = " ".join(each.quote.split())
            copied.append(f"{each.number}. {each.document}{' · ' + place if place else ''}: “{quote}”")
    return "\n".join(copied)

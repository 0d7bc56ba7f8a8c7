"""Questions that people flagged in use, as questions of a set."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pipelines.catalog.answers import Flagged
from pipelines.evaluation.questions import Evidence, Question, question_id
from pipelines.text.language import language_of


def questions_of(flagged: Iterable[Flagged]) -> list[Question]:
    """A question for each that was judged, by its latest judgement.

    A thumb up makes the cited documents and words its gold, and a refusal that was right a question without
    answer. A thumb down says only that the answer was wrong: such a question has no gold until it is reviewed.
    """
    found: dict[str, Question] = {}
    for each in flagged:
        text = each.question.strip()
        if text and question_id(text) not in found:
            found[question_id(text)] = _right(each, text) if each.good else _wrong(each, text)
    return list(found.values())


def _right(flagged: Flagged, text: str) -> Question:
    more = {"made": "flagged", "thumb": "up"}
    citations = _citations(flagged)
    if flagged.outcome == "refused":
        return _question(text, answerable=False, more=more)
    if not citations:  # from the model's own knowledge: the documents say nothing of it
        return _question(text, more=more)
    quotes = [str(each["quote"]) for each in citations if str(each.get("quote") or "").strip()]
    return _question(
        text,
        answers=tuple(dict.fromkeys(" ".join(quote.split()) for quote in quotes)),
        documents=_documents(citations),
        evidence=tuple(
            Evidence(str(each["document"]), str(each["quote"]), _offset(each.get("start")))
            for each in citations
            if str(each.get("quote") or "").strip()
        ),
        more=more,
    )


def _wrong(flagged: Flagged, text: str) -> Question:
    suggested = {"documents": list(_documents(_citations(flagged))), "outcome": flagged.outcome}
    comment = {"comment": flagged.comment} if flagged.comment else {}
    return _question(text, more={"made": "flagged", "thumb": "down", "suggested": suggested, **comment})


def _question(text: str, **values: Any) -> Question:
    return Question(question_id(text), text, language=language_of(text), **values)


def _citations(flagged: Flagged) -> list[dict[str, Any]]:
    found = flagged.answer.get("citations")
    return [each for each in found if isinstance(each, dict) and each.get("document")] if found else []


def _documents(citations: list[dict[str, Any]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(each["document"]) for each in citations))


def _offset(start: object) -> int | None:
    return start if isinstance(start, int) and start >= 0 else None

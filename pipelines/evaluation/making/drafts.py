"""A question before it is checked, and what becomes of it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import Any

from pipelines.evaluation.questions import Evidence, Question, question_id
from pipelines.words import Language

LONGEST_ANSWER = 300
"""Characters of an answer that is kept as gold; a longer one is told by its evidence."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A question that a passage answers."""

    text: str
    answers: tuple[str, ...]
    document: str
    quote: str
    """The words of the document that answer it."""
    start: int
    """Their offset in the document's text."""
    made: str
    """`faq`, `heading`, `definition`, `fact`, `rule`, `table` or `llm`."""
    language: Language
    more: dict[str, Any] = field(default_factory=dict, compare=False)

    def question(self, split: str) -> Question:
        """As a set holds it."""
        return Question(
            id=question_id(self.text),
            text=self.text,
            answers=self.answers,
            documents=(self.document,),
            language=self.language,
            split=split,
            evidence=(Evidence(self.document, self.quote, self.start),),
            more={"made": self.made, **self.more},
        )


def trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """A span without the white space at its ends."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def short(answer: str) -> tuple[str, ...]:
    """The answer as gold; none where it is too long to be one."""
    answer = " ".join(answer.split()).strip(" ,;:，；：")
    return (answer,) if 0 < len(answer) <= LONGEST_ANSWER else ()


def folded(text: str) -> str:
    """A text without case, width, spaces and punctuation."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).casefold())

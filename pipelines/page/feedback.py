"""What a person thinks of an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from pipelines.catalog import answers
from pipelines.page.answers import Turn
from pipelines.page.site import Site
from pipelines.words import Words

THANKS = Words("Thank you: it is kept with the answer.", "谢谢，已与回答一起保存。")


@dataclass(frozen=True, slots=True)
class Rating:
    """A thumb for one stored answer."""

    base: str
    answer: int
    good: bool

    @classmethod
    def of(cls, turn: Turn, *, good: bool) -> Self | None:
        """A thumb for the answer of a turn; None where no answer was stored."""
        if turn.answer is None or turn.answer.id is None:
            return None
        return cls(turn.base, turn.answer.id, good)


def keep(site: Site, rating: Rating, comment: str = "") -> None:
    """Store it in the catalog that holds the answer; raises SearchaskError where it can't be."""
    # No database takes half of an emoji, and PostgreSQL no NUL.
    comment = comment.encode("utf-8", "replace").decode().replace("\0", " ")
    with site.entry(rating.base).open() as base:
        answers.rate(base.index.catalog.engine, rating.answer, good=rating.good, comment=comment)

"""Going through a question set by hand: what was kept, changed and dropped, saved after each."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pipelines.evaluation.questions import Question, read_questions, write_questions

REVIEWED = "reviewed"
"""In a question's line: a person has seen it."""


class Review:
    """A set that is being reviewed; every change is in the file when a method returns."""

    def __init__(self, file: Path) -> None:
        """Read the file; raises SearchaskError."""
        self._file = file
        self._questions: list[Question | None] = list(read_questions(file))
        self._before: list[tuple[int, Question]] = []

    @property
    def current(self) -> Question | None:
        """The first that nobody has seen; None where all are seen."""
        place = self._place
        return None if place is None else self._questions[place]

    @property
    def left(self) -> int:
        """How many nobody has seen."""
        return sum(each is not None and not each.more.get(REVIEWED) for each in self._questions)

    @property
    def kept(self) -> int:
        """How many a person has seen and kept."""
        return sum(each is not None for each in self._questions) - self.left

    def keep(self, changed: Question | None = None) -> None:
        """Go on to the next; `changed` is the question as it is to be."""
        place = self._place
        assert place is not None
        before = self._questions[place]
        assert before is not None
        question = changed or before
        self._set(place, before, replace(question, more={**question.more, REVIEWED: True}))

    def drop(self) -> None:
        """Take the question out of the set."""
        place = self._place
        assert place is not None
        before = self._questions[place]
        assert before is not None
        self._set(place, before, None)

    def back(self) -> bool:
        """Undo the last step of this review; False where there is none."""
        if not self._before:
            return False
        place, question = self._before.pop()
        self._questions[place] = question
        self._save()
        return True

    @property
    def _place(self) -> int | None:
        return next(
            (
                place
                for place, each in enumerate(self._questions)
                if each is not None and not each.more.get(REVIEWED)
            ),
            None,
        )

    def _set(self, place: int, before: Question, after: Question | None) -> None:
        self._before.append((place, before))
        self._questions[place] = after
        self._save()

    def _save(self) -> None:
        write_questions(self._file, [each for each in self._questions if each is not None])

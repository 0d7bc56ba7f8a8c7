"""What the verbs that ask whole question sets have in common: which questions, and how far they are."""

from __future__ import annotations

import argparse
import sys
import time
from types import TracebackType
from typing import Self

from pipelines.commands.terminal import block, duration, warn
from pipelines.errors import SearchaskError
from pipelines.evaluation.questions import Question, read_questions
from pipelines.evaluation.run import Progress
from pipelines.evaluation.runs import Run

_EVERY = 5.0
"""Seconds between lines where there is no terminal."""


def chosen(args: argparse.Namespace) -> list[Question]:
    """The questions of the set, or of one split of it."""
    if not args.questions:
        raise SearchaskError("which questions? --questions Q.jsonl; `searchask questions make` makes a set")
    questions = read_questions(args.questions)
    if not args.split:
        return questions
    chosen = [question for question in questions if question.split == args.split]
    if not chosen:
        known = ", ".join(sorted({question.split for question in questions} - {""})) or "none"
        raise SearchaskError(
            f"{args.questions}: no question is of the split {args.split!r}; there are: {known}"
        )
    return chosen


def stopped(run: Run, *, fresh: bool = False) -> int:
    """Say why a run stopped, and give the exit code; `fresh`: the command was told to begin anew."""
    asked, count = len(run.pairs), len(run.questions)
    warn(f"stopped after {asked} of {count} questions: {block(run.header.why)}")
    warn(f"what was asked is kept; the same command{', without --fresh,' if fresh else ''} goes on")
    return 130 if run.header.why == "interrupted" else 1


class Shown:
    """The progress of a run: a line that renews itself on a terminal, one now and then elsewhere."""

    def __init__(self, *, quiet: bool, name: str = "") -> None:
        self._quiet, self._name = quiet, f"{name}: " if name else ""
        self._began = self._said = time.monotonic()
        self._open = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._open:
            sys.stderr.write("\n")

    def report(self, progress: Progress) -> None:
        """Tell how far it is."""
        if self._quiet:
            return
        if not progress.done - progress.resumed:
            if progress.resumed:
                warn(
                    f"{self._name}goes on: {progress.resumed} of {progress.count} questions were asked before"
                )
            return
        now, ended = time.monotonic(), progress.done == progress.count
        if not sys.stderr.isatty():
            if now - self._said >= _EVERY or ended:
                self._said = now
                warn(self._line(progress, now))
        elif now - self._said >= 0.2 or ended:
            self._said, self._open = now, True
            sys.stderr.write(f"\r{self._line(progress, now)}   ")
            sys.stderr.flush()

    def _line(self, progress: Progress, now: float) -> str:
        asked = progress.done - progress.resumed
        left = (now - self._began) / asked * (progress.count - progress.done)
        failed = f", {progress.failed} failed" if progress.failed else ""
        more = f", about {duration(left)} left" if progress.done < progress.count else ""
        return f"{self._name}{progress.done} of {progress.count} questions{failed}{more}"

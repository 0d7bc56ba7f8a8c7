"""Progress of an ingestion: a live display on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

from pipelines.commands.terminal import duration, printable, warn
from pipelines.ingestion.events import Event
from pipelines.ingestion.plan import Plan

_EVERY = 5.0
"""Seconds between lines where there is no terminal."""


class Progress:
    """Shows documents, chunks, tokens, rate and time left; goes to standard error."""

    def __init__(self, *, quiet: bool) -> None:
        self.failures: list[tuple[str, str]] = []
        self._quiet = quiet
        self._live: Any = None
        self._task: Any = None
        self._total = self._done = self._chunks = self._tokens = 0
        self._began = self._said = time.monotonic()

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def start(self, plan: Plan) -> None:
        """Begin to show the documents of a plan."""
        self._total = len(plan.work)
        self._began = self._said = time.monotonic()
        if self._total and not self._quiet and sys.stderr.isatty():
            self._open()

    def _open(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            SpinnerColumn,
            TextColumn,
            TimeRemainingColumn,
        )
        from rich.progress import Progress as Live

        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("documents, {task.fields[detail]}, left", markup=False),
            TimeRemainingColumn(),
        )
        self._live = Live(*columns, console=Console(stderr=True), transient=True)
        self._task = self._live.add_task("", total=self._total, detail="")
        self._live.start()

    def report(self, event: Event) -> None:
        """Take in what the ingestion tells; called from its threads."""
        if event.row is not None:
            self._done += 1
            self._chunks += event.chunks
            self._tokens += event.tokens
            if event.row.error:
                self.failures.append((event.document, event.row.error))
        if self._live is not None:
            name = printable(event.document)[-40:]
            self._live.update(
                self._task, completed=self._done, description=f"{event.stage} {name}", detail=self._detail()
            )
        elif self._total and not self._quiet and time.monotonic() - self._said >= _EVERY:
            self._said = time.monotonic()
            warn(f"{self._done} of {self._total} documents, {self._detail()}{self._left()}")

    def _detail(self) -> str:
        passed = max(time.monotonic() - self._began, 0.001)
        return f"{self._chunks:,} chunks, {self._tokens:,} tokens, {self._chunks / passed:,.0f} chunks/s"

    def _left(self) -> str:
        passed = time.monotonic() - self._began
        left = passed / self._done * (self._total - self._done) if self._done else 0
        return f", about {duration(left)} left" if left else ""

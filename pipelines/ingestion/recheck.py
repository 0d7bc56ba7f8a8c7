"""Texts that are indexed already, looked at again by a moderation that was edited since; nothing is embedded."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from pipelines.catalog import Catalog, DocumentRow, vetted
from pipelines.catalog.jobs import JobDocument
from pipelines.errors import DocumentError, EndpointError, Forbidden
from pipelines.ingestion.events import Event, Report, Summary
from pipelines.ingestion.vetting import Vetting, unvetted

if TYPE_CHECKING:
    from pipelines.ingestion.plan import Change, Plan

_GROUP_SECONDS = 3.0
_FAILURES = 3
"""Documents in a row that nobody could judge, before the run stops: the rest would only fail too."""


class Recheck:
    """One look at all indexed texts that were not allowed yet."""

    def __init__(
        self, plan: Plan, catalog: Catalog, vetting: Vetting, *, summary: Summary, report: Report
    ) -> None:
        self._plan, self._catalog, self._vetting = plan, catalog, vetting
        self._summary, self._report = summary, report
        self._allowed: list[str] = []
        self._rows: list[JobDocument] = []

    def run(self, stopped: Callable[[], bool]) -> None:
        """Take out of the answers what is forbidden now; raises EndpointError where nobody can judge."""
        written, failures = time.monotonic(), 0
        try:
            for change in self._plan.changes:
                rows = list(unvetted(self._plan, change))
                if not rows:
                    continue
                if stopped():
                    break
                error = self._looked_at(change, rows)
                failures = failures + 1 if error and not isinstance(error, Forbidden) else 0
                if error and failures == _FAILURES:
                    raise EndpointError(str(error))
                if time.monotonic() - written > _GROUP_SECONDS:
                    self._write()
                    written = time.monotonic()
        finally:
            self._write()

    def _looked_at(self, change: Change, rows: list[DocumentRow]) -> DocumentError | None:
        """Look at what is indexed of one document; why it must go, or could not be judged."""
        began = time.monotonic()
        said: DocumentError | None = None
        for row in rows:
            text = self._catalog.text(row.load)
            try:
                if text is not None:
                    self._vetting.vet(row.load, text)
            except Forbidden as error:
                said = error
                self._withdraw(change, row, error)
            except DocumentError as error:  # what is indexed stays, and the next run tries again
                said = error
            else:
                self._allowed += [row.load] if self._plan.allows(row.load) else []
        if change.only_vet:
            message, stage = (str(said), "read") if said else ("", "done")
            told = JobDocument(change.path, change.action, stage, time.monotonic() - began, 0, message)
            self._summary.failed += said is not None
            self._summary.done += said is None
            self._rows.append(told)
            self._report(Event(change.path, stage, told))
        return said

    def _withdraw(self, change: Change, row: DocumentRow, error: Forbidden) -> None:
        values = {}
        if row.state == "done":  # else its newer bytes are what its row tells of
            tried = self._plan.attempt(change, row.content, forbidden=True)
            values = {"state": "quarantined", "error": str(error), "seen": row.content, "tried": tried}
        self._summary.removed += self._catalog.withdraw(row.generation, row.id, **values)
        now = self._catalog.row(row.id)
        change.row = now if change.row and change.row.id == row.id else change.row
        change.before = now if change.before and change.before.id == row.id else change.before

    def _write(self) -> None:
        vetted.record(self._catalog.engine, self._allowed, self._plan.moderation)
        self._catalog.jobs.record(self._summary.job, self._rows)
        self._allowed, self._rows = [], []

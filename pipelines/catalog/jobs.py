"""The history of ingestions: one row a run, one row a document of it."""

from __future__ import annotations

import json
import os
import socket
import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, insert, select, update

from pipelines.catalog.database import explained
from pipelines.catalog.tables import job_documents, jobs


@dataclass(frozen=True, slots=True)
class JobDocument:
    """What one run did with one document: the last stage it reached, in how many seconds."""

    document: str
    action: str
    stage: str
    seconds: float = 0.0
    chunks: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """One run; `finished` is None while it runs."""

    id: int
    started: float
    finished: float | None
    outcome: str
    pid: int
    host: str
    summary: dict[str, Any]


class JobLog:
    """Writes and reads the history; only the holder of the storage's lock may write."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def start(self) -> int:
        """Open a job; those that a killed process left running are marked interrupted."""
        values = {
            "started": time.time(),
            "outcome": "running",
            "pid": os.getpid(),
            "host": socket.gethostname(),
        }
        with explained("the job history"), self._engine.begin() as connection:
            left = update(jobs).where(jobs.c.outcome == "running")
            connection.execute(left.values(outcome="interrupted", finished=time.time()))
            key = connection.execute(insert(jobs), values).inserted_primary_key
        assert key is not None
        return int(key[0])

    def record(self, job: int, rows: list[JobDocument]) -> None:
        """Add rows of documents to a job."""
        if not rows:
            return
        values = [
            {
                "job": job,
                "document": row.document,
                "action": row.action,
                "stage": row.stage,
                "seconds": round(row.seconds, 3),
                "chunks": row.chunks,
                "error": row.error,
            }
            for row in rows
        ]
        with explained("the job history"), self._engine.begin() as connection:
            connection.execute(insert(job_documents), values)

    def finish(self, job: int, outcome: str, summary: dict[str, Any]) -> None:
        """Close a job with its outcome and its summary."""
        values = {"finished": time.time(), "outcome": outcome, "summary": json.dumps(summary)}
        with explained("the job history"), self._engine.begin() as connection:
            connection.execute(update(jobs).where(jobs.c.id == job).values(values))

    def latest(self, limit: int = 50) -> list[Job]:
        """The latest jobs, newest first."""
        with explained("the job history"), self._engine.connect() as connection:
            rows = connection.execute(select(jobs).order_by(jobs.c.id.desc()).limit(limit)).all()
        return [
            Job(row.id, row.started, row.finished, row.outcome, row.pid, row.host, json.loads(row.summary))
            for row in rows
        ]

    def documents(self, job: int) -> list[JobDocument]:
        """What a job did, document by document, in the order it did it."""
        query = select(job_documents).where(job_documents.c.job == job).order_by(job_documents.c.id)
        with explained("the job history"), self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return [
            JobDocument(row.document, row.action, row.stage, row.seconds, row.chunks, row.error)
            for row in rows
        ]

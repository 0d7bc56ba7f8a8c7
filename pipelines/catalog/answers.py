"""The answers that were given, with their evidence and what people thought of them."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, delete, insert, select

from pipelines.catalog.database import explained
from pipelines.catalog.tables import answers, feedback


def record(engine: Engine, *, query_engine: str, answer: dict[str, Any]) -> int:
    """Store an answer as its JSON; its id. Raises StorageError where the storage is read-only."""
    row = {
        "asked": time.time(),
        "engine": query_engine,
        "question": answer["question"],
        "outcome": answer["outcome"],
        "answer": json.dumps(answer, ensure_ascii=False),
    }
    with explained("the catalog"), engine.begin() as connection:
        key = connection.execute(insert(answers), row).inserted_primary_key
    assert key is not None
    return int(key[0])


COMMENT = 2_000
"""Characters of a comment that are kept."""


def rate(engine: Engine, answer: int, *, good: bool, comment: str = "") -> None:
    """Store what a person thinks of an answer; a second opinion replaces the first. Raises StorageError."""
    row = {"answer": answer, "given": time.time(), "good": good, "comment": comment.strip()[:COMMENT]}
    with explained("the catalog"), engine.begin() as connection:
        connection.execute(delete(feedback).where(feedback.c.answer == answer))
        connection.execute(insert(feedback), row)


@dataclass(frozen=True, slots=True)
class Flagged:
    """An answer with what a person thought of it."""

    id: int
    question: str
    outcome: str
    good: bool
    comment: str
    answer: dict[str, Any]
    """As `ask --json` prints it."""


def flagged(engine: Engine) -> list[Flagged]:
    """All answers that people judged, the latest judgement first. Raises StorageError."""
    columns = (answers.c.id, answers.c.question, answers.c.outcome, feedback.c.good, feedback.c.comment)
    query = select(*columns, answers.c.answer).join(feedback, feedback.c.answer == answers.c.id)
    with explained("the catalog"), engine.connect() as connection:
        rows = connection.execute(query.order_by(feedback.c.given.desc(), answers.c.id.desc())).all()
    return [Flagged(*row[:5], answer=json.loads(row.answer)) for row in rows]

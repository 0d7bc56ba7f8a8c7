"""The answers that were given, with their evidence."""

from __future__ import annotations

import json
import time
from typing import Any

from sqlalchemy import Engine, insert

from pipelines.catalog.database import explained
from pipelines.catalog.tables import answers


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

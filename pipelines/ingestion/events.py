"""What an ingestion tells while it runs, and what it has done at the end."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from pipelines.catalog.jobs import JobDocument
from pipelines.ingestion.embed import Spent


@dataclass(frozen=True, slots=True)
class Event:
    """One document reached a stage (`read`, `cut`, `embed`) or its end (`row` is set).

    `embed` names the last document of those that are embedded together.
    """

    document: str
    stage: str
    row: JobDocument | None = None
    chunks: int = 0
    tokens: int = 0


Report = Callable[[Event], None]


@dataclass(slots=True)
class Asked:
    """What a model was asked about passages so far."""

    passages: int = 0
    from_cache: int = 0
    paths: int = 0
    useless: int = 0
    """Passages about which it said nothing of use; their names are all that the graph has of them."""


@dataclass(slots=True)
class Summary:
    """What one run did; `to_dict` is the JSON contract of `ingest --json`."""

    job: int = 0
    outcome: str = "done"
    done: int = 0
    failed: int = 0
    read: int = 0
    """Documents whose file was opened and converted."""
    cut: int = 0
    """Chunks cut, whether or not they were new."""
    written: int = 0
    removed: int = 0
    spent: Spent = field(default_factory=Spent)
    asked: Asked | None = None
    """What an LLM was asked about passages, where one reads them for the graph."""
    money: float = 0.0
    """What the run cost by the config's prices; models without a price count for nothing."""
    mirrored: tuple[int, int] | None = None
    """Documents written to and removed from another graph store, where there is one."""
    error: str = ""
    """Why the run stopped early."""
    began: float = field(default_factory=time.monotonic)

    def to_dict(self) -> dict[str, Any]:
        """The summary as other programs read it."""
        summary: dict[str, Any] = {
            "job": self.job,
            "outcome": self.outcome,
            "documents": {"done": self.done, "failed": self.failed, "read": self.read},
            "chunks": {"written": self.written, "removed": self.removed, "cut": self.cut},
            "embedded": {
                "texts": self.spent.texts,
                "tokens": self.spent.tokens,
                "from_cache": self.spent.from_cache,
            },
            "seconds": round(time.monotonic() - self.began, 2),
        }
        if self.asked is not None:
            summary["graph"] = asdict(self.asked)
        if self.mirrored is not None:
            summary["graph_store"] = dict(zip(("written", "removed"), self.mirrored, strict=True))
        return {**summary, "error": self.error} if self.error else summary

"""A sweep that notes what it embeds and asks, and may be killed.

`python -m tests.evaluation.sweep.watched LOG LINES FILE`: the log gets a line for each passage that the model is given
and for each question that was asked; the process is killed once it has so many lines and the last step is kept.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipelines.catalog.cache import EmbeddingCache
from pipelines.cli import main
from pipelines.evaluation.runs import Run
from pipelines.ingestion.embed import PROBE
from pipelines.models.embedder import Embedder


def watch(log: Path, lines: int) -> None:
    """Note each step; be killed at a step once the log has so many lines."""

    def after(owner: Any, name: str, then: Callable[..., object]) -> None:
        original = getattr(owner, name)

        def watched(*args: Any) -> Any:
            result = original(*args)
            then(*args)
            return result

        setattr(owner, name, watched)

    def note(words: list[str]) -> None:
        with log.open("a", encoding="utf-8") as file:
            file.writelines(f"{each!r}\n" for each in words)

    def kept() -> None:
        if lines and len(log.read_text("utf-8").splitlines()) >= lines:
            os.kill(os.getpid(), signal.SIGKILL)

    def asked(run: Run, outcome: Any) -> None:
        note([f"asked {run.header.key} {outcome.id}"])
        kept()

    after(
        Embedder, "_request", lambda _, texts: note([f"embedded {each}" for each in texts if each != PROBE])
    )
    after(EmbeddingCache, "put", lambda *_: kept())
    after(Run, "add", asked)


if __name__ == "__main__":
    watch(Path(sys.argv[1]), int(sys.argv[2]))
    sys.exit(main(["sweep", sys.argv[3], "--json"]))

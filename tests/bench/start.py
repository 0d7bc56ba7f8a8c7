"""How long `searchask check` takes, against importing LlamaIndex."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from tests.bench.measure import ROOT, Row, tell


def rows(work: Path) -> list[Row]:
    """One row."""
    tell("searchask check")
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(8):
        ours.append(_seconds("-m", "pipelines", "check", "config/default.yaml"))
        theirs.append(_seconds("-c", "import llama_index.core"))
    mine, stock = statistics.median(ours[1:]), statistics.median(theirs[1:])
    ratio = mine / stock
    return [
        Row(
            "`searchask check`",
            f"{mine:.2f} s",
            f"{stock:.2f} s, `import llama_index.core`",
            f"{ratio:.2f}×",
            "≤ 0.4×",
            ratio <= 0.4,
            "Whole processes, `check config/default.yaml`, in turn, median of 7 after a first one.",
        )
    ]


def _seconds(*arguments: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, capture_output=True)
    return time.perf_counter() - began

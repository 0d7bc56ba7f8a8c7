"""A rerun with nothing changed, over 10,000 files: seconds of the whole process, and files it opened."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.bench.measure import ROOT, Row, in_process, tell

_FILES = 10_000


def first(file: str) -> dict[str, Any]:
    """The ingestion before it."""
    from tests.bench.ours import ingest

    return ingest(file)


def opened(file: str, documents: str) -> dict[str, Any]:
    """The same rerun within this process; how many documents are opened."""
    from pipelines.cli import main

    found: list[str] = []

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and str(arguments[0]).startswith(documents):
            found.append(str(arguments[0]))

    sys.addaudithook(watch)
    assert main(["ingest", file, "--yes"]) == 0
    return {"opened": len(found)}


def rows(work: Path) -> list[Row]:
    """One row."""
    from tests.bench.ours import write_config

    tell(f"rerun over {_FILES:,} files: the first ingestion")
    documents = work / "many"
    for number in range(_FILES):
        folder = documents / f"{number // 200:02}"
        folder.mkdir(parents=True, exist_ok=True)
        text = f"Document {number} says what number {number * 7919} means. 第 {number} 号文档。"
        (folder / f"{number:05}.txt").write_text(text, encoding="utf-8")
    file = write_config(work / "rerun", documents)
    in_process(first, file)
    tell("rerun: again, with nothing changed")
    spent = []
    for _ in range(5):
        began = time.perf_counter()
        command = [sys.executable, "-m", "pipelines", "ingest", str(file), "--yes"]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        spent.append(time.perf_counter() - began)
    seconds = statistics.median(spent)
    count = in_process(opened, file, documents)["opened"]
    return [
        Row(
            f"rerun, nothing changed, {_FILES:,} files",
            f"{seconds:.2f} s, {count} documents opened",
            "–",
            "–",
            "≤ 2 s, none opened",
            seconds <= 2 and count == 0,
            "The whole process of `searchask ingest FILE --yes`, median of 5; the documents opened are "
            "counted in another run by an audit hook on `open`.",
        )
    ]

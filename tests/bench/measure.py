"""What all measurements share: a process of their own, time, memory, disk, and a row of the table."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    name: str
    ours: str
    theirs: str
    ratio: str
    target: str
    met: bool | None
    """None where nothing was measured."""
    how: str
    """A sentence or two on what is measured, and how."""


def tell(text: str) -> None:
    """Progress, on standard error."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stderr.flush()


def in_process(function: Callable[..., Any], *args: Any, python: str = sys.executable) -> dict[str, Any]:
    """Call a module's function in a new process; its result, with `peak` (MB of memory) added."""
    module = "tests.bench." + Path(function.__code__.co_filename).stem
    with tempfile.NamedTemporaryFile(suffix=".json") as result:
        command = [python, "-m", "tests.bench.child", module, function.__name__, result.name]
        done = subprocess.run(
            [*command, json.dumps(args, default=str)],
            cwd=ROOT,
            env={**os.environ, "TOKENIZERS_PARALLELISM": "false", "ANONYMIZED_TELEMETRY": "False"},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"{module}.{function.__name__} failed:\n{done.stderr[-3000:]}")
        measured: dict[str, Any] = json.loads(Path(result.name).read_text("utf-8"))
    return measured


def peak_memory() -> float:
    """The most memory that this process has held, in MB."""
    # Not ru_maxrss: that counts what the parent held at the fork as well.
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def disk(folder: str | Path) -> int:
    """Bytes that a folder takes on the disk."""
    files = (path for path in Path(folder).rglob("*") if path.is_file())
    return sum(path.stat().st_blocks * 512 for path in files)


def median_of(runs: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The medians of what several runs measured."""
    runs = list(runs)
    return {key: statistics.median(run[key] for run in runs) for key in runs[0]}


def alternate(times: int, *functions: Callable[[int], dict[str, Any]]) -> list[dict[str, Any]]:
    """Call functions in turn, several times, and give the medians of each; they get the number of the turn."""
    runs: list[list[dict[str, Any]]] = [[] for _ in functions]
    for turn in range(times):
        for function, mine in zip(functions, runs, strict=True):
            mine.append(function(turn))
    return [median_of(mine) for mine in runs]


@dataclass(slots=True)
class Clock:
    """Seconds on the wall, and of all cores, since it was made."""

    wall: float = field(default_factory=time.perf_counter)
    cpu: float = field(default_factory=time.process_time)

    def read(self) -> dict[str, float]:
        """Both."""
        return {"seconds": time.perf_counter() - self.wall, "cpu": time.process_time() - self.cpu}


def p50(function: Callable[[Any], object], items: Iterable[Any]) -> float:
    """The median milliseconds of a call."""
    spent = []
    for item in items:
        began = time.perf_counter()
        function(item)
        spent.append((time.perf_counter() - began) * 1000)
    return statistics.median(spent)

"""The command line as a person calls it: in this process for speed, or in a child for what only a child shows."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.cli import main

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as one JSON value."""
        return json.loads(self.out)

    @property
    def text(self) -> str:
        """Both outputs."""
        return self.out + self.err


def searchask(*words: object) -> Said:
    """Run a command in this process."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="") for _ in range(2))
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code = main([str(word) for word in words])
        except SystemExit as stop:
            code = int(stop.code or 0)
    for stream in (out, err):
        stream.flush()
    return Said(code, *(stream.buffer.getvalue().decode() for stream in (out, err)))  # type: ignore[attr-defined]


def command(*words: object) -> list[str]:
    """The words that start a child with a command."""
    return [sys.executable, "-m", "pipelines", *map(str, words)]


def environment(**variables: str | None) -> dict[str, str]:
    """This process's environment with some variables set, or removed where None."""
    found = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    return {name: value for name, value in found.items() if value is not None}


def child(*words: object, env: dict[str, str] | None = None, prefix: tuple[str, ...] = (), **options: Any) -> Said:
    """Run a command in a child process; `prefix` is a program that starts it, such as `setpriv`."""
    done = subprocess.run(
        [*prefix, *command(*words)], cwd=ROOT, env=env or environment(), capture_output=True, timeout=90, **options
    )
    return Said(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))


def refused(said: Said, *parts: str, code: int = 2) -> None:
    """Check that a command failed with one clear message that holds the parts, and printed nothing else."""
    assert said.code == code, said.text
    assert "Traceback" not in said.text
    for part in parts:
        assert part in said.err, f"{part!r} is not in {said.err!r}"

"""The command line as a person calls it: in this process for speed, or in a child for what only a child shows."""

from __future__ import annotations

import ctypes
import functools
import importlib
import io
import json
import os
import resource
import subprocess
import sys
import traceback
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
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


def searchask(*words: object, encoding: str = "utf-8") -> Said:
    """Run a command in this process, on a terminal of some encoding."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="") for _ in range(2))
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code = main([str(word) for word in words])
        except SystemExit as stop:
            code = int(stop.code or 0)
    for stream in (out, err):
        stream.flush()
    return Said(code, *(stream.buffer.getvalue().decode(encoding) for stream in (out, err)))  # type: ignore[attr-defined]


def command(*words: object) -> list[str]:
    """The words that start a child with a command."""
    return [sys.executable, "-m", "pipelines", *map(str, words)]


def environment(**variables: str | None) -> dict[str, str]:
    """This process's environment with some variables set, or removed where None."""
    found = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    return {name: value for name, value in found.items() if value is not None}


def child(*words: object, env: dict[str, str] | None = None, **options: Any) -> Said:
    """Run a command in a child process."""
    done = subprocess.run(
        command(*words),
        cwd=ROOT,
        env=env or environment(),
        capture_output=True,
        timeout=90,
        **options,
    )
    return Said(
        done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
    )


def forked(*words: object, plain: bool = False, largest_file: int = 0) -> Said:
    """Run a command in a child that is forked where all is imported already.

    `plain` takes from root its power over file permissions; `largest_file` limits the size of files, as a quota does.
    """
    return _nursery().run([str(word) for word in words], plain=plain, largest_file=largest_file)


class _Nursery:
    """A process that has imported everything and forks a child for each command."""

    def __init__(self) -> None:
        start = [sys.executable, "-m", "tests.support.cli"]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(start, cwd=ROOT, stdin=pipe, stdout=pipe, text=True, bufsize=1)

    def run(self, words: list[str], **options: object) -> Said:
        assert self._process.stdin is not None and self._process.stdout is not None
        with TemporaryDirectory() as folder:
            self._process.stdin.write(json.dumps({"words": words, "folder": folder, **options}) + "\n")
            code = int(self._process.stdout.readline())
            out, err = ((Path(folder) / name).read_text("utf-8", "replace") for name in ("out", "err"))
        return Said(code, out, err)


@functools.cache
def _nursery() -> _Nursery:
    return _Nursery()


def _serve() -> None:
    for module in ("chromadb", "tantivy", "llama_index.core.node_parser", "pipelines.ingestion.run"):
        importlib.import_module(module)
    for name in (
        "pipelines.vectors.chroma",
        "pipelines.models.fake",
        "pipelines.text.nodes",
        "pipelines.querying.engine",
    ):
        importlib.import_module(name)
    for line in sys.stdin:
        order = json.loads(line)
        if not (pid := os.fork()):
            os._exit(_obey(order))
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _obey(order: dict[str, Any]) -> int:
    """What the forked child does."""
    for number, name in ((1, "out"), (2, "err")):
        descriptor = os.open(Path(order["folder"]) / name, os.O_WRONLY | os.O_CREAT)
        os.dup2(descriptor, number)
    try:
        if order["largest_file"]:
            resource.setrlimit(resource.RLIMIT_FSIZE, (order["largest_file"], resource.RLIM_INFINITY))
        if order["plain"] and os.geteuid() == 0:
            _give_up_power_over_files()
        return main(order["words"])
    except BaseException:
        traceback.print_exc()
        return 70
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def _give_up_power_over_files() -> None:
    """Drop CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH (bits 1 and 2; `man capset`)."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable, of bits 0 to 31 and of 32 to 63
    for call in (libc.capget, libc.capset):
        if call(header, sets):
            raise OSError(ctypes.get_errno(), "capset")
        for index in range(3):
            sets[index] &= ~0b110


def refused(said: Said, *parts: str, code: int = 2) -> None:
    """Check that a command failed with one clear message that holds the parts, and printed nothing else."""
    assert said.code == code, said.text
    assert "Traceback" not in said.text
    for part in parts:
        assert part in said.err, f"{part!r} is not in {said.err!r}"


if __name__ == "__main__":
    _serve()

"""A child that dies by SIGKILL at a step of an ingestion: `python -m tests.support.crash CONFIG STEP`.

`Nursery` starts one process that imports everything once and forks a child for each crash, since importing takes
longer than most crashes do.
"""

from __future__ import annotations

import atexit
import functools
import importlib
import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).parents[2]

# What is patched for a step: `module:attribute`, and when the child dies: before the call, after it, or when
# half of what it was given is written. `name@3` dies at the third call.
STEPS: dict[str, tuple[str, str]] = {
    "tables": ("sqlalchemy.sql.ddl:SchemaGenerator.visit_index", "before"),
    "lock": ("pipelines.ingestion.run:make_plan", "before"),
    "generation": ("pipelines.catalog.generations:Generations.create", "after"),
    "probe": ("pipelines.catalog.generations:Generations.set_probe", "after"),
    "stores": ("pipelines.ingestion.run:open_stores", "after"),
    "register": ("pipelines.catalog.catalog:Catalog.register", "after"),
    "read": ("pipelines.ingestion.apply:prepare", "after"),
    "parse": ("pipelines.ingestion.apply:Apply._embed", "before"),
    "cache": ("pipelines.catalog.cache:EmbeddingCache.put", "after"),
    "read by the model": ("pipelines.catalog.extractions:Extractions.put", "after"),
    "mirror begun": ("pipelines.catalog.graph_mirror:MirrorLog.begin", "after"),
    "mirror deleted": ("pipelines.vectors.graph:GraphMirror.delete", "after"),
    "mirror written": ("pipelines.vectors.graph:GraphMirror.put", "after"),
    "mirror kept": ("pipelines.vectors.graph:GraphMirror.flush", "after"),
    "mirror done": ("pipelines.catalog.graph_mirror:MirrorLog.finish", "after"),
    "intend": ("pipelines.catalog.catalog:Catalog.intend", "after"),
    "half the vectors": ("pipelines.vectors.chroma:ChromaIndex.add", "half"),
    "vectors": ("pipelines.vectors.chroma:ChromaIndex.add", "after"),
    "half the keywords": ("pipelines.keyword:TantivyIndex.add", "half"),
    "keywords uncommitted": ("pipelines.keyword:TantivyIndex.commit", "before"),
    "stored": ("pipelines.catalog.catalog:Catalog.commit", "before"),
    "half the commit": ("pipelines.catalog.catalog:_flip", "after"),
    "whole commit": ("pipelines.catalog.version:bump", "after"),
    "committed": ("pipelines.catalog.catalog:Catalog.commit", "after"),
    "removing": ("pipelines.catalog.catalog:_retire", "after"),
    "removed": ("pipelines.catalog.catalog:Catalog.remove", "after"),
    "moved": ("pipelines.catalog.catalog:Catalog.move", "after"),
    "swept vectors": ("pipelines.vectors.chroma:ChromaIndex.delete", "after"),
    "half the swept keywords": ("pipelines.keyword:TantivyIndex.delete", "half"),
    "swept": ("pipelines.catalog.catalog:Catalog.forget", "before"),
    "forgotten": ("pipelines.catalog.catalog:Catalog.forget", "after"),
    "texts": ("pipelines.catalog.contents:drop_unused", "after"),
    "switch": ("pipelines.catalog.generations:Generations.switch", "before"),
    "half the switch": ("pipelines.catalog.generations:bump", "before"),
    "switched": ("pipelines.catalog.generations:Generations.switch", "after"),
    "unsound": ("pipelines.catalog.generations:Generations.set_sound", "after"),
    "discarded": ("pipelines.ingestion.repair:discard", "after"),
    "repairing": ("pipelines.ingestion.repair:_add", "before"),
    "finish": ("pipelines.catalog.jobs:JobLog.finish", "before"),
}


def die() -> NoReturn:
    """Be killed, at once and without any clean-up."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("killed processes do not go on")


def pause() -> None:
    """Be stopped until SIGCONT; sent to the process, the signal would let this thread run on for a moment."""
    signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)


def set_trap(step: str) -> None:
    """Patch this process so that it dies at a step, or with `pause` before its name stops there each time."""
    pausing = step.startswith("pause ")
    name, _, times = step.removeprefix("pause ").partition("@")
    place, when = STEPS[name]
    module, _, path = place.partition(":")
    *owners, attribute = path.split(".")
    owner: Any = importlib.import_module(module)
    for each in owners:
        owner = getattr(owner, each)
    original = getattr(owner, attribute)
    calls = itertools.count(1)

    def trapped(*args: Any, **options: Any) -> Any:
        if pausing:
            if when == "before":
                pause()
            result = original(*args, **options)
            if when == "after":
                pause()
            return result
        if next(calls) < int(times or 1):
            return original(*args, **options)
        if when == "after":
            original(*args, **options)
        elif when == "half":
            original(*_halved(args), **options)
        die()

    setattr(owner, attribute, trapped)


def _halved(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments of a method that takes sequences, the first half of each; at least one entry."""
    this, *given = args
    lists = [each if hasattr(each, "__len__") else list(each) for each in given]
    return (this, *(each[: max(1, len(each) // 2)] for each in lists))


def run(config: Path, step: str, *, group: int = 0) -> int:
    """Ingest with traps set; `group` chunks are stored together, as many as usual for 0."""
    from pipelines.config import load_config
    from pipelines.errors import SearchaskError
    from pipelines.ingestion import apply
    from pipelines.ingestion.run import ingest

    for each in filter(None, step.split(", ")):
        set_trap(each)
    if group:
        apply.GROUP_CHUNKS = group
    try:
        return 0 if ingest(load_config(config)).outcome == "done" else 1
    except SearchaskError as error:
        print(error, file=sys.stderr)
        return 2


class Nursery:
    """Forks children that ingest; none of them outlives it."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.support.crash", "--nursery"]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True, bufsize=1)

    def start(self, config: Path, step: str = "", *, group: int = 0) -> int:
        """Begin a child; its process id."""
        return self._ask("start", str(config), step, str(group))

    def wait(self, child: int) -> int:
        """How a child ended, as `subprocess` tells it: its exit code, or minus the signal that killed it."""
        return self._ask("wait", str(child))

    def ended(self, child: int) -> bool:
        """Whether a child is dead already; it must still be waited for."""
        return _state(child) == "Z"

    def paused(self, child: int) -> bool:
        """Wait until a child stops at one of its traps; whether it did, or else it ended."""
        return bool(wait_for(lambda: (state := _state(child)) in "TZ" and state, what="a pause") == "T")

    def crash(self, config: Path, step: str, *, group: int = 0) -> bool:
        """Whether a child reached the step and was killed there."""
        code = self.wait(self.start(config, step, group=group))
        assert code in (0, -signal.SIGKILL), f"the child ended with {code} before it came to {step!r}"
        return code != 0

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)

    def _ask(self, *words: str) -> int:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write("\t".join(words) + "\n")
        return int(self._process.stdout.readline())


@functools.cache
def the_nursery() -> Nursery:
    """The one of this process; it ends with it."""
    nursery = Nursery()
    atexit.register(nursery.close)
    return nursery


def _state(process: int) -> str:
    """T for stopped, Z for dead and not yet waited for."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]


def _serve() -> None:
    """Import what an ingestion needs, then fork a child for each line that asks for one."""
    for module in ("chromadb", "tantivy", "llama_index.core.node_parser", "pipelines.ingestion.run"):
        importlib.import_module(module)
    for name in (
        "pipelines.vectors.chroma",
        "pipelines.keyword",
        "pipelines.models.fake",
        "pipelines.text.nodes",
    ):
        importlib.import_module(name)
    children: set[int] = set()
    for line in sys.stdin:
        verb, *words = line.rstrip("\n").split("\t")
        if verb == "start":
            child = _fork(lambda words=words: run(Path(words[0]), words[1], group=int(words[2])))
            children.add(child)
            print(child, flush=True)
        else:
            _, status = os.waitpid(int(words[0]), 0)
            children.remove(int(words[0]))
            print(os.waitstatus_to_exitcode(status), flush=True)
    for child in children:  # a test that failed may have left one, even a stopped one
        os.kill(child, signal.SIGKILL)


def _fork(work: Callable[[], int]) -> int:
    child = os.fork()
    if child:
        return child
    code = 70
    try:
        os.setsid()
        os.close(0)
        os.dup2(2, 1)
        code = work()
    except BaseException as error:
        print(f"the child failed: {type(error).__name__}: {error}", file=sys.stderr)
    finally:
        sys.stderr.flush()
        os._exit(code)


def wait_for(ready: Callable[[], Any], *, seconds: float = 20.0, what: str = "it") -> Any:
    """What `ready` returns, once it is true."""
    until = time.monotonic() + seconds
    while not (found := ready()):
        assert time.monotonic() < until, f"{what} did not happen within {seconds} s"
        time.sleep(0.005)
    return found


if __name__ == "__main__":
    if sys.argv[1] == "--nursery":
        _serve()
    else:
        raise SystemExit(run(Path(sys.argv[1]), sys.argv[2]))

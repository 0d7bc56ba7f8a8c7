"""The page as a person starts it: a folder of configs, served by a child process on a free port."""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.cli import ROOT, command, environment
from tests.support.house import House

STARTED_AFTER = 90.0
"""Seconds that a server may take to start on a busy machine."""


def base(
    root: Path, name: str, files: Mapping[str, str | bytes], *, ingest: bool = True, **settings: Any
) -> House:
    """A knowledge base whose config lies beside those of others, in `root/configs`."""
    house = House(root / name)
    house.file.unlink()
    house.file = root / "configs" / f"{name}.yaml"
    house.file.parent.mkdir(exist_ok=True)
    loaders = {"files": {"type": "folder", "path": str(house.docs)}}
    house.edit(**{"storage": str(house.root / "storage"), "loaders": loaders, **settings})
    for path, content in files.items():
        target = house.docs / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
    if ingest:
        house.ingest()
    return house


@dataclass
class PageServer:
    """A server that runs."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def health(self) -> Any:
        """What `/health` says; raises where the server is not there."""
        with urllib.request.urlopen(f"{self.url}/health", timeout=10) as answer:
            return json.load(answer)


@contextmanager
def page_server(place: Path, log: Path, *options: str) -> Iterator[PageServer]:
    """Serve a folder of configs while the block runs; fails at once with the log where the server ends."""
    port = _free_port()
    with log.open("wb") as out:
        process = subprocess.Popen(
            command("ui", place, "--port", port, *options),
            cwd=ROOT,
            env=environment(OPENAI_API_KEY=None, GRADIO_TEMP_DIR=str(log.parent / "uploads")),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        try:
            server = PageServer(f"http://127.0.0.1:{port}", process, log)
            _await(server)
            yield server
        finally:
            _end(process)


def _await(server: PageServer) -> None:
    until = time.monotonic() + STARTED_AFTER
    while time.monotonic() < until:
        if server.process.poll() is not None:
            break
        with suppress(OSError):
            server.health()
            return
        time.sleep(0.1)
    tail = server.log.read_text("utf-8", "replace")[-3000:]
    raise AssertionError(f"the page is not served ({server.process.poll()}):\n{tail}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])

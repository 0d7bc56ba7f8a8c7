"""What answering costs beside retrieval and the LLM's own time."""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tests.bench.measure import ROOT, Row, in_process, tell

if TYPE_CHECKING:
    from pipelines.config import Config

_ASKED = 25
_PAUSE = 0.03
"""Seconds between two tokens of an endpoint that takes its time."""
_ADDS, _LAG = 20.0, 20.0
"""Milliseconds that are allowed."""
_QUESTION = "What happens when a document fails?"
_REPLY = (
    "When a document fails, its error is recorded, the other documents go on, and the version that was indexed "
    "before stays searchable. [1] The next run tries a failed document again. [1] "
)


def rows(work: Path) -> list[Row]:
    """One row."""
    tell("answering, beside retrieval and the LLM")
    at_once, slowly = in_process(both, str(work / "answering"))["medians"]
    adds, lag = slowly["adds"], slowly["lag"]
    return [
        Row(
            "answering, beside retrieval and the LLM",
            f"{adds:.1f} ms",
            f"{slowly['retrieval']:.1f} ms of retrieval",
            f"first token {lag:.1f} ms behind the endpoint",
            f"p50 ≤ {_ADDS:.0f} ms; first token ≤ {_LAG:.0f} ms behind",
            adds <= _ADDS and lag <= _LAG and at_once["cited"] == slowly["cited"] == 1,
            f"{_ASKED} questions through `KnowledgeBase.stream` in one process, `compact` answers whose citations are "
            "checked and stored, from an endpoint on loopback, in a process of its own, that sends a token every "
            f"{_PAUSE * 1000:.0f} ms. Median of the whole time, less the time until the passages were there, less the "
            "time between the endpoint's receiving the request and its last byte; and of the time between the "
            "sending of the first token and its arrival. From an endpoint that sends the whole answer at once, which "
            f"leaves the reading of all tokens to us, answering adds {at_once['adds']:.1f} ms.",
        )
    ]


def both(folder: str) -> dict[str, Any]:
    """Medians with an endpoint that answers at once, and with one that takes its time."""
    _ingest(Path(folder))
    return {"medians": [measured(Path(folder), 0.0), measured(Path(folder), _PAUSE)]}


def measured(folder: Path, pause: float) -> dict[str, float]:
    """Medians over all questions, in ms: what answering adds, retrieval, the lag of the first token."""
    from pipelines.querying.answer import Answer, Retrieval
    from pipelines.querying.knowledge_base import KnowledgeBase

    asked: list[dict[str, float]] = []
    with _endpoint(pause) as (url, ended), KnowledgeBase(_config(folder, url)) as base:
        for number in range(-3, _ASKED):  # the first ones load the model and the client
            at: dict[str, float] = {}
            began = time.monotonic()
            for piece in base.stream(f"{_QUESTION} {abs(number)}"):
                name = {Retrieval: "found", Answer: "whole"}.get(type(piece), "first")
                at.setdefault(name, time.monotonic())
            assert isinstance(piece, Answer)
            theirs = ended()
            if number >= 0:
                own = theirs["end"] - theirs["begin"]
                asked.append(
                    {
                        "adds": (at["whole"] - at["found"] - own) * 1000,
                        "retrieval": (at["found"] - began) * 1000,
                        "lag": (at["first"] - theirs["first"]) * 1000,
                        "cited": float(bool(piece.citations)),
                    }
                )
    return {name: statistics.median(each[name] for each in asked) for name in asked[0]}


def _config(folder: Path, url: str) -> Config:
    from pipelines.config import load_config

    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "config.yaml"
    settings = {
        "storage": str(folder / "storage"),
        "loaders": {"files": {"type": "folder", "path": str(ROOT / "docs" / "en")}},
        "embed_model": {"type": "local"},
        "llm": {"type": "openai_like", "model": "timed", "base_url": url, "context_window": 8000},
    }
    file.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return load_config(file)


def _ingest(folder: Path) -> None:
    from pipelines.ingestion.run import ingest

    ingest(_config(folder, "http://127.0.0.1:9/v1"))


@contextmanager
def _endpoint(pause: float) -> Iterator[tuple[str, Any]]:
    """A chat endpoint in a process of its own: its base URL, and when its last answer began and ended."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.answering", str(pause)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        told = process.stdout
        yield f"http://127.0.0.1:{told.readline().strip()}/v1", lambda: json.loads(told.readline())
    finally:
        process.terminate()
        process.wait(10)


async def _serve(pause: float) -> None:
    async def stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionResetError):  # the client is done
            while head := await reader.read(1):
                head += await reader.readuntil(b"\r\n\r\n")
                length = int(head.decode("latin-1").lower().split("content-length:")[1].split("\r\n")[0])
                await reader.readexactly(length)
                await answer(writer)

    async def answer(writer: asyncio.StreamWriter) -> None:
        begin, first = time.monotonic(), 0.0
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        for word in _REPLY.split(" "):
            delta = {"role": "assistant", "content": word + " "}
            chunk = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "timed"}
            first = first or time.monotonic()
            send(writer, json.dumps({**chunk, "choices": [{"index": 0, "delta": delta}]}))
            await writer.drain()
            if pause:
                await asyncio.sleep(pause)
        send(writer, "[DONE]")
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        print(json.dumps({"begin": begin, "first": first, "end": time.monotonic()}), flush=True)

    def send(writer: asyncio.StreamWriter, data: str) -> None:
        event = f"data: {data}\n\n".encode()
        writer.write(b"%x\r\n%b\r\n" % (len(event), event))

    # What two processes read off this clock can be compared: it counts from the start of the machine.
    server = await asyncio.start_server(stream, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1])))

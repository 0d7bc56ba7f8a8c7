"""The page under load: many people asking at once, and asking while an ingestion runs."""

from __future__ import annotations

import asyncio
import json
import secrets
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.bench.measure import ROOT, Row, tell
from tests.bench.texts import english_folder
from tests.support.page_server import page_server

_PEOPLE = 20
_TOKEN = 0.03
"""Seconds between two tokens of the endpoint."""
_REPLY = (
    "When a document fails, its error is recorded, the other documents go on, and the version that was indexed "
    "before stays searchable. [1] The next run tries a failed document again. [1] "
)
_QUESTION = "What happens when a document fails?"
_ASKED = 30


def rows(work: Path) -> list[Row]:
    """Two rows."""
    return [_many(work), _meanwhile(work)]


def _many(work: Path) -> Row:
    tell(f"{_PEOPLE} people asking at once")
    config = _config(work / "many", ROOT / "docs" / "en")
    with _endpoint() as url:
        config["llm"] = {"type": "openai_like", "model": "slow", "base_url": url, "context_window": 8000}
        file = _written(work / "many", config)
        with page_server(file, work / "many" / "log") as server:
            page = server.url
            asyncio.run(_ask(page, _QUESTION))  # the model is loaded, the index open
            alone = [asyncio.run(_ask(page, _QUESTION)) for _ in range(5)]
            asked = asyncio.run(_all(page))
    first = sorted(each["first"] for each in asked)
    p95 = first[int(len(first) * 0.95) - 1]
    whole = all("before stays searchable" in each["text"] and "again" in each["text"] for each in asked)
    told_alone = statistics.median(each["first"] for each in alone)
    return Row(
        f"first token, {_PEOPLE} people at once",
        f"{p95:.2f} s",
        f"{told_alone:.2f} s, one person",
        f"{p95 / told_alone:.1f}×",
        "p95 < 2 s, all answers whole",
        p95 < 2 and whole,
        f"An endpoint on loopback that streams a token every {_TOKEN * 1000:.0f} ms; the page's own event over HTTP, "
        f"from the question to the first text. {'All' if whole else 'NOT all'} {_PEOPLE} got whole answers.",
    )


async def _all(page: str) -> list[dict[str, Any]]:
    return await asyncio.gather(*(_ask(page, _QUESTION) for _ in range(_PEOPLE)))


def _meanwhile(work: Path) -> Row:
    tell("asking while an ingestion runs")
    documents = work / "meanwhile-docs"
    documents.mkdir(parents=True)
    sources = sorted(english_folder(work / "english").iterdir())
    for source in sources[:4]:
        (documents / source.name).write_bytes(source.read_bytes())
    file = _written(work / "meanwhile", _config(work / "meanwhile", documents))
    with page_server(file, work / "meanwhile" / "log") as server:
        page = server.url
        questions = [f"{_QUESTION} {number}" for number in range(_ASKED)]
        asyncio.run(_ask(page, _QUESTION))
        idle = statistics.median(asyncio.run(_ask(page, each))["whole"] for each in questions)
        for source in sources[4:60]:
            (documents / source.name).write_bytes(source.read_bytes())
        child = _ingestion(file)
        time.sleep(4)  # read and cut: the model is busy from here on
        busy = []
        for each in questions:
            if child.poll() is None:
                busy.append(asyncio.run(_ask(page, each))["whole"])
                time.sleep(0.3)
        running = child.poll() is None
        child.terminate()
        child.wait(120)
    ratio = statistics.median(busy) / idle
    return Row(
        "asking while an ingestion runs",
        f"{statistics.median(busy) * 1000:.0f} ms",
        f"{idle * 1000:.0f} ms, idle",
        f"{ratio:.2f}×",
        "≤ 1.5×",
        ratio <= 1.5 and running,
        f"The page's own event, from the question to the whole answer, `local` model, quoted answers; median of "
        f"{len(busy)} questions while the page's ingestion embeds with the same model in a process of its own.",
    )


def _ingestion(file: Path) -> subprocess.Popen[bytes]:
    """As the page starts it."""
    from pipelines.page.worker import command

    return subprocess.Popen(command(file), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _config(folder: Path, documents: Path) -> dict[str, Any]:
    return {
        "storage": str(folder / "storage"),
        "loaders": {"files": {"type": "folder", "path": str(documents)}},
        "embed_model": {"type": "local"},
    }


def _written(folder: Path, config: dict[str, Any]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "config.yaml"
    file.write_text(yaml.safe_dump(config), encoding="utf-8")
    subprocess.run(
        [sys.executable, "-m", "pipelines", "ingest", str(file), "--yes", "--json"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return file


async def _ask(page: str, question: str) -> dict[str, Any]:
    """Ask as a browser does; seconds to the first text and to the whole answer, and the answer."""
    session = secrets.token_hex(6)
    async with httpx.AsyncClient(base_url=page, timeout=120) as client:
        config = (await client.get("/config")).json()
        event = next(each for each in config["dependencies"] if each["api_name"] == "ask_in_chat")
        began = time.perf_counter()
        body = {
            "data": [None, Path(page).stem, None, question],
            "fn_index": event["id"],
            "session_hash": session,
        }
        body["data"][1] = next(
            each["props"]["value"] for each in config["components"] if each["props"].get("elem_id") == "base"
        )
        (await client.post("/gradio_api/queue/join", json=body)).raise_for_status()
        first, text = 0.0, ""
        async with client.stream("GET", "/gradio_api/queue/data", params={"session_hash": session}) as stream:
            async for line in stream.aiter_lines():
                if not line.startswith("data:"):
                    continue
                said = json.loads(line[5:])
                if said["msg"] not in ("process_generating", "process_completed"):
                    continue
                told = json.dumps(said.get("output", {}), ensure_ascii=False)
                if not first and ("When" in told.replace(_QUESTION, "") or "#cite" in told):
                    first = time.perf_counter() - began
                text += told
                if said["msg"] == "process_completed":
                    break
    return {"first": first, "whole": time.perf_counter() - began, "text": text}


@contextmanager
def _endpoint() -> Iterator[str]:
    """A chat endpoint in a process of its own that streams a token every `_TOKEN` seconds; its base URL."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.serving"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}/v1"
    finally:
        process.terminate()
        process.wait(10)


async def _serve() -> None:
    server = await asyncio.start_server(_stream, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def _stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = int(head.split("content-length:")[1].split("\r\n")[0])
    await reader.readexactly(length)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
    for word in _REPLY.split(" "):
        delta = {"role": "assistant", "content": word + " "}
        chunk = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "slow"}
        writer.write(f"data: {json.dumps({**chunk, 'choices': [{'index': 0, 'delta': delta}]})}\n\n".encode())
        await writer.drain()
        await asyncio.sleep(_TOKEN)
    writer.write(b"data: [DONE]\n\n")
    await writer.drain()
    writer.close()


if __name__ == "__main__":
    asyncio.run(_serve())

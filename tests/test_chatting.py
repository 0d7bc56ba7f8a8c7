"""`searchask chat` and the label of `searchask ask`, as programs in a terminal."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support.chat_server import chat_server
from tests.support.cli import ROOT, command, environment, searchask
from tests.support.house import House
from tests.support.stream_server import stream_server

LAMP = "# Desk lamp L-200\n\nThe desk lamp L-200 is dimmable. The desk lamp L-200 costs 49 euros.\n"
KINDS = "# 请假\n\n公司有三种假。第一种是年假，每年十五天。第二种是病假，须提交医院证明。\n"


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = House(tmp_path, {"embed_model": {"type": "local"}})
    house.write("lamp.md", LAMP)
    house.write("请假.md", KINDS)
    house.ingest()
    return house


def model(url: str, policy: str = "strict") -> dict[str, Any]:
    engine = {"retriever": "both", "response": {"type": "compact"}, "policy": {"type": policy}}
    llm = {"type": "openai_like", "base_url": url, "model": "small", "retries": 0}
    return {"llm": llm, "query_engines": {"answer": engine}}


def chat(house: House, *lines: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command("chat", house.file),
        input="\n".join(lines) + "\n",
        cwd=ROOT,
        env=environment(),
        text=True,
        encoding="utf-8",
        capture_output=True,
        timeout=120,
    )


def test_a_chat_through_a_pipe(house: House) -> None:
    done = chat(
        house, "Tell me about the desk lamp L-200", "and what does it cost?", "", "/nonsense", "那第二种呢？"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "The desk lamp L-200 costs 49 euros. [1]" in done.stdout
    assert "/new begins anew" in done.stdout


def test_new_and_sources(house: House) -> None:
    done = chat(house, "/sources", "公司有哪几种假？", "/sources", "/new", "/sources")
    lines = done.stdout.splitlines()
    assert (lines[0], lines[-2:]) == ("no sources", ["begun anew", "no sources"])
    assert lines.count("[1] 请假.md · 请假") == 2


def test_a_failing_endpoint_does_not_end_a_chat(house: House) -> None:
    with chat_server("", status=401) as server:
        house.edit(**model(server.url))
        done = chat(house, "Tell me about the desk lamp L-200", "/sources")
    assert done.returncode == 0
    assert "the key was refused" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == "no sources\n"


def test_an_unknown_engine_ends_with_2(house: House) -> None:
    said = searchask("chat", house.file, "--engine", "x")
    assert said.code == 2
    assert "no query engine is called 'x'" in said.err


@pytest.mark.parametrize(
    ("question", "label"),
    [
        ("Tell me about the desk lamp L-200", "[Not in your documents; this is the model's own knowledge"),
        ("公司有哪几种假？", "[文档中没有答案；以下内容来自模型自身的知识"),
    ],
)
def test_the_terminal_and_json_show_the_label(house: House, question: str, label: str) -> None:
    with chat_server("NO_ANSWER", "Own words.", "NO_ANSWER", "Own words.") as server:
        house.edit(**model(server.url, "fallback"))
        shown = searchask("ask", house.file, question).out
        told = searchask("ask", house.file, question, "--json").out
    assert shown.splitlines()[0].startswith(label)
    assert shown.splitlines()[1:] == ["Own words."]
    assert '"outcome": "from_model"' in told and f'"label": "{label[1:]}' in told


def _hears_ctrl_c() -> None:
    """As in a terminal; what a shell starts in the background ignores it, and so do all its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """A program in a terminal of its own."""

    def __init__(self, *words: object) -> None:
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            command(*words), cwd=ROOT, env=environment(), stdin=slave, stdout=slave, stderr=slave,
            start_new_session=True, preexec_fn=_hears_ctrl_c,
        )  # fmt: skip
        os.close(slave)
        self.text = ""

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def until(self, wanted: str, seconds: float = 60) -> None:
        """Read on to some text, and forget all up to it."""
        os.set_blocking(self.master, False)
        end = time.monotonic() + seconds
        while wanted not in self.text:
            assert time.monotonic() < end and self.process.poll() is None, self.text
            try:
                self.text += os.read(self.master, 65536).decode("utf-8", "replace")
            except (BlockingIOError, OSError):
                time.sleep(0.05)
        self.text = self.text.partition(wanted)[2]

    def interrupt(self, wanted: str) -> None:
        """Press Ctrl-C, again where nothing came of it: one that arrives inside a destructor is lost."""
        for _ in range(4):
            self.process.send_signal(signal.SIGINT)
            with suppress(AssertionError):
                return self.until(wanted, 10)
        raise AssertionError(f"no {wanted!r}: {self.text}")


@contextmanager
def terminal(*words: object) -> Iterator[Terminal]:
    shown = Terminal(*words)
    try:
        yield shown
    finally:
        if shown.process.poll() is None:
            shown.process.kill()
        shown.process.wait()
        os.close(shown.master)


def test_ctrl_c_stops_an_answer_and_ctrl_d_ends(house: House) -> None:
    with stream_server("The lamp", " is dimmable [1].", waits=True) as server:
        house.edit(**{**model(server.url), "llm": server.llm()})
        with terminal("chat", house.file) as shown:
            shown.until("Ctrl-D ends")
            shown.until("> ")
            shown.type("Tell me about the desk lamp L-200\n")
            shown.until("The lamp")
            shown.interrupt("(stopped)")
            assert server.left.wait(10)
            server.go.set()
            shown.type("Tell me about the desk lamp L-200\n")
            shown.until("    The desk lamp L-200 is dimmable.")
            shown.until("> ")
            shown.process.send_signal(signal.SIGINT)
            shown.until("> ")
            shown.type("\x04")
            assert shown.process.wait(20) == 0
    assert "Traceback" not in shown.text

"""Going through a set: what is typed is in the file at once, and a second run goes on where the first one ended."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import time
from pathlib import Path

import pytest

from pipelines.evaluation.questions import read_questions
from pipelines.evaluation.review import Review
from tests.support.cli import ROOT, command, environment, searchask
from tests.support.house import House


@pytest.fixture
def file(tmp_path: Path) -> Path:
    rows = [
        {
            "id": f"q{number}",
            "question": f"question {number}?",
            "answers": [f"answer {number}"],
            "made": "fact",
        }
        for number in range(4)
    ]
    path = tmp_path / "q.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def test_each_step_is_saved_and_can_be_taken_back(file: Path) -> None:
    review = Review(file)
    review.keep()
    review.drop()
    assert [each.id for each in read_questions(file)] == ["q0", "q2", "q3"]
    assert review.current is not None
    assert review.current.id == "q2"
    assert review.back()
    assert [each.id for each in read_questions(file)] == ["q0", "q1", "q2", "q3"]
    assert review.current.id == "q1"
    assert review.back()
    assert not review.back()
    assert review.left == 4


def test_it_goes_on_where_it_ended(file: Path) -> None:
    Review(file).keep()
    again = Review(file)
    assert (again.kept, again.left) == (1, 3)
    assert again.current is not None
    assert again.current.id == "q1"
    assert json.loads(file.read_text("utf-8").splitlines()[0])["reviewed"] is True


class Terminal:
    """A review on a terminal of its own."""

    def __init__(self, *words: object) -> None:
        mine, its = pty.openpty()
        self._mine = mine
        self.process = subprocess.Popen(
            command("questions", "review", *words),
            cwd=ROOT,
            env=environment(TERM="dumb"),
            stdin=its,
            stdout=its,
            stderr=its,
        )
        os.close(its)
        self.shown = ""

    def until(self, text: str, seconds: float = 40) -> str:
        """What is shown up to a text."""
        ends = time.monotonic() + seconds
        while text not in self.shown:
            assert time.monotonic() < ends, f"{text!r} did not come: {self.shown!r}"
            if select.select([self._mine], [], [], 0.2)[0]:
                try:
                    self.shown += os.read(self._mine, 65536).decode("utf-8", "replace")
                except OSError:
                    break
        before, _, self.shown = self.shown.partition(text)
        return before

    def type(self, line: str) -> None:
        os.write(self._mine, f"{line}\n".encode())

    def end(self) -> int:
        code = self.process.wait(20)
        os.close(self._mine)
        return code


def test_on_a_terminal(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.fill(1)
    house.ingest()
    rows = [
        {
            "id": "q0",
            "question": "Who issues\x1b[31m badges?",
            "answers": ["nobody"],
            "documents": ["doc000.md"],
            "evidence": [{"document": "doc000.md", "quote": "Badges are issued by the front desk."}],
            "made": "llm",
        },
        {"id": "q1", "question": "second?"},
        {"id": "q2", "question": "third?"},
    ]
    file = tmp_path / "q.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    terminal = Terminal(file, "--documents", house.file)
    first = terminal.until("uit > ")
    assert "3 left" in first
    assert "»Badges are issued by the front desk.«" in first
    assert "The cafeteria opens at eight." in first
    assert "\x1b[31m" not in first
    terminal.type("e")
    terminal.until("question: ")
    terminal.type("Who hands out badges?")
    terminal.until("answers: ")
    terminal.type("the front desk | front desk")
    terminal.until("[yes] ")
    terminal.type("")
    terminal.until("uit > ")
    terminal.type("d")
    terminal.until("uit > ")
    terminal.type("nonsense")
    terminal.until("Enter keeps")
    terminal.until("uit > ")
    terminal.type("q")
    terminal.until("1 reviewed, 1 left")
    assert terminal.end() == 0
    found = read_questions(file)
    assert [each.id for each in found] == ["q0", "q2"]
    assert (found[0].text, found[0].answers) == ("Who hands out badges?", ("the front desk", "front desk"))
    assert found[0].more == {"made": "llm", "reviewed": True}


def test_without_a_terminal(file: Path) -> None:
    before = file.read_bytes()
    process = subprocess.run(
        command("questions", "review", file), cwd=ROOT, input=b"d\nd\n", capture_output=True, timeout=60
    )
    assert process.returncode == 2
    assert b"run it in one" in process.stderr
    assert file.read_bytes() == before


def test_a_file_that_is_none(tmp_path: Path) -> None:
    assert searchask("questions", "review", tmp_path / "none.jsonl").code == 2

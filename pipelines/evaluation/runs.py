"""Runs of an evaluation: a folder each under the storage, a line an outcome, so that a killed one goes on."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout
from pydantic import Field, ValidationError

from pipelines.catalog.database import explained
from pipelines.errors import SearchaskError, StorageError
from pipelines.evaluation.outcomes import Outcome, Row
from pipelines.evaluation.questions import Question, read_questions, write_questions

FOLDER = "evaluations"
_HEADER, _OUTCOMES, _QUESTIONS = "run.json", "outcomes.jsonl", "questions.jsonl"
_ID = re.compile(r"[\w.-]{1,100}", re.ASCII)


class Header(Row):
    """What a run measures, and with what."""

    id: str
    key: str
    """Equal for runs that would measure the same: an unfinished one goes on."""
    state: Literal["running", "stopped", "done"] = "running"
    why: str = ""
    """Why it stopped."""
    started: float
    finished: float | None = None
    config: str
    """The config file, as it was named."""
    engine: str
    effective: dict[str, str] = Field(default_factory=dict)
    """Every value of the config that was in effect, without secrets."""
    fingerprints: dict[str, str] = Field(default_factory=dict)
    """By stage: what was read, cut, embedded and asked how."""
    alone: bool = False
    """Whether the model answers alone: the config names no documents, so that none can be found or cited."""
    documents: int = 0
    chunks: int = 0
    questions: str
    """The file of the question set, as it was named."""
    count: int
    """Questions of it."""
    judge: str = ""
    """The model that judged; empty where none did."""
    versions: dict[str, str] = Field(default_factory=dict)
    notes: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """How the set fits the index, by language."""


@dataclass(slots=True)
class Run:
    """A run with its questions, and the outcomes so far by question id."""

    folder: Path
    header: Header
    questions: list[Question]
    outcomes: dict[str, Outcome] = field(default_factory=dict)

    @property
    def measured(self) -> list[Question]:
        """The questions with the gold that counts: where the model answers alone, no document is expected."""
        return [each.without_documents for each in self.questions] if self.header.alone else self.questions

    @property
    def pairs(self) -> list[tuple[Question, Outcome]]:
        """Questions with their outcomes, in the order of the set; those not asked yet are left out."""
        return [(each, self.outcomes[each.id]) for each in self.measured if each.id in self.outcomes]

    def add(self, outcome: Outcome) -> None:
        """Keep an outcome, durable on return."""
        self.outcomes[outcome.id] = outcome
        line = json.dumps(outcome.to_dict(), ensure_ascii=False) + "\n"
        with explained(self.folder), (self.folder / _OUTCOMES).open("ab") as file:
            file.write(line.encode("utf-8", "surrogatepass"))
            file.flush()
            os.fsync(file.fileno())

    def change(self, **values: Any) -> None:
        """Write the header anew, with other values."""
        self.header = self.header.model_copy(update=values)
        part = self.folder / f".{_HEADER}.part"
        with explained(self.folder):
            part.write_text(self.header.model_dump_json(indent=1), encoding="utf-8")
            part.replace(self.folder / _HEADER)


def begin(storage: Path, header: Header, questions: Sequence[Question]) -> Run:
    """A new run, with nothing asked yet."""
    folder = storage / FOLDER / header.id
    with explained(storage):
        folder.mkdir(parents=True)
    write_questions(folder / _QUESTIONS, questions)
    run = Run(folder, header, list(questions))
    run.change()
    return run


def new_id(engine: str) -> str:
    """The id of a run that begins now."""
    words = re.sub(r"[^\w-]+", "-", engine, flags=re.ASCII).strip("-")[:40]
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{words or 'engine'}-{os.urandom(2).hex()}"


def load(folder: Path) -> Run:
    """A run as it was stored; raises SearchaskError where there is none or it can't be read."""
    try:
        header = Header.model_validate_json((folder / _HEADER).read_text("utf-8"))
    except (OSError, ValidationError, UnicodeDecodeError):
        raise SearchaskError(f"{folder}: holds no run of an evaluation") from None
    run = Run(folder, header, read_questions(folder / _QUESTIONS))
    known = {question.id for question in run.questions}
    for outcome in _outcomes(folder / _OUTCOMES):
        if outcome.id in known:
            run.outcomes[outcome.id] = outcome
    return run


def find(storage: Path, key: str, *, done: bool = False) -> Run | None:
    """The newest run of this key that did not come to its end, or (`done`) any; None where there is none."""
    for header in headers(storage):
        if header.key == key and (done or header.state != "done"):
            return load(storage / FOLDER / header.id)
    return None


def find_run(storage: Path, run: str) -> Run:
    """The run of that id, or the newest for an empty one; raises SearchaskError."""
    if not run:
        newest = next(iter(headers(storage)), None)
        if newest is None:
            raise SearchaskError(f"nothing was evaluated yet in {storage}: run `searchask eval` first")
        run = newest.id
    if not _ID.fullmatch(run):
        raise SearchaskError(f"{run!r} is no id of a run; `searchask eval FILE --list` shows them")
    return load(storage / FOLDER / run)


def headers(storage: Path) -> list[Header]:
    """All runs of a storage, the newest first."""
    found = []
    for file in (storage / FOLDER).glob(f"*/{_HEADER}"):
        try:
            found.append(Header.model_validate_json(file.read_text("utf-8")))
        except (OSError, ValidationError, UnicodeDecodeError):
            continue
    return sorted(found, key=lambda header: header.started, reverse=True)


@contextmanager
def alone(run: Run) -> Iterator[None]:
    """Hold a run for writing; raises StorageError where another process does."""
    with explained(run.folder):
        lock = FileLock(run.folder / "run.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise StorageError(f"{run.folder}: another process is at it; wait for it, or stop it") from None
    try:
        yield
    finally:
        lock.release()


def _outcomes(file: Path) -> Iterator[Outcome]:
    """The outcomes of a file; a line that a kill has cut short is left out."""
    if not file.exists():
        return
    with explained(file):
        content = file.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):  # what is written next must not be glued to half a line
        with explained(file), file.open("r+b") as torn:
            torn.truncate(len(whole))
    for line in whole.splitlines():
        try:
            yield Outcome.model_validate_json(line)
        except ValidationError:
            continue

"""The `faq` loader: questions with their answers, from CSV, JSON lines, JSON or YAML; each pair is one document."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from pipelines.documents import Document, Source
from pipelines.errors import DocumentError, Quarantined, SearchaskError
from pipelines.reading.characters import clean, join_lines
from pipelines.reading.delimited import separator
from pipelines.reading.encodings import decode
from pipelines.reading.files import read_bytes
from pipelines.reading.read import as_seen, reason

QUESTION = ("question", "q", "问题", "問題", "问", "標準問", "标准问", "标准问题")
"""Names of the column or key of the question, where the config says none."""
ANSWER = ("answer", "a", "答案", "答", "回答", "答复", "標準答", "标准答", "标准答案")
ENDINGS = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".yaml", ".yml")
_NAME = 80
"""Characters of a question that stand in its document's path."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A question with its answer, and where it stands."""

    question: str
    answer: str
    place: str
    """`line 3`, `entry 3`."""

    @property
    def problem(self) -> str:
        """Why it can't be used; empty where it can."""
        missing = [name for name in ("question", "answer") if not getattr(self, name).strip()]
        return f"{self.place} has no {' and no '.join(missing)}" if missing else ""

    @property
    def text(self) -> str:
        """Markdown: the question as heading of the answer."""
        return f"# {join_lines(self.question)}\n\n{self.answer.strip()}\n"


@dataclass(frozen=True)
class FaqLoader:
    """Reads the files at each scan, and keeps their pairs until the next."""

    files: Mapping[str, Path]
    """Path as written in the config -> place on disk."""
    question: str
    """Name of the question's column or key; empty for the usual names."""
    answer: str
    encoding: str
    max_size: int
    _texts: dict[str, str] = field(default_factory=dict)

    def scan(self) -> Iterator[Source]:
        """A document for each pair; raises `SearchaskError` for a file that can't be read."""
        self._texts.clear()
        taken: dict[str, int] = {}
        for written, path in self.files.items():
            for pair in self._pairs(written, path):
                name = f"{written}#{_name(pair)}"
                taken[name] = taken.get(name, 0) + 1
                name = name if taken[name] == 1 else f"{name} ({taken[name]})"
                self._texts[name] = pair.text
                yield Source(name, len(pair.text.encode("utf-8", "replace")), problem=pair.problem)

    def fetch(self, source: Source) -> bytes:
        """The pair as text in UTF-8."""
        if source.path not in self._texts:
            raise DocumentError("it is not in the file any more")
        return self._texts[source.path].encode("utf-8", "replace")

    def read(self, source: Source, content: bytes) -> Document:
        """The question as heading, and the answer under it."""
        text = clean(content.decode("utf-8"))
        return as_seen(Document(text=text, format="faq", markdown=True, encoding="utf-8"))

    def _pairs(self, written: str, path: Path) -> list[Pair]:
        try:
            text = decode(read_bytes(path, self.max_size), encoding=self.encoding).text
            return pairs(text, PurePosixPath(written).suffix.lower(), self.question, self.answer)
        except (OSError, DocumentError, Quarantined) as error:
            raise SearchaskError(f"{written}: {error}") from None
        except Exception as error:  # any parser may fail in any way
            raise SearchaskError(f"{written}: it can't be read: {reason(error)}") from error


def pairs(text: str, ending: str, question: str = "", answer: str = "") -> list[Pair]:
    """The pairs of a file's text; raises `Quarantined` that names what is wrong and where."""
    if ending in (".csv", ".tsv"):
        return _from_table(text, "\t" if ending == ".tsv" else separator(text), question, answer)
    if ending in (".jsonl", ".ndjson"):
        lines = [(f"line {number}", line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
        entries = [(place, _json(line, place)) for place, line in lines]
    else:
        whole = _json(text, "") if ending == ".json" else _yaml(text)
        if not isinstance(whole, list):
            raise Quarantined("a list of entries with a question and an answer is needed")
        entries = [(f"entry {number}", entry) for number, entry in enumerate(whole, 1)]
    return [_from_entry(entry, place, question, answer) for place, entry in entries]


def _from_table(text: str, delimiter: str, question: str, answer: str) -> list[Pair]:
    csv.field_size_limit(10_000_000)
    reader = csv.reader(io.StringIO(text.lstrip("\n"), newline=""), delimiter=delimiter)
    head = [cell.strip() for cell in next(reader, [])]
    asked, told = _column(head, question, QUESTION), _column(head, answer, ANSWER)
    if asked is None or told is None:
        names = ", ".join(repr(name) for name in head[:8]) or "nothing"
        raise Quarantined(
            f"its first line must name the columns `question` and `answer` (or 问题 and 答案); it has {names}: "
            "set `question` and `answer` of the loader to the names of yours"
        )
    found = []
    for row in reader:
        if any(cell.strip() for cell in row):
            cells = [*row, *[""] * (len(head) - len(row))]
            found.append(Pair(cells[asked], cells[told], f"line {reader.line_num}"))
    return found


def _from_entry(entry: Any, place: str, question: str, answer: str) -> Pair:
    if not isinstance(entry, dict):
        raise Quarantined(f"{place}: an entry must have a question and an answer")
    keys = [str(key).strip() for key in entry]
    values = [_text(value) for value in entry.values()]
    asked, told = _column(keys, question, QUESTION), _column(keys, answer, ANSWER)
    return Pair("" if asked is None else values[asked], "" if told is None else values[told], place)


def _column(names: Sequence[str], wanted: str, usual: Sequence[str]) -> int | None:
    """Which of the names is meant, by the config or by custom."""
    low = [name.casefold() for name in names]
    return next(
        (low.index(name.casefold()) for name in ([wanted] if wanted else usual) if name.casefold() in low),
        None,
    )


def _text(value: Any) -> str:
    """A value that is text or a number; anything else is none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value)


def _json(text: str, place: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise Quarantined(f"not valid JSON: {error.msg} ({place or f'line {error.lineno}'})") from None


def _yaml(text: str) -> Any:
    import yaml

    try:
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        line = f" (line {error.problem_mark.line + 1})" if error.problem_mark else ""
        raise Quarantined(f"not valid YAML: {error.problem}{line}") from None


def _name(pair: Pair) -> str:
    """The question as part of a path; where there is none, its place."""
    name = re.sub(r"[\x00-\x1f\x7f\ud800-\udfff]", "", join_lines(clean(pair.question))).replace("/", "／")
    return (name if len(name) <= _NAME else name[: _NAME - 1] + "…") or pair.place

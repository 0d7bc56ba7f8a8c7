"""Question sets: one JSON object a line, in plain files that belong in version control."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
from collections.abc import Container, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pipelines.errors import SearchaskError
from pipelines.text.language import language_of

MOST_PROBLEMS = 20
"""Wrong lines of a file that are told at once."""
LARGEST = 200 * 1024 * 1024
"""Bytes of a file that is read."""
_OWN = frozenset(
    "id question answers documents doc any_document anydoc answerable language split evidence".split()
)
_SHAPE = '{"question": "…", "answers": ["…"], "documents": ["…"], "answerable": true}'


@dataclass(frozen=True, slots=True)
class Evidence:
    """Words of a document that hold an answer."""

    document: str
    """Path relative to its loader."""
    quote: str
    """The words, as the document had them when the question was made."""
    start: int | None = None
    """Offset in the document's text at which they stood; None where nobody noted it."""

    def to_dict(self) -> dict[str, Any]:
        """As a line holds it."""
        return {
            "document": self.document,
            "quote": self.quote,
            **({} if self.start is None else {"start": self.start}),
        }


@dataclass(frozen=True, slots=True)
class Question:
    """A question with what is known of its answer: its gold."""

    id: str
    text: str
    answers: tuple[str, ...] = ()
    """Wordings of the right answer, each of which is right."""
    documents: tuple[str, ...] = ()
    """Paths, relative to their loader, of the documents that hold the answer."""
    any_document: bool = True
    """Whether one of them is enough; else the answer needs all of them."""
    answerable: bool = True
    """False where the documents hold no answer: a refusal is right."""
    language: str = ""
    """`zh` or `en`."""
    split: str = ""
    """Such as `train` or `test`; empty where the set is not split."""
    evidence: tuple[Evidence, ...] = ()
    more: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else the line says; kept as it is."""

    @property
    def gold(self) -> bool:
        """Whether anything is known of the answer."""
        return bool(self.answers or self.documents or self.evidence) or not self.answerable

    @property
    def without_documents(self) -> Question:
        """The same, as it is measured where there are no documents to find."""
        return replace(self, documents=(), evidence=())

    def to_dict(self) -> dict[str, Any]:
        """As a line of a set holds it."""
        return {
            "id": self.id,
            "question": self.text,
            "answers": list(self.answers),
            "documents": list(self.documents),
            **({} if self.any_document else {"any_document": False}),
            "answerable": self.answerable,
            "language": self.language,
            **({"split": self.split} if self.split else {}),
            **({"evidence": [each.to_dict() for each in self.evidence]} if self.evidence else {}),
            **self.more,
        }


def question_id(text: str) -> str:
    """The id of a question that has none of its own: it stays the same for the same words."""
    return "q-" + hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def read_questions(file: str | Path, *, least: int = 1) -> list[Question]:
    """The questions of a JSONL file; `doc` and `anydoc` are read as `documents` and `any_document`.

    Raises SearchaskError with every wrong line, and where there are fewer than `least`.
    """
    found: list[Question] = []
    problems: list[str] = []
    lines: dict[str, int] = {}
    for number, line in enumerate(_text(Path(file)).split("\n"), 1):
        if not line.strip():
            continue
        try:
            question = _question(line)
            if question.id in lines:
                raise ValueError(f"the id {question.id!r} stands in line {lines[question.id]} already")
            if not question.id:
                question = replace(question, id=_free(question_id(question.text), lines))
            lines[question.id] = number
            found.append(question)
        except ValueError as error:
            problems.append(f"{file}:{number}: {error}")
    if problems:
        more = [f"… and {len(problems) - MOST_PROBLEMS} more"] if len(problems) > MOST_PROBLEMS else []
        raise SearchaskError("\n".join([*problems[:MOST_PROBLEMS], *more]))
    if len(found) < least:
        raise SearchaskError(f"{file}: holds no question; a line of it would be {_SHAPE}")
    return found


def write_questions(file: str | Path, questions: Iterable[Question]) -> None:
    """Write a set as a whole, or leave what was there; raises SearchaskError where it can't be written."""
    file = Path(file)
    text = "".join(json.dumps(each.to_dict(), ensure_ascii=False) + "\n" for each in questions)
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding="utf-8", errors="surrogatepass")
        part.replace(file)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise SearchaskError(f"{file} can't be written: {error.strerror}") from None


def _free(name: str, taken: Container[str]) -> str:
    """The name, numbered where a question of the same words has it."""
    names = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
    return next(each for each in names if each not in taken)


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > LARGEST:
            raise SearchaskError(f"{file}: a question set has at most {LARGEST // 2**20} MB")
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SearchaskError(f"{file}: can't be read as UTF-8: {error}") from None


def _question(line: str) -> Question:
    """The question of a line; raises ValueError that says what is wrong with it."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        raise ValueError(f"is no JSON; a line would be {_SHAPE}") from None
    if not isinstance(row, dict):
        raise ValueError(f"must be an object such as {_SHAPE}")
    text = row.get("question")
    if not isinstance(text, str) or not text.strip():
        raise ValueError('must hold a text "question"')
    answerable = _flag(row, True, "answerable")
    documents = _texts(row, "documents", "doc")
    return Question(
        id=_word(row, "id"),
        text=text.strip(),
        answers=_texts(row, "answers"),
        documents=documents,
        any_document=_flag(row, True, "any_document", "anydoc"),
        answerable=answerable,
        language=_word(row, "language") or language_of(text),
        split=_word(row, "split"),
        evidence=tuple(_evidence(each, documents) for each in _list(row.get("evidence"), "evidence")),
        more={key: value for key, value in row.items() if key not in _OWN},
    )


def _word(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if value is not None and not isinstance(value, str | int):
        raise ValueError(f'"{name}" must be a text')
    return "" if value is None else str(value)


def _flag(row: Mapping[str, Any], default: bool, *names: str) -> bool:
    for name in names:
        if isinstance(row.get(name), bool):
            return bool(row[name])
        if row.get(name) is not None:
            raise ValueError(f'"{name}" must be true or false')
    return default


def _texts(row: Mapping[str, Any], *names: str) -> tuple[str, ...]:
    for name in names:
        if row.get(name) is not None:
            found = _list(row[name], name)
            if not all(isinstance(each, str) for each in found):
                raise ValueError(f'"{name}" must be a list of texts')
            return tuple(each for each in found if each.strip())
    return ()


def _list(value: object, name: str) -> list[Any]:
    if value is None:
        return []
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list):
        raise ValueError(f'"{name}" must be a list')
    return value


def _evidence(value: object, documents: tuple[str, ...]) -> Evidence:
    if isinstance(value, str) and len(documents) == 1:
        return Evidence(documents[0], value)
    if isinstance(value, dict):
        document, quote, start = value.get("document"), value.get("quote"), value.get("start")
        if isinstance(document, str) and isinstance(quote, str) and quote.strip():
            return Evidence(document, quote, start if isinstance(start, int) and start >= 0 else None)
    raise ValueError('"evidence" must be a list of {"document": "…", "quote": "…"}')

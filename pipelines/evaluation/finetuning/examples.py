"""Examples that a chat model is fine-tuned on, one JSON object a line, and what an endpoint asks of them."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipelines.components.responses import Message
from pipelines.errors import SearchaskError
from pipelines.text.tokens import encoding

LEAST = 10
"""Examples to train on that OpenAI's API asks for."""
LARGEST = 512 * 1024 * 1024
"""Bytes of a file that OpenAI's API takes."""

_PER_MESSAGE, _PER_EXAMPLE = 3, 3
"""Tokens that the chat format adds, as OpenAI's cookbook counts them."""
_MOST_PROBLEMS = 10
_ROLES = frozenset({"system", "user", "assistant", "developer", "tool", "function"})
Source = Literal["gold with evidence", "gold without evidence", "engine", "refusal"]
_SHAPE = '{"messages": [{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}]}'


@dataclass(frozen=True, slots=True)
class Example:
    """A question with the answer that is to be learned."""

    question: str
    """Id of the question."""
    language: str
    documents: tuple[str, ...]
    """What the answer rests on; empty for a refusal of a question that is about none."""
    source: Source
    """Where the answer comes from."""
    messages: tuple[Message, ...]
    tokens: int

    @property
    def line(self) -> str:
        """As a file for fine-tuning holds it."""
        return json.dumps({"messages": list(self.messages)}, ensure_ascii=False) + "\n"


def count(messages: Sequence[Message], table: str) -> int:
    """Tokens of an example by a token table such as `o200k_base`."""
    tokens = encoding(table)
    texts = (text for message in messages for text in (message["role"], message["content"]))
    held = sum(len(tokens.encode_ordinary(text)) for text in texts)
    return held + _PER_MESSAGE * len(messages) + _PER_EXAMPLE


def plain(question: str) -> str:
    """What two questions share that differ in case, width, spaces and punctuation only."""
    folded = unicodedata.normalize("NFKC", question).casefold()
    return "".join(filter(str.isalnum, folded)) or folded


def split_by_document(
    examples: Sequence[Example], share: float
) -> tuple[tuple[Example, ...], tuple[Example, ...]]:
    """Examples to train on, and about a `share` of them to validate with; no document has some in both.

    The same examples are split the same way in whatever order they come. None is there to validate with where all
    hang together by their documents.
    """
    groups = sorted(_together(examples), key=_drawn)
    wanted = max(1, round(len(examples) * share)) if share > 0 else 0
    apart: list[Example] = []
    for group in groups:
        if len(apart) + len(group) <= wanted:
            apart += group
    if wanted and not apart and groups:
        smallest = min(groups, key=len)
        apart = smallest if 2 * len(smallest) <= len(examples) else []
    ids = {example.question for example in apart}
    return tuple(each for each in examples if each.question not in ids), tuple(
        each for each in examples if each.question in ids
    )


def _together(examples: Sequence[Example]) -> list[list[Example]]:
    """Groups of examples that share documents, directly or over other examples."""
    group_of: dict[str, list[Example]] = {}
    alone: list[list[Example]] = []
    for example in examples:
        met = {id(group): group for name in example.documents if (group := group_of.get(name))}
        whole = [example, *(each for group in met.values() for each in group)]
        for name in {name for each in whole for name in each.documents}:
            group_of[name] = whole
        if not example.documents:
            alone.append(whole)
    return [*{id(group): group for group in group_of.values()}.values(), *alone]


def _drawn(group: Sequence[Example]) -> bytes:
    """A place in an order that says nothing of the group, and is the same each time."""
    name = min(each.question for each in group)
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()


@dataclass(frozen=True, slots=True)
class ExampleFile:
    """A file of examples that was checked."""

    path: Path
    content: bytes
    examples: int
    tokens: int

    @property
    def digest(self) -> str:
        """What tells its content from any other."""
        return hashlib.blake2b(self.content, digest_size=16).hexdigest()


def read_examples(file: str, table: str, least: int = 1) -> ExampleFile:
    """A file as an endpoint is to get it; raises SearchaskError that names each wrong line."""
    path = Path(file)
    try:
        if path.stat().st_size > LARGEST:
            raise SearchaskError(f"{file}: a file has at most {LARGEST // 2**20} MB")
        content = path.read_bytes()
        lines = content.decode("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SearchaskError(f"{file}: can't be read as UTF-8: {error}") from None
    sizes: list[int] = []
    problems: list[str] = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                sizes.append(count(_messages(line), table))
            except ValueError as error:
                problems.append(f"{file}:{number}: {error}")
    if problems:
        more = [f"… and {len(problems) - _MOST_PROBLEMS} more"] if len(problems) > _MOST_PROBLEMS else []
        raise SearchaskError("\n".join([*problems[:_MOST_PROBLEMS], *more]))
    if len(sizes) < least:
        raise SearchaskError(f"{file}: {len(sizes)} examples; at least {least} are needed")
    return ExampleFile(path, content, len(sizes), sum(sizes))


def _messages(line: str) -> list[Message]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        raise ValueError(f"is no JSON; a line would be {_SHAPE}") from None
    messages = row.get("messages") if isinstance(row, dict) else None
    if not isinstance(messages, list) or not messages:
        raise ValueError(f'must hold "messages", such as {_SHAPE}')
    found = []
    for message in messages:
        role, content = (
            (message.get(key) for key in ("role", "content")) if isinstance(message, dict) else ("", "")
        )
        if role not in _ROLES or not isinstance(content, str):
            raise ValueError(f"each message must have a role and a text as content, such as {_SHAPE}")
        found.append(Message(role=role, content=content))
    if found[-1]["role"] != "assistant" or not found[-1]["content"].strip():
        raise ValueError("the last message must be what the assistant is to say")
    return found

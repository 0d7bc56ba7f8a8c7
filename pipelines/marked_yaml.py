"""YAML text to plain data that remembers the place of every key and every value.

A safe part of YAML 1.2: only `true` and `false` are booleans, dates and `1_000` are text, keys are text.
Tags and merge keys (`<<`) are refused; anchors and aliases work, within a limit on what they unfold to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml
from yaml import events

from pipelines.errors import ConfigError, Problem

MAX_BYTES = 1_000_000
MAX_VALUES = 100_000
MAX_DEPTH = 60

Path: TypeAlias = tuple[str | int, ...]
"""Keys and list indices from the root down to a value."""
Scalar: TypeAlias = str | int | float | bool | None


@dataclass(slots=True)
class Marked:
    """A value with its place (1-based) and, inside a map, the place of its key."""

    value: dict[str, Marked] | list[Marked] | Scalar = field(repr=False)  # may hold a secret
    file: str
    line: int
    column: int
    key_line: int = 0
    key_column: int = 0

    def plain(self) -> Any:
        """The value without its places."""
        if isinstance(self.value, dict):
            return {key: child.plain() for key, child in self.value.items()}
        if isinstance(self.value, list):
            return [child.plain() for child in self.value]
        return self.value

    def at(self, path: Path) -> Marked | None:
        """The value at a path below this one; None where nothing is written."""
        found: Marked | None = self
        for step in path:
            found = found.child(step) if found else None
        return found

    def child(self, step: str | int) -> Marked | None:
        """The value under one key or index; None where nothing is written."""
        if isinstance(self.value, dict):
            return self.value.get(str(step))
        if isinstance(self.value, list) and isinstance(step, int) and step < len(self.value):
            return self.value[step]
        return None

    def walk(self, path: Path = ()) -> Iterator[tuple[Path, Marked]]:
        """This value and all below it, with their paths, parents first."""
        yield path, self
        if isinstance(self.value, dict):
            for key, child in self.value.items():
                yield from child.walk((*path, key))
        elif isinstance(self.value, list):
            for index, child in enumerate(self.value):
                yield from child.walk((*path, index))


def dotted(path: Path) -> str:
    """A path as a person writes it: `query_engines.answer.postprocessors[0].type`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text.removeprefix("."))


def parse(content: bytes, file: str) -> tuple[Marked | None, list[Problem]]:
    """The root value of a YAML file and what is wrong with it; no root where it is empty or unreadable."""
    if len(content) > MAX_BYTES:
        return None, [Problem(file, 1, 1, "", f"too large for a config: more than {MAX_BYTES:,} bytes")]
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        return None, [Problem(file, line, column, "", "the file is not UTF-8: save it as UTF-8")]
    builder = _Builder(file)
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            builder.take(event)
    except yaml.YAMLError as error:
        builder.problems.append(_syntax_problem(error, text, file))
        return None, builder.problems
    except ConfigError as error:
        return None, [*builder.problems, *error.problems]
    return builder.root, builder.problems


@dataclass(slots=True)
class _Frame:
    """A map or list that is being read; `key` is the key that waits for its value."""

    node: Marked
    anchor: str | None
    path: Path
    key: tuple[str, int, int] | None = None


class _Builder:
    """Marked values from parser events, without recursion, so that no depth of input can exhaust a stack."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.root: Marked | None = None
        self.problems: list[Problem] = []
        self._stack: list[_Frame] = []
        self._anchors: dict[str, tuple[Marked, int, int]] = {}  # with its values and its depth
        self._values = 0
        self._documents = 0

    def take(self, event: yaml.Event) -> None:
        """Read one event."""
        if isinstance(event, events.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise self._stop(event, "only one document is allowed in a file: remove the '---'")
        elif isinstance(event, events.AliasEvent):
            self._alias(event)
        elif isinstance(event, events.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, events.CollectionStartEvent):
            self._open(event)
        elif isinstance(event, events.CollectionEndEvent):
            frame = self._stack.pop()
            if frame.anchor:
                depths = [len(path) for path, _ in frame.node.walk()]
                self._anchors[frame.anchor] = (frame.node, len(depths), max(depths))

    def _stop(self, event: yaml.Event, message: str) -> ConfigError:
        line, column = _place(event)
        return ConfigError([Problem(self.file, line, column, dotted(self._path()), message)])

    def _path(self) -> Path:
        """The path of the value that comes next."""
        if not self._stack:
            return ()
        frame = self._stack[-1]
        if isinstance(frame.node.value, list):
            return (*frame.path, len(frame.node.value))
        return (*frame.path, frame.key[0]) if frame.key else frame.path

    def _expects_key(self) -> bool:
        return bool(self._stack) and isinstance(self._stack[-1].node.value, dict) and not self._stack[-1].key

    def _check(self, event: events.ScalarEvent | events.CollectionStartEvent) -> None:
        if event.tag not in (None, "!"):
            line, column = _place(event)
            message = "tags such as '!name' are refused: write the plain value"
            self.problems.append(Problem(self.file, line, column, dotted(self._path()), message))

    def _count(self, event: yaml.Event, values: int = 1) -> None:
        self._values += values
        if self._values > MAX_VALUES:
            raise self._stop(event, f"more than {MAX_VALUES:,} values (aliases count by what they stand for)")

    def _deepen(self, event: yaml.Event, levels: int) -> None:
        if len(self._stack) + levels > MAX_DEPTH:
            line, column = _place(event)
            message = f"nested deeper than {MAX_DEPTH} levels"
            raise ConfigError([Problem(self.file, line, column, "", message)])

    def _scalar(self, event: events.ScalarEvent) -> None:
        self._check(event)
        line, column = _place(event)
        if self._expects_key():
            self._stack[-1].key = (event.value, line, column)
            if event.value == "<<" and event.style is None:
                message = "merge keys are refused: repeat the values, or put them in a file that both extend"
                self.problems.append(Problem(self.file, line, column, dotted(self._path()), message))
            return
        value = resolve(event.value) if event.style is None and event.tag is None else event.value
        if isinstance(value, str) and any("\ud800" <= c <= "\udfff" for c in value):
            raise self._stop(event, "half of a surrogate pair is no character: write the character itself")
        node = Marked(value, self.file, line, column)
        if event.anchor:
            self._anchors[event.anchor] = (node, 1, 0)
        self._count(event)
        self._put(node)

    def _open(self, event: events.CollectionStartEvent) -> None:
        self._check(event)
        if self._expects_key():
            raise self._stop(event, "a key must be text; quote a value that starts with '{' or '['")
        self._deepen(event, 1)
        line, column = _place(event)
        node = Marked([] if isinstance(event, events.SequenceStartEvent) else {}, self.file, line, column)
        path = self._path()
        self._count(event)
        self._put(node)
        self._stack.append(_Frame(node, event.anchor, path))

    def _alias(self, event: events.AliasEvent) -> None:
        name = event.anchor
        if any(frame.anchor == name for frame in self._stack):
            raise self._stop(event, f"'*{name}' stands inside what '&{name}' names")
        if name not in self._anchors:
            raise self._stop(event, f"'*{name}' has no '&{name}' before it (quote text that starts with '*')")
        if self._expects_key():
            raise self._stop(event, "a key must be text, not an alias")
        node, values, depth = self._anchors[name]
        self._count(event, values)
        self._deepen(event, depth)
        line, column = _place(event)
        self._put(Marked(node.value, self.file, line, column))

    def _put(self, node: Marked) -> None:
        """Place a value where it belongs: under the waiting key, at the end of the list, or at the root."""
        if not self._stack:
            self.root = node
            return
        frame = self._stack[-1]
        if isinstance(frame.node.value, list):
            frame.node.value.append(node)
        elif isinstance(frame.node.value, dict) and frame.key:
            key, node.key_line, node.key_column = frame.key
            first = frame.node.value.setdefault(key, node)
            if first is not node:
                message = f"written twice (first in line {first.key_line}): remove one"
                path = dotted((*frame.path, key))
                self.problems.append(Problem(self.file, node.key_line, node.key_column, path, message))
            frame.key = None


_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    ".inf": float("inf"),
    "-.inf": float("-inf"),
    ".nan": float("nan"),
}


def resolve(text: str) -> Scalar:
    """What an unquoted YAML 1.2 scalar means: a number, true, false, nothing, or the text itself."""
    if text in _WORDS:
        return _WORDS[text]
    if len(text) <= 300 and _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def _place(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


_SYNTAX = (
    (r"character '\\t'", "a tab where only spaces may stand", "here"),
    (
        r"mapping values are not allowed",
        "a ':' where none can stand: quote it, or check the indentation",
        "here",
    ),
    (r"could not find expected ':'", "no ':' after this key", "begin"),
    (r"expected ',' or '[]}]', but got '\{'", 'the value needs quotes: "${NAME}"', "here"),
    (r"expected ',' or '([]}])'", r"a ',' or the closing '\1' is missing after this", "begin"),
    (r"expected <block end>", "the indentation does not fit the lines above", "here"),
    (r"cannot start any token", "a character that needs quotes around the value", "here"),
    (r"unexpected end of stream", "the closing quote is missing", "begin"),
    (r"<stream end>", "the file ends where a value is needed", "here"),
)
"""What PyYAML says, what we say, and whether its place is here or where the faulty part begins."""


def _syntax_problem(error: yaml.YAMLError, text: str, file: str) -> Problem:
    """What PyYAML found, in words for a person."""
    if isinstance(error, yaml.reader.ReaderError):
        before = text[: error.position]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        return Problem(file, line, column, "", "a control character that YAML does not allow")
    here, begin = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    message = getattr(error, "problem", None) or "not YAML"
    for pattern, words, place in _SYNTAX:
        match = re.search(pattern, message)
        if match:
            message = match.expand(words)
            here = begin if place == "begin" and begin else here
            break
    return Problem(file, here.line + 1 if here else 1, here.column + 1 if here else 1, "", message)

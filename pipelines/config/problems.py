"""What pydantic found, as problems at their place in the file, in words for a person, without secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic_core import ErrorDetails
from pydantic_core.core_schema import ErrorType

from pipelines.config.variables import Expansion, names
from pipelines.errors import Problem
from pipelines.marked_yaml import Marked, Path, dotted
from pipelines.references import suggestion
from pipelines.schema import PipelineSpec
from pipelines.shape import annotation_at, chosen, fields, is_spec, members, step_into, type_of

SECRET_KEY = re.compile(
    r"api_?key|password|secret|authorization|credential|(^|[_-])(token|key)$", re.IGNORECASE
)
SECRET_TEXT = re.compile(r"\bsk-\w|://[^/\s]*:[^/\s]*@")

_PYDANTIC = frozenset(get_args(ErrorType))
NUMBER_ERRORS = {"int_type", "float_type", "bool_type"}

_EXPECTED = {
    "int": "a whole number",
    "float": "a number",
    "finite_number": "a finite number",
    "bool": "true or false",
    "string": "text",
    "path": "text",
    "list": "a list",
    "tuple": "a list",
    "set": "a list",
    "frozen_set": "a list",
    "dict": "a map (key: value)",
    "model": "a map (key: value)",
    "model_attributes": "a map (key: value)",
    "mapping": "a map (key: value)",
    "url": "a URL such as https://host/path",
}
_BOUNDS = {
    "greater_than": ("above", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("below", "lt"),
    "less_than_equal": ("at most", "le"),
}


class Report:
    """Turns errors of one tree into problems, merging those of the same value."""

    def __init__(self, tree: Marked, data: Mapping[str, Any], expansion: Expansion, *, whole: bool) -> None:
        self._tree = tree
        self._data = data
        self._expansion = expansion
        self._whole = whole
        self._found: dict[tuple[Path, bool], list[str]] = {}

    def add(self, error: ErrorDetails) -> None:
        """Take one pydantic error, unless it only follows from a problem that is reported already."""
        kind = error["type"]
        path, rest = locate(error["loc"], self._data)
        if kind == "reference" or path in self._expansion.unset:
            return
        if kind in ("missing", "union_tag_not_found"):
            key = str(rest[-1]) if kind == "missing" and rest else "type"
            if self._whole:
                self._put((*path, key), f"missing{self._known_types(path) if key == 'type' else ''}")
        elif kind == "extra_forbidden":
            self._put(path, f"unknown key{self._known_keys(path)}", at_key=True)
        elif kind == "union_tag_invalid" or (kind == "literal_error" and path[-1:] == ("type",)):
            path = path if path[-1:] == ("type",) else (*path, "type")
            if path not in self._expansion.unset:
                self._put(path, self._unknown_type(path))
        elif kind.startswith("byte_size"):
            self._put(path, f"must be a size such as 50MB{self._instead(path)}")
        elif kind not in _PYDANTIC or kind in ("value_error", "assertion_error"):
            if self._whole and not self._waits(path):
                message = error["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
                culprit = self._culprit(path, kind, message)
                named = re.escape(str(culprit[-1])) if culprit else ""
                self._put(
                    culprit, re.sub(rf"^{named}( \([^)]*\))? (?=must|is)", "", self._hush(path, message))
                )
        else:
            self._put(path, self._wrong_value(path, kind, error))

    def refer(self, path: Path, message: str) -> None:
        """Take one broken reference."""
        if self._whole and path not in self._expansion.unset:
            self._put(path, self._hush(path, message))

    def problems(self) -> list[Problem]:
        """Everything that was taken, each at its place."""
        return [
            self._problem(path, " or ".join(dict.fromkeys(messages)), at_key=at_key)
            for (path, at_key), messages in self._found.items()
        ]

    def _put(self, path: Path, message: str, *, at_key: bool = False) -> None:
        messages = self._found.setdefault((path, at_key), [])
        if messages and message.startswith("must be "):
            message = message.removeprefix("must be ")
            messages[-1] = messages[-1].partition(", not ")[0]
        messages.append(message)

    def _problem(self, path: Path, message: str, *, at_key: bool) -> Problem:
        node = self._tree.at(path)
        if node is None or (node.value is None and node.key_line) or (at_key and node.key_line):
            owner = node or next(n for n in map(self._tree.at, _upwards(path)) if n)
            line, column = owner.key_line or owner.line, owner.key_column or owner.column
            return Problem(owner.file, line, column, dotted(path), message)
        return Problem(node.file, node.line, node.column, dotted(path), message)

    def _waits(self, path: Path) -> bool:
        """Whether a part of this value waits for a variable, so that a check of the whole means nothing."""
        return any(unset[: len(path)] == path for unset in self._expansion.unset)

    def _known_types(self, path: Path) -> str:
        types = self._types(path)
        return f": one of {', '.join(types)}" if types else ""

    def _types(self, path: Path) -> list[str]:
        parts = members(annotation_at(PipelineSpec, path, self._data))
        return [type_of(part) for part in parts if is_spec(part) and type_of(part)]

    def _known_keys(self, path: Path) -> str:
        owner = chosen(annotation_at(PipelineSpec, path[:-1], self._data), self._at(path[:-1]))
        return suggestion(str(path[-1]), fields(owner)) if is_spec(owner) else ""

    def _unknown_type(self, path: Path) -> str:
        value = self._at(path)
        types = self._types(path[:-1])
        if not isinstance(value, str):
            return f"must be the name of a type{self._instead(path)}: one of {', '.join(types)}"
        known = f"; known: {', '.join(types)}"
        guess = suggestion(value, types)
        guess = guess + known if "did you mean" in guess else known
        if path in self._expansion.templates:
            return f"{self._shown(path)} is no type; known: {', '.join(types)}"
        return f"there is no type {self._shown(path)}{guess}"

    def _wrong_value(self, path: Path, kind: str, error: ErrorDetails) -> str:
        ctx = error.get("ctx", {})
        if kind in _BOUNDS:
            word, key = _BOUNDS[kind]
            return f"must be {word} {ctx[key]:g}{self._instead(path)}"
        if kind in ("string_too_short", "too_short"):
            fewest = ctx["min_length"]
            return "must not be empty" if fewest == 1 else f"must have at least {fewest} parts"
        if kind in ("string_too_long", "too_long"):
            return f"too long: at most {ctx['max_length']}"
        if kind in ("literal_error", "enum"):
            allowed = re.findall(r"'([^']*)'", str(ctx.get("expected", "")))
            value = self._at(path)
            guess = suggestion(value, allowed) if isinstance(value, str) else ""
            guess = guess if "did you mean" in guess else ""
            choice = " or ".join(filter(None, (", ".join(allowed[:-1]), allowed[-1])))
            return f"must be {choice}{self._instead(path)}{guess}"
        if kind == "string_pattern_mismatch":
            return f"must look like {ctx['pattern']}{self._instead(path)}"
        base = "url" if kind.startswith("url_") else kind.split("_")[0]
        expected = _EXPECTED.get(kind) or _EXPECTED.get(kind.rsplit("_", 1)[0]) or _EXPECTED.get(base)
        if not expected:
            return self._hush(path, error["msg"].replace("Input should", "must"))
        return f"must be {expected}{self._instead(path)}{self._hint(path, base)}"

    def _hint(self, path: Path, base: str) -> str:
        value = self._at(path)
        if base == "string" and isinstance(value, (int, float)):
            return " (put it in quotes)"
        if base in ("list", "tuple", "set") and isinstance(value, str):
            return " (put it in [ ])"
        if base in ("int", "float") and isinstance(value, str) and re.fullmatch(r"[\d_,]*\d", value):
            return f" (write {value.replace('_', '').replace(',', '')} without quotes)"
        return ""

    def _instead(self, path: Path) -> str:
        """`, not …`: what is there instead."""
        return f", not {self._shown(path)}"

    def _shown(self, path: Path) -> str:
        """A value as an error may show it: never a secret, never what a variable held."""
        template = self._expansion.templates.get(path)
        if template is not None:
            return f"the value of {names(template)}"
        value = self._at(path)
        if value is None:
            return "empty"
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, (int, float)):
            return "a number" if is_secret(path) else str(value)
        if isinstance(value, str):
            hidden = is_secret(path) or SECRET_TEXT.search(value)
            return "this text" if hidden else f"'{_short(value)}'"
        return "a list" if isinstance(value, list) else "a map"

    def _at(self, path: Path) -> Any:
        value: Any = self._data
        for step in path:
            value = step_into(value, step)
        return value

    def _culprit(self, path: Path, kind: str, message: str) -> Path:
        """The key that a component's own check is about: its name is the error's, or stands in the message."""
        value = self._at(path)
        if not isinstance(value, Mapping):
            return path
        named = [kind, *re.findall(r"\w+", message)]
        return next(((*path, name) for name in named if name in value), path)

    def _hush(self, path: Path, message: str) -> str:
        """The message without what a variable or a secret holds."""
        for below, node in self._hidden(path):
            template = self._expansion.templates.get(below)
            shown = names(template) if template else "******"
            message = re.sub(rf"(?<!\w){re.escape(str(node.value))}(?!\w)", lambda _: shown, message)  # noqa: B023
        return message

    def _hidden(self, path: Path) -> Iterator[tuple[Path, Marked]]:
        root = self._tree.at(path)
        for below, node in root.walk(path) if root else ():
            secret = below in self._expansion.templates or is_secret(below)
            if secret and isinstance(node.value, (str, int, float)) and str(node.value):
                yield below, node


def is_secret(path: Path) -> bool:
    """Whether the name of a value says that nobody should see it."""
    last = next((step for step in reversed(path) if isinstance(step, str)), "")
    return bool(SECRET_KEY.search(last)) or path == ("catalog",)


def locate(loc: tuple[str | int, ...], data: Any) -> tuple[Path, Path]:
    """A pydantic location as a path of the data, and what of it the data does not have.

    Pydantic puts the `type` of a component, and names of alternatives, between the keys.
    """
    path: list[str | int] = []
    rest: list[str | int] = []
    tagged = False
    for step in loc:
        if not tagged and isinstance(data, Mapping) and path and data.get("type") == step:
            tagged = True
            continue
        has = step in data if isinstance(data, Mapping) else isinstance(data, list) and isinstance(step, int)
        if has:
            path.append(step)
            data = step_into(data, step)
            tagged = False
        else:
            rest.append(step)
    return tuple(path), tuple(rest)


def _upwards(path: Path) -> Iterator[Path]:
    for length in range(len(path) - 1, -1, -1):
        yield path[:length]


def _short(text: str) -> str:
    shown = text if len(text) <= 40 else f"{text[:39]}…"
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in shown)

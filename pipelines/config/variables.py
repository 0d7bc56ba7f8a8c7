"""`${VAR}`, `${VAR:-default}`, `${VAR:?message}` and `$$` in values, expanded after parsing.

A value therefore can't inject structure: it stays one value. It stays text, too, unless its field wants a
number or true/false: then it is read as YAML would read it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipelines.errors import Problem
from pipelines.marked_yaml import Marked, Path, dotted

_PATTERN = re.compile(
    r"\$(?:\$|\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::(?P<sign>[-?])(?P<rest>[^}]*))?\}|(?P<bad>\{))"
)


@dataclass(slots=True)
class Expansion:
    """What came of expanding a tree."""

    problems: list[Problem] = field(default_factory=list)
    templates: dict[Path, str] = field(default_factory=dict)
    """What was written, for every value that a variable went into."""
    unset: set[Path] = field(default_factory=set)
    """Values that need a variable that is not set."""


class _UnsetError(Exception):
    """A variable has no value; the message says so, and never shows another one's."""


def expand(node: Marked, environ: Mapping[str, str]) -> tuple[Marked, Expansion]:
    """A copy of the tree with every variable replaced; keys are left alone."""
    expansion = Expansion()
    return _expand(node, environ, (), expansion), expansion


def expand_text(text: str, environ: Mapping[str, str]) -> str:
    """One text with every variable replaced; raises `ValueError` where one is unset or malformed."""
    try:
        return _PATTERN.sub(lambda match: _replace(match, environ), text)
    except _UnsetError as error:
        raise ValueError(str(error)) from None


def names(template: str) -> str:
    """The variables in a text, without their defaults: `${HOST}:${PORT}` for `${HOST:-x}:${PORT}`."""
    return re.sub(_PATTERN, lambda match: f"${{{match['name']}}}" if match["name"] else match[0], template)


def _expand(node: Marked, environ: Mapping[str, str], path: Path, expansion: Expansion) -> Marked:
    value = node.value
    if isinstance(value, dict):
        value = {key: _expand(child, environ, (*path, key), expansion) for key, child in value.items()}
    elif isinstance(value, list):
        value = [_expand(child, environ, (*path, index), expansion) for index, child in enumerate(value)]
    elif isinstance(value, str) and "$" in value:
        if any(match["name"] for match in _PATTERN.finditer(value)):
            expansion.templates[path] = value
        try:
            value = expand_text(value, environ)
        except ValueError as error:
            expansion.unset.add(path)
            place = Problem(node.file, node.line, node.column, dotted(path), str(error))
            expansion.problems.append(place)
    return Marked(value, node.file, node.line, node.column, node.key_line, node.key_column)


def _replace(match: re.Match[str], environ: Mapping[str, str]) -> str:
    if match["bad"]:
        raise _UnsetError("'${' needs a name and a '}', as in ${HOME}; write '$$' for a plain '$'")
    name = match["name"]
    if not name:
        return "$"
    value = environ.get(name)
    if match["sign"] == "-" and not value:
        return match["rest"]
    if value is None or (match["sign"] == "?" and not value):
        message = f": {match['rest']}" if match["sign"] == "?" and match["rest"] else ""
        raise _UnsetError(f"the variable {name} is not set{message}")
    return value

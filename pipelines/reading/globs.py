"""Glob patterns over paths with `/`, compiled once: `*`, `**`, `?`, `[a-z]`, `{a,b}`; case is ignored."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache

Matcher = Callable[[str], bool]

_TOKEN = re.compile(r"\*\*/|/\*\*$|\*\*|\*|\?|\[[!^]?\]?[^\]/]*\]|\{|\}|,|.", re.S)
_MEANING = {"**/": "(?:.*/)?", "/**": "/.*", "**": ".*", "*": "[^/]*", "?": "[^/]", "{": "(?:", "}": ")"}


def matcher(patterns: Sequence[str]) -> Matcher:
    """Whether a path matches any of the patterns, as a whole."""
    if not patterns:
        return lambda path: False
    return _compiled(tuple(patterns))


@cache
def _compiled(patterns: tuple[str, ...]) -> Matcher:
    expression = "|".join(f"(?:{_expression(pattern)})" for pattern in patterns)
    found = re.compile(expression, re.I | re.S).fullmatch
    return lambda path: found(path) is not None


def _expression(pattern: str) -> str:
    """The regular expression of one pattern; braces that don't pair stand for themselves."""
    pattern = pattern.removeprefix("./")
    pairs = pattern.count("{") == pattern.count("}")
    depth = 0
    parts: list[str] = []
    for token in _TOKEN.findall(pattern):
        if token in "{}" and pairs:
            depth += 1 if token == "{" else -1
            parts.append(_MEANING[token])
        elif token == "," and depth > 0:
            parts.append("|")
        elif token in _MEANING and token not in "{}":
            parts.append(_MEANING[token])
        elif len(token) > 2 and token[0] == "[":
            negated = token[1] in "!^"
            inside = token[2 if negated else 1 : -1].replace("\\", "\\\\").replace("[", "\\[")
            parts.append(f"[{'^' if negated else ''}{inside.replace(']', chr(92) + ']')}]")
        else:
            parts.append(re.escape(token))
    return "".join(parts)

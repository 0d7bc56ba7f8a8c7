"""The text of a config file without the secrets that someone wrote into it.

Where the file is sound, what is secret is known from the schema and the names of keys; where it is broken,
everything behind a key that is named like a secret is hidden.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml
from pydantic import SecretStr

from pipelines.config.problems import SECRET_KEY, is_secret
from pipelines.describe import HIDDEN
from pipelines.marked_yaml import Marked, dotted, parse
from pipelines.schema import PipelineSpec
from pipelines.shape import annotation_at, members

_MOST_SOUGHT = 50
"""Secrets that are looked for in comments and inside other values, at most."""

Span = tuple[int, int]
"""Offsets of the first character and of the one behind the last."""

# Lengths are bounded: without that, a hostile text would take time by the square of its size.
_VARIABLE = re.compile(r"\$\{[A-Za-z_]\w{0,99}(?::(?P<sign>[-?])(?P<rest>[^}]{0,500}))?\}")
_ONLY_VARIABLE = re.compile(r"""["']?\$\{[A-Za-z_]\w{0,99}(?::\?[^}]{0,500})?\}["']?(?=[\s,}\]]|$)""")
_SCHEME = re.compile(r"(?i)\s*(bearer|basic|token)?\s*")
_PLACEHOLDER = re.compile(
    r"(?i)\s*(none|null|no|empty|dummy|unused|ollama|not?[-_ ]?(key|needed|used)|x*|\**)\s*"
)
_PATTERNS = (
    re.compile(r"(?<![\w-])(?P<secret>sk-[^\s\"',}\]#]+)"),
    re.compile(r"://[^:/@\s]{0,200}:(?P<secret>[^\s\"']{0,500})@"),
    re.compile(
        r"(?i)[?&][\w-]{0,40}(?:token|key|secret|password|passwd|signature|sig)=(?P<secret>[^&\s\"'#]+)"
    ),
)
_NAMED = re.compile(r"""(?<![\w-])([\w-]{1,100})["']?\s*[:=]\s*""")
_ONE_WORD = re.compile(r"""["']?((?:\$\{[^}]{0,500}\}|[^\s"',}\]])+)["']?\s*(?:[,}\]#]|$)""")
_ASKED_KEY = re.compile(r"""\s*\?\s*["']?([\w-]+)["']?\s*$""")


@dataclass(frozen=True, slots=True, order=True)
class Secret:
    """Where a secret stands, 1-based."""

    line: int
    column: int
    key: str
    """The path of its value; empty in a comment or in a broken file."""


def masked(text: str) -> tuple[str, list[Secret]]:
    """A config file's text with asterisks for its secrets, and their places; `${VAR}` stays as it is written."""
    tree, problems = parse(text.encode("utf-8", "replace"), "")
    spans: dict[Span, str] = dict.fromkeys(_by_pattern(text), "")
    scalars = _scalars(text)
    if tree is None or problems:  # a key that is written twice is in no tree
        spans |= dict.fromkeys(_behind_names(text), "")
    else:
        spans |= dict.fromkeys(_in_comments(text, sorted(scalars.values())), "")
    for path, span in _secret_values(tree, text, scalars) if tree else ():
        spans[span] = dotted(path) or spans.get(span, "")
    merged = _merged(spans)
    return _hidden(text, merged), _places(text, merged)


def masked_line(text: str) -> str:
    """A message or a value without what looks like a secret."""
    return _hidden(text, _merged(dict.fromkeys(_by_pattern(text), "")))


def _secret_values(
    tree: Marked, text: str, scalars: dict[tuple[int, int], Span]
) -> Iterator[tuple[tuple[str | int, ...], Span]]:
    """The places of values that nobody should see, and of the same values elsewhere."""
    data = tree.plain()
    values = [(path, node, str(node.value)) for path, node in tree.walk() if _is_value(node)]
    named = {path: _literal(value) for path, _, value in values if _is_named_secret(path, data)}
    held = {secret for secret in named.values() if len(secret) >= 4}
    for path, node, value in values:
        hidden = named.get(path) or (value if value in held or any(_by_pattern(value)) else "")
        span = scalars.get((node.line, node.column))
        if not hidden or span is None:  # an alias has no text of its own
            continue
        start, end = span[0], span[0] + len(text[slice(*span)].rstrip())
        raw = text[start:end]
        if hidden != value and hidden in raw:  # the default of a variable
            start += raw.index(hidden)
            yield path, (start, start + len(hidden))
        elif path in named or value in held or "\\" in raw or not any(_by_pattern(raw)):
            yield path, (start, end)
    for secret in sorted(held)[:_MOST_SOUGHT]:
        yield from (((), found.span()) for found in re.finditer(re.escape(secret), text))


def _is_value(node: Marked) -> bool:
    return isinstance(node.value, str | int | float) and not isinstance(node.value, bool)


def _is_named_secret(path: tuple[str | int, ...], data: Any) -> bool:
    """Whether the name of a value, of what it stands in, or its type says that it is a secret."""
    if path == ("catalog",):  # a URL, of which only the password is
        return False
    steps = [step for step in path if isinstance(step, str)]
    free = next((at for at, step in enumerate(steps, 1) if step in ("args", "extra_body")), len(steps))
    if is_secret(path) or any(SECRET_KEY.search(step) for step in steps[free:]):
        return True
    return SecretStr in members(annotation_at(PipelineSpec, path, data))


def _literal(value: str) -> str:
    """What of a secret value is written down, and does not come from a variable."""
    defaults = [
        match["rest"]
        for match in _VARIABLE.finditer(value)
        if match["sign"] == "-" and not _PLACEHOLDER.fullmatch(match["rest"])
    ]
    rest = _SCHEME.sub("", _VARIABLE.sub("", value), count=1)
    if not _PLACEHOLDER.fullmatch(rest):
        return value
    return defaults[0] if defaults else ""


def _by_pattern(text: str) -> Iterator[Span]:
    for pattern in _PATTERNS:
        for found in pattern.finditer(text):
            if found["secret"] and _literal(found["secret"]):
                yield found.span("secret")


def _scalars(text: str) -> dict[tuple[int, int], Span]:
    """The span of every scalar, by its line and column; as far as the text is YAML."""
    spans: dict[tuple[int, int], Span] = {}
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.ScalarEvent) and event.start_mark and event.end_mark:
                start, end = event.start_mark, event.end_mark
                spans[start.line + 1, start.column + 1] = (start.index, end.index)
    except yaml.YAMLError:
        pass
    return spans


def _in_comments(text: str, scalars: list[Span]) -> Iterator[Span]:
    """Single words behind names of secrets in comments: a line that was commented out."""
    starts = [start for start, _ in scalars]
    for comment in re.finditer(r"#[^\n]*", text):
        before = bisect_right(starts, comment.start()) - 1
        if before >= 0 and comment.start() < scalars[before][1]:
            continue
        for name in _NAMED.finditer(comment[0]):
            word = _ONE_WORD.match(comment[0], name.end())
            if SECRET_KEY.search(name[1]) and word and len(word[1]) >= 6 and _literal(word[1]):
                yield comment.start() + word.start(1), comment.start() + word.end(1)


def _behind_names(text: str) -> Iterator[Span]:
    """In a broken file: all that may belong to a key that is named like a secret."""
    deeper: int | None = None
    offset = 0
    for line in text.splitlines(keepends=True):
        indent = len(line) - len(line.lstrip())
        if line.strip():
            if deeper is not None and indent > deeper:
                yield offset + indent, offset + len(line.rstrip("\r\n"))
            else:
                found, deeper = _behind_name(line, indent)
                if found is not None:
                    yield offset + found, offset + len(line.rstrip("\r\n"))
        offset += len(line)


def _behind_name(line: str, indent: int) -> tuple[int | None, int | None]:
    """Where in a line to hide the rest, and the indentation beyond which all that follows is hidden as well."""
    asked = _ASKED_KEY.match(line)
    if asked and SECRET_KEY.search(asked[1]):
        return None, indent - 1
    for name in _NAMED.finditer(line):
        if not SECRET_KEY.search(name[1]):
            continue
        rest = line[name.end() :].rstrip()
        if not rest:  # its value stands in the next lines, wherever these begin
            return None, -1 if "{" in line[: name.start()] else indent
        if not _ONLY_VARIABLE.match(rest):
            return name.end(), indent
    return None, None


def _merged(spans: dict[Span, str]) -> dict[Span, str]:
    """Spans that touch or overlap as one, in order."""
    merged: list[tuple[int, int, str]] = []
    for (start, end), key in sorted(spans.items()):
        if end <= start:
            continue
        if merged and start <= merged[-1][1]:
            last = merged[-1]
            merged[-1] = (last[0], max(last[1], end), last[2] or key)
        else:
            merged.append((start, end, key))
    return {(start, end): key for start, end, key in merged}


def _hidden(text: str, spans: dict[Span, str]) -> str:
    parts, at = [], 0
    for start, end in sorted(spans):
        parts += [text[at:start], HIDDEN]
        at = max(at, end)
    return "".join([*parts, text[at:]])


def _places(text: str, spans: dict[Span, str]) -> list[Secret]:
    lines = [0, *(found.end() for found in re.finditer(r"\n", text))]
    found = []
    for (start, _), key in spans.items():
        line = bisect_right(lines, start)
        found.append(Secret(line, start - lines[line - 1] + 1, key))
    return sorted(found)

"""A config file and the files it extends, as one tree that knows where each value was written."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.config.variables import expand_text
from pipelines.errors import Problem
from pipelines.marked_yaml import MAX_BYTES, Marked, parse


@dataclass(slots=True)
class Sources:
    """What was read: the merged tree, and what is wrong with the files themselves."""

    tree: Marked | None = None
    problems: list[Problem] = field(default_factory=list)
    whole: bool = True
    """Whether every file could be read; if not, a missing key may be no mistake."""


def read(path: Path, environ: Mapping[str, str]) -> Sources:
    """Read a file and all that it extends, the values of the extending file first."""
    sources = Sources()
    sources.tree = _read(path, environ, (), Problem(str(path), 1, 1, "", ""), sources)
    return sources


def merge(base: Marked, over: Marked, environ: Mapping[str, str]) -> Marked:
    """`over` on top of `base`: maps merge by key, `null` removes, everything else replaces.

    A map with another `type` replaces too: fields of one type mean nothing to another.
    """
    if not isinstance(base.value, dict) or not isinstance(over.value, dict):
        return over
    kinds = [_type(node, environ) for node in (base, over)]
    if kinds[1] is not None and kinds[0] != kinds[1]:
        return over
    merged = dict(base.value)
    for key, child in over.value.items():
        below = merged.get(key)
        if below is None:
            merged[key] = child
        elif child.value is None:
            del merged[key]
        else:
            merged[key] = merge(below, child, environ)
    return Marked(merged, over.file, over.line, over.column, over.key_line, over.key_column)


def _type(node: Marked, environ: Mapping[str, str]) -> str | None:
    found = node.child("type")
    if not found or not isinstance(found.value, str):
        return None
    try:
        return expand_text(found.value, environ)
    except ValueError:
        return found.value


def _read(
    path: Path, environ: Mapping[str, str], chain: tuple[Path, ...], asked: Problem, sources: Sources
) -> Marked | None:
    """One file with what it extends; `asked` is the place and text that name it, `chain` the files before it."""
    content = _content(path, asked, sources)
    tree, problems = parse(content, str(path)) if content is not None else (None, [])
    sources.problems += problems
    if tree is None or not isinstance(tree.value, dict):
        sources.whole = False
        if content is not None and not problems:
            found = "a list" if tree and isinstance(tree.value, list) else "a single value"
            empty = tree is None or tree.value is None
            message = "the file is empty" if empty else f"a config file is a map of keys, not {found}"
            sources.problems.append(Problem(str(path), tree.line if tree else 1, 1, "", message))
        return None
    extends = tree.value.get("extends")
    if not extends or not isinstance(extends.value, str) or not extends.value:
        return tree
    place = Problem(extends.file, extends.line, extends.column, "extends", f": {extends.value}")
    chain = (*chain, path.resolve())
    base_path = _base_path(path, extends.value, environ, place, chain, sources)
    base = _read(base_path, environ, chain, place, sources) if base_path else None
    if base is None:
        sources.whole = False
        return tree
    if isinstance(base.value, dict):
        base.value.pop("extends", None)
    return merge(base, tree, environ)


def _base_path(
    path: Path,
    written: str,
    environ: Mapping[str, str],
    place: Problem,
    chain: tuple[Path, ...],
    sources: Sources,
) -> Path | None:
    """Where the extended file is, relative to the file that names it; None where it is itself on the way."""
    try:
        base = Path(os.path.normpath(path.parent / expand_text(written, environ)))
    except ValueError:
        return None  # the variable is reported with all others
    if base.resolve() not in chain:
        return base
    loop = [*chain[chain.index(base.resolve()) :], base]
    _report(sources, place, f"a loop: {' → '.join(file.name for file in loop)}")
    return None


def _content(path: Path, asked: Problem, sources: Sources) -> bytes | None:
    """A file's bytes, at most what a config may have and one more; None with a problem where it has none."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        message = "no such file"
    except IsADirectoryError:
        message = "a folder, not a config file"
    except OSError as error:
        message = f"can't be read: {error.strerror}"
    except ValueError:
        message = "not a file name"
    _report(sources, asked, message + asked.message)
    return None


def _report(sources: Sources, place: Problem, message: str) -> None:
    sources.problems.append(Problem(place.file, place.line, place.column, place.key, message))

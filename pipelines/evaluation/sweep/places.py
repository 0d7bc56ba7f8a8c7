"""Paths of a config as a person writes them, and whether the schema has them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pipelines.marked_yaml import Path, dotted
from pipelines.references import suggestion
from pipelines.schema import PipelineSpec
from pipelines.shape import annotation_at, chosen, fields, is_spec, step_into

KEPT = ("storage", "catalog", "extends")
"""Keys that no variant has of its own: where things are kept, and what the file builds on."""
_STEP = re.compile(r"(?P<name>[^.\[\]]+)|\[(?P<index>\d{1,6})\]")
_PATH = re.compile(r"[^.\[\]]+(\.[^.\[\]]+|\[\d{1,6}\])*")


def path_of(text: str) -> Path:
    """The path that `query_engines.answer.postprocessors[0]` means; raises ValueError for what is none."""
    if not _PATH.fullmatch(text):
        raise ValueError(
            "is no path: write it as `node_parser.chunk_size` or `query_engines.a.postprocessors[0]`"
        )
    return tuple(
        each["name"] if each["name"] is not None else int(each["index"]) for each in _STEP.finditer(text)
    )


def check(path: Path, spec: PipelineSpec) -> None:
    """Raise ValueError, with what would be right, where a config of this shape has no such path."""
    if path[0] in KEPT:
        raise ValueError(f"can't be swept: all variants share the `{path[0]}` of the base")
    data: Any = spec.model_dump(mode="json", by_alias=True)
    for depth, step in enumerate(path):
        part, there = _at(data, path[:depth]), dotted(path[:depth])
        owner = chosen(annotation_at(PipelineSpec, path[:depth], data), part)
        known = _known(owner, part, last=depth == len(path) - 1)
        said = f"there is no {dotted(path[: depth + 1])} in the base: {there or 'a config'} has no"
        if known is not None and str(step) not in known:
            raise ValueError(f"{said} '{step}'{suggestion(str(step), known) or ' (it is empty)'}")
        if known is None and not isinstance(part, Mapping):
            raise ValueError(f"{said} parts")


def _known(owner: Any, data: Any, *, last: bool) -> list[str] | None:
    """Keys and places that a part has; None where any key may be new, or where it has none."""
    if is_spec(owner):
        return list(fields(owner))
    if isinstance(data, list):
        return [str(place) for place in range(len(data))]
    return list(data) if isinstance(data, Mapping) and not last else None


def _at(data: Any, path: Path) -> Any:
    for step in path:
        data = step_into(data, step)
    return data

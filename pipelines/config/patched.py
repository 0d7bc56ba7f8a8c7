"""A config with some of its values changed, checked as if its file said so."""

from __future__ import annotations

import os
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from pipelines.config import Config, checked
from pipelines.config.variables import Expansion, expand
from pipelines.marked_yaml import Marked, Path, dotted
from pipelines.schema import PipelineSpec
from pipelines.shape import step_into


def patched(
    config: Config, changes: Mapping[Path, Marked], environ: Mapping[str, str] | None = None
) -> Config:
    """The config with the value at each path replaced, or, by `null`, removed; variables are expanded.

    A part that nobody wrote is first written as it is by default. Paths in a value are relative to the file that the
    value says it comes from. Raises `ConfigError` with every problem, those of changed values at their own places.
    """
    environ = os.environ if environ is None else environ
    tree = deepcopy(config.tree)
    usual = PipelineSpec.model_validate(tree.plain())  # without calibration, which is applied anew
    expansion = Expansion(templates=dict(config.templates))
    for path, written in changes.items():
        value, found = expand(written, environ)
        kept = {at: text for at, text in expansion.templates.items() if at[: len(path)] != path}
        expansion.templates = kept | {(*path, *at): text for at, text in found.templates.items()}
        expansion.unset |= {(*path, *at) for at in found.unset}
        expansion.problems += [
            replace(each, key=dotted(path) + (f".{each.key}" if each.key else "")) for each in found.problems
        ]
        _put(tree, usual, path, value)
    return checked(config.path, tree, expansion)


def _put(tree: Marked, usual: PipelineSpec, path: Path, value: Marked) -> None:
    """Set the value at a path of the tree; raises KeyError where a list has no such place."""
    node = tree
    for depth, step in enumerate(path[:-1], 1):
        child = node.child(step)
        if child is None or child.value is None:
            child = _marked(_default(usual, path[:depth]), value)
            _set(node, step, child)
        node = child
    _set(node, path[-1], value)


def _set(node: Marked, step: str | int, value: Marked) -> None:
    if isinstance(node.value, dict):
        before = node.value.get(str(step))
        if value.value is None and before is not None:
            del node.value[str(step)]
        else:
            node.value[str(step)] = replace(value, key_line=value.line, key_column=value.column)
    elif isinstance(node.value, list) and isinstance(step, int) and step < len(node.value):
        node.value[step] = value
    else:
        raise KeyError(step)


def _default(usual: PipelineSpec, path: Path) -> Any:
    """What a part is that nobody wrote, with the keys that a file must have."""
    part: Any = usual
    for step in path:
        part = getattr(part, str(step), None) if isinstance(part, BaseModel) else step_into(part, step)
    return _plain(part)


def _plain(part: Any) -> Any:
    if isinstance(part, BaseModel):
        return part.model_dump(mode="json", by_alias=True, exclude_unset=True)
    if isinstance(part, Mapping):
        return {key: _plain(each) for key, each in part.items()}
    return [_plain(each) for each in part] if isinstance(part, list) else part


def _marked(value: Any, place: Marked) -> Marked:
    """Plain data as if it stood at a place."""
    if isinstance(value, dict):
        value = {key: _marked(each, place) for key, each in value.items()}
    elif isinstance(value, list):
        value = [_marked(each, place) for each in value]
    return replace(place, value=value, key_line=place.line, key_column=place.column)

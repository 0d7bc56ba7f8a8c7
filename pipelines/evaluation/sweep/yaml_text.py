"""YAML as it is written into a config: plain data as text, and single values replaced where they stand."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from math import isinf, isnan
from typing import Any

import yaml

from pipelines.marked_yaml import Path, resolve

_PLAIN = re.compile(r"(\.\.?/)*[A-Za-z_][\w./+-]*( [\w./+-]+)*", re.ASCII)


def flow(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{flow(key)}: {flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, str):
        # Quoted wherever YAML 1.1 or 1.2 would read anything else.
        plain = _PLAIN.fullmatch(value) and resolve(value) == value and yaml.safe_load(value) == value
        return value if plain else json.dumps(value, ensure_ascii=False)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, float) and (isinf(value) or isnan(value)):
        return ".nan" if isnan(value) else ".inf" if value > 0 else "-.inf"
    return repr(value)


def block(value: Mapping[str, Any], indent: int = 0) -> str:
    """A map with a line for each value, maps in it likewise."""
    lines = []
    for key, each in value.items():
        if isinstance(each, Mapping) and each and "type" not in each:
            lines.append(f"{' ' * indent}{flow(key)}:\n{block(each, indent + 2)}")
        else:
            lines.append(f"{' ' * indent}{flow(key)}: {flow(each)}\n")
    return "".join(lines)


def replaced(text: str, values: Mapping[Path, Any]) -> str | None:
    """The text with the values at these paths replaced, and all else as it is; None where one is not written in it."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    edits = []
    for path, value in values.items():
        node = _at(root, path)
        if node is None:
            return None
        start, end = _span(node, text)
        indent = "\n" + " " * node.start_mark.column
        edits.append((start, end, _lines(node, value).replace("\n", indent)))
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _at(node: Any, path: Path) -> Any:
    for step in path:
        if isinstance(node, yaml.MappingNode):
            node = next((value for key, value in node.value if key.value == str(step)), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
        else:
            return None
    return node


def _span(node: Any, text: str) -> tuple[int, int]:
    """Where a value begins and ends, without the comments behind it."""
    start, last = node.start_mark.index, node
    while isinstance(last, yaml.CollectionNode) and not last.flow_style and last.value:
        last = last.value[-1][1] if isinstance(last, yaml.MappingNode) else last.value[-1]
    end = last.end_mark.index
    return start, start + len(text[start:end].rstrip())


def _lines(node: Any, value: Any) -> str:
    """The new text of a value, in lines where the old one was and the new one can be."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and value:
        if isinstance(node, yaml.MappingNode) and isinstance(value, Mapping):
            return "\n".join(f"{flow(key)}: {flow(each)}" for key, each in value.items())
        if isinstance(node, yaml.SequenceNode) and isinstance(value, list):
            return "\n".join(f"- {flow(each)}" for each in value)
    return flow(value)

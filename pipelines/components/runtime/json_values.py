"""JSON as a model writes it: found among prose, and checked against a schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

TRIES = 20
"""Places at which a JSON object may begin that are tried."""
LONGEST = 200
"""Characters of a reason, which may repeat what a model wrote."""


def schema_problem(schema: dict[str, Any]) -> str:
    """What is wrong with a schema; empty where it can be used."""
    from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
    from jsonschema.exceptions import SchemaError  # type: ignore[import-untyped]

    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        return f"not a JSON schema: {_place(error)}{error.message}"[:LONGEST]
    if schema.get("type") != "object":
        return "a schema must be of an object: type: object"
    if outside := [each for each in _references(schema) if not each.startswith("#")]:
        return f"$ref {outside[0]!r}: only places inside the schema (#/…) can be referred to"
    try:
        for reference in _references(schema):
            _resolver(schema).lookup(reference)
        list(_validator(schema).iter_errors({}))
    except Exception as error:  # a reference to nowhere or to itself, raised by whichever library follows it
        return f"not a JSON schema: {error}"[:LONGEST]
    return ""


def misfit(value: Any, schema: dict[str, Any]) -> str:
    """Where and why a value does not fit a schema; empty where it does."""
    from jsonschema.exceptions import best_match

    try:
        error = best_match(_validator(schema).iter_errors(value))
    except Exception as failure:  # a pattern that is none, a value nested too deep
        return f"can't be checked: {failure}"[:LONGEST]
    return f"{_place(error)}{error.message}"[:LONGEST] if error is not None else ""


def _validator(schema: dict[str, Any]) -> Any:
    from jsonschema import Draft202012Validator
    from referencing import Registry

    # Left to itself, jsonschema fetches what a `$ref` names.
    return Draft202012Validator(schema, registry=Registry())


def _resolver(schema: dict[str, Any]) -> Any:
    from referencing import Registry
    from referencing.jsonschema import DRAFT202012

    return Registry().resolver_with_root(DRAFT202012.create_resource(schema))


def _place(error: Any) -> str:
    return f"{error.json_path}: " if error.absolute_path else ""


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        for key, value in part.items():
            if key in ("$ref", "$dynamicRef") and isinstance(value, str):
                yield value
            else:
                yield from _references(value)
    elif isinstance(part, list):
        for value in part:
            yield from _references(value)


def found(text: str) -> dict[str, Any] | None:
    """The JSON object in what a model wrote, whatever stands around it; None where there is none."""
    decoder = json.JSONDecoder(parse_constant=_no_constant)
    at = -1
    for _ in range(TRIES):
        at = text.find("{", at + 1)
        if at < 0:
            return None
        try:
            value, _ = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            continue
        return value if isinstance(value, dict) else None
    return None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def told(value: Any) -> str:
    """A value as an answer's text."""
    return json.dumps(value, ensure_ascii=False, indent=2)


def only_json(pieces: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Each piece, and what of it belongs to a JSON object; ends where the first whole one does."""
    depth, quoted, escaped, whole = 0, False, False, ""
    for piece in pieces:
        shown = ""
        for char in piece:
            if not depth and char != "{":
                continue
            whole, shown = whole + char, shown + char
            if escaped:
                escaped = False
            elif char == "\\" and quoted:
                escaped = True
            elif char == '"':
                quoted = not quoted
            elif not quoted:
                depth += {"{": 1, "}": -1}.get(char, 0)
            if not depth:
                if found(whole) is not None:
                    yield piece, shown
                    return
                whole = ""  # braces in prose
        yield piece, shown

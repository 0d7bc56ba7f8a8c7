"""The JSON schema of a config file, for completion and checks in an editor."""

from __future__ import annotations

from typing import Any

from pipelines.schema import PipelineSpec

VARIABLE = r"\$\{"


def json_schema() -> dict[str, Any]:
    """The schema: every type with its own fields only.

    It allows what only a file shows: a variable where a number belongs, and, for a file that `extends` another,
    components without `type` and entries that are `null`.
    """
    schema = PipelineSpec.model_json_schema(by_alias=True)
    parts = schema["$defs"]
    for part in [schema, *parts.values()]:
        for name, value in part.get("properties", {}).items():
            part["properties"][name] = _field(value)
    schema["required"] = []
    schema["anyOf"] = [{"required": ["extends"]}, {"required": ["storage", "loaders"]}]
    parts["QueryEngineSpec"].pop("required", None)  # an override need not repeat the retriever
    for name, value in schema["properties"].items():
        if "additionalProperties" in value:
            value["additionalProperties"] = _removable(value["additionalProperties"])
        elif name != "type":
            schema["properties"][name] = _removable(value)
    del schema["required"]
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Searchask config",
    }
    return head | {key: value for key, value in schema.items() if key != "title"}


def _field(value: Any) -> Any:
    """A field's schema without invented titles, numbers also as variables, components also without `type`."""
    if isinstance(value, list):
        return [_field(part) for part in value]
    if not isinstance(value, dict):
        return value
    plain = {
        key: part if key in ("default", "description", "discriminator") else _field(part)
        for key, part in value.items()
        if key != "title"
    }
    if plain.get("type") in ("integer", "number", "boolean") and "const" not in plain:
        plain |= {"type": [plain["type"], "string"], "pattern": VARIABLE}
    if "discriminator" in plain:
        override = {"type": "object", "not": {"required": ["type"]}, "description": "Part of an override."}
        plain["oneOf"] = [*plain["oneOf"], override]
    return plain


def _removable(value: dict[str, Any]) -> dict[str, Any]:
    """The schema with `null` as one more choice: it removes what `extends` gave."""
    for choice in ("oneOf", "anyOf"):
        if choice in value:
            if {"type": "null"} in value[choice]:
                return value
            return value | {choice: [*value[choice], {"type": "null"}]}
    kept = {key: part for key, part in value.items() if key in ("default", "description")}
    rest = {key: part for key, part in value.items() if key not in kept}
    return kept | {"anyOf": [rest, {"type": "null"}]}

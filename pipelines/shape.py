"""Which part of the schema describes which part of a config."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from pipelines.spec import Spec


def members(annotation: Any) -> list[Any]:
    """The types that an annotation allows, without `Annotated` and `None`."""
    if get_origin(annotation) is Annotated:
        return members(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [one for part in get_args(annotation) for one in members(part)]
    return [] if annotation is NoneType else [annotation]


def is_spec(annotation: Any) -> bool:
    """Whether an annotation is a `Spec` class."""
    return isinstance(annotation, type) and issubclass(annotation, Spec)


def type_of(spec: type[Spec]) -> str:
    """The `type` by which a config asks for a component; empty for a part that has none."""
    field = spec.model_fields.get("type")
    found = get_args(field.annotation) if field and get_origin(field.annotation) is Literal else ()
    return str(found[0]) if found else ""


def fields(spec: type[Spec]) -> dict[str, FieldInfo]:
    """The fields of a part by the key that a config uses."""
    return {field.alias or name: field for name, field in spec.model_fields.items()}


def chosen(annotation: Any, data: Any) -> Any:
    """The one allowed type that the data at hand means; None where it means none of them."""
    parts = members(annotation)
    specs = [part for part in parts if is_spec(part)]
    if isinstance(data, Mapping):
        if specs:
            by_type = [part for part in specs if type_of(part) in ("", data.get("type"))]
            return by_type[0] if by_type else None
        return next((part for part in parts if get_origin(part) is dict), None)
    if isinstance(data, list):
        return next((part for part in parts if get_origin(part) in (list, tuple, set, frozenset)), None)
    return next((part for part in parts if not is_spec(part) and get_origin(part) is None), None)


def annotation_at(root: type[Spec], path: Sequence[str | int], data: Any) -> Any:
    """What the schema allows at a path of the data; None where it says nothing about it."""
    annotation: Any = root
    for step in path:
        part = chosen(annotation, data)
        arguments = get_args(part)
        if is_spec(part):
            field = fields(part).get(str(step))
            annotation = field.annotation if field else None
        elif arguments:
            annotation = arguments[-1] if isinstance(data, Mapping) else arguments[0]
        else:
            return None
        data = step_into(data, step)
    return annotation


def step_into(data: Any, step: str | int) -> Any:
    """The value under one key or index; None where there is none."""
    if isinstance(data, Mapping):
        return data.get(str(step))
    if isinstance(data, list) and isinstance(step, int) and step < len(data):
        return data[step]
    return None

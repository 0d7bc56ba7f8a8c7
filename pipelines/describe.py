"""A config and the schema in words: what is in effect and why, and what could be written.

`python -m pipelines.describe --write` renews what is generated from the schema: `config/schema.json` and the
table of components in the READMEs; `--check` only says whether they are stale.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import ByteSize, SecretStr
from pydantic.fields import FieldInfo

from pipelines.config import Config
from pipelines.config.problems import is_secret
from pipelines.errors import SearchaskError
from pipelines.json_schema import json_schema
from pipelines.marked_yaml import dotted
from pipelines.references import suggestion
from pipelines.schema import PipelineSpec, QueryEngineSpec
from pipelines.shape import fields, is_spec, members, type_of
from pipelines.spec import Spec

HIDDEN = "******"
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Row:
    """One value that is in effect."""

    key: str
    value: str
    origin: str
    """`file:line`, or `default`."""


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One key of a component."""

    name: str
    type: str
    default: str
    """`required`, or the default as one would write it."""
    help: str


@dataclass(frozen=True, slots=True)
class Component:
    """One type of a family."""

    family: str
    type: str
    summary: str
    where: str
    """`file:line` of its class."""
    fields: tuple[FieldRow, ...]


def explain(config: Config, key: str | None = None) -> list[Row]:
    """Every value in effect, or those under one key, with its origin; raises `SearchaskError` for no such key."""
    rows = list(_rows(config, config.spec, ()))
    if not key:
        return rows
    found = [row for row in rows if row.key == key or row.key.startswith((f"{key}.", f"{key}["))]
    if not found:
        heads = {row.key[: end.start()] for row in rows for end in re.finditer(r"[.\[]|$", row.key)}
        raise SearchaskError(f"there is no key '{key}' in {config.path}{_guess(key, heads)}")
    return found


def components(family: str | None = None) -> list[Component]:
    """Every type that a config can name, or those of one family; raises `SearchaskError` for no such family."""
    families = _families()
    if family is not None and family not in families:
        raise SearchaskError(f"there is no family '{family}'{suggestion(family, families)}")
    return [
        Component(name, type_of(spec), _summary(spec), _where(spec), tuple(_fields(spec)))
        for name, annotation in families.items()
        for spec in members(annotation)
        if family in (None, name)
    ]


def _guess(key: str, keys: set[str]) -> str:
    guess = suggestion(key, sorted(keys))
    return guess if "did you mean" in guess else ""


def _rows(config: Config, value: Any, path: tuple[str | int, ...]) -> Iterator[Row]:
    """A value of the spec as rows, one for each part that holds no others."""
    parts: dict[str | int, Any] = {}
    if isinstance(value, Spec):
        parts = {key: getattr(value, name) for key, name in _names(type(value))}
    elif isinstance(value, Mapping):
        parts = {str(key): part for key, part in value.items()}
    elif isinstance(value, (list, tuple)) and any(isinstance(part, (Spec, Mapping, list)) for part in value):
        parts = dict(enumerate(value))
    if parts:
        for key, part in parts.items():
            yield from _rows(config, part, (*path, key))
    else:
        yield Row(dotted(path), _shown(config, value, path), config.where(*path))


def _names(spec: type[Spec]) -> list[tuple[str, str]]:
    """The keys of a part with the attributes that hold them, `type` first."""
    names = [(field.alias or name, name) for name, field in spec.model_fields.items()]
    return sorted(names, key=lambda pair: pair[0] != "type")


def _shown(config: Config, value: Any, path: tuple[str | int, ...]) -> str:
    """A value as one would write it; secrets are hidden, variables stay variables."""
    template = config.templates.get(path)
    if isinstance(value, SecretStr):
        return HIDDEN
    if isinstance(value, str) and is_secret(path):
        return HIDDEN
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_shown(config, part, (*path, i)) for i, part in enumerate(value))}]"
    if template is not None:
        return _without_password(template)
    return _without_password(written(value))


def _without_password(text: str) -> str:
    return re.sub(r"(://[^:/@\s]*):[^@\s]*@", rf"\1:{HIDDEN}@", text)


def written(value: Any) -> str:
    """A plain value as one would write it in YAML, on one line."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, ByteSize):
        return value.human_readable(decimal=True).replace(".0", "")
    if isinstance(value, SecretStr):
        return HIDDEN
    if isinstance(value, Spec):
        shown = {key: getattr(value, name) for key, name in _names(type(value))}
        return "{" + ", ".join(f"{key}: {written(part)}" for key, part in shown.items()) + "}"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {written(part)}" for key, part in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(written, value))}]"
    text = str(value)
    return (
        text if text and text.isprintable() and text == text.strip() else json.dumps(text, ensure_ascii=False)
    )


def _families() -> dict[str, Any]:
    """The keys under which a component is chosen by its `type`, in the order of the file."""
    families: dict[str, Any] = {}
    for name, field in fields(PipelineSpec).items():
        if name == "query_engines":
            families |= {
                key: get_args(part.annotation)[0] if get_origin(part.annotation) is list else part.annotation
                for key, part in fields(QueryEngineSpec).items()
            }
        else:
            mapped = get_origin(field.annotation) is dict
            families[name] = get_args(field.annotation)[1] if mapped else field.annotation
    return {
        name: found
        for name, found in families.items()
        if any(is_spec(part) and type_of(part) for part in members(found))
    }


def _summary(spec: type[Spec]) -> str:
    """The first sentence of a docstring, without Sphinx marks."""
    return " ".join(inspect.cleandoc(spec.__doc__ or "").split("\n\n")[0].split())


def _where(spec: type[Spec]) -> str:
    file = Path(inspect.getfile(spec)).resolve()
    shown = file.relative_to(ROOT) if file.is_relative_to(ROOT) else file
    return f"{shown}:{inspect.getsourcelines(spec)[1]}"


def _fields(spec: type[Spec], prefix: str = "") -> Iterator[FieldRow]:
    for name, field in fields(spec).items():
        if name == "type" and type_of(spec):
            continue
        inner = members(field.annotation)
        if len(inner) == 1 and is_spec(inner[0]) and not type_of(inner[0]):
            yield from _fields(inner[0], f"{prefix}{name}.")
        else:
            text = " ".join((field.description or "").split())
            yield FieldRow(prefix + name, _type_name(field.annotation), _default(field), text)


def _default(field: FieldInfo) -> str:
    return "required" if field.is_required() else written(field.get_default(call_default_factory=True))


_TYPE_NAMES = {
    int: "whole number",
    float: "number",
    bool: "true or false",
    str: "text",
    Path: "path",
    SecretStr: "secret",
    ByteSize: "size",
}


def _type_name(annotation: Any) -> str:
    """A type in a person's words."""
    return " or ".join(dict.fromkeys(_one_type_name(part) for part in members(annotation)))


def _one_type_name(part: Any) -> str:
    arguments = get_args(part)
    if get_origin(part) is Literal:
        return " or ".join(written(value) for value in arguments)
    if get_origin(part) in (list, tuple, set, frozenset):
        return f"list of {_type_name(arguments[0])}"
    if get_origin(part) is dict or is_spec(part):
        return "map"
    return _TYPE_NAMES.get(part, "text")


_TABLE = re.compile(r"(<!-- components -->\n).*?(<!-- /components -->)", re.DOTALL)


def table() -> str:
    """The table of components for a README."""
    rows = [
        f"| `{each.family}` | `{each.type}` | {each.summary.replace('|', '&#124;')} |"
        for each in components()
    ]
    return "\n".join(["| key | type | what it is |", "|---|---|---|", *rows, ""])


def generated(root: Path = ROOT) -> dict[Path, str]:
    """Every generated file with what should stand in it."""
    schema = json.dumps(json_schema(), indent=2, ensure_ascii=False)
    files = {root / "config" / "schema.json": schema + "\n"}
    for readme in sorted(root.glob("README*.md")):
        text = readme.read_text(encoding="utf-8")
        if _TABLE.search(text):
            files[readme] = _TABLE.sub(lambda match: match[1] + table() + match[2], text)
    return files


def main(arguments: list[str]) -> int:
    """Renew (`--write`) or only check (`--check`) what is generated; 1 where something is stale."""
    if arguments not in (["--check"], ["--write"]):
        sys.stderr.write("usage: python -m pipelines.describe --check | --write\n")
        return 2
    stale = [
        (path, text)
        for path, text in generated().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    for path, text in stale:
        if arguments == ["--write"]:
            path.write_text(text, encoding="utf-8")
        done = "written" if arguments == ["--write"] else "stale: run python -m pipelines.describe --write"
        sys.stdout.write(f"{path.relative_to(ROOT)}: {done}\n")
    return 1 if stale and arguments == ["--check"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

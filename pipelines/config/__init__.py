"""From a config file to a `PipelineSpec`, or to everything that is wrong with it, each at its place."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from pipelines.config.files import with_files
from pipelines.config.problems import NUMBER_ERRORS, Report, locate
from pipelines.config.sources import read
from pipelines.config.variables import Expansion, expand
from pipelines.errors import ConfigError, Problem
from pipelines.marked_yaml import Marked, resolve
from pipelines.references import completed, misreferences
from pipelines.schema import NEED_LLM, PipelineSpec
from pipelines.words import Words

__all__ = ["Config", "checked", "load_config"]


@dataclass(frozen=True, slots=True)
class Config:
    """A valid config file: what it says, and where each value was written."""

    spec: PipelineSpec
    path: Path
    """The file as it was named."""
    tree: Marked = field(repr=False)
    """Every value that was written, of this file and of those it extends."""
    templates: Mapping[tuple[str | int, ...], str] = field(repr=False)
    """What was written for values with variables in them."""
    notes: Mapping[str, tuple[Words, ...]] = field(default_factory=dict)
    """By query engine, what a person should know of its calibration."""

    @property
    def storage(self) -> Path:
        """The folder of the catalog and both indexes, absolute."""
        return self.resolve("storage")

    @property
    def catalog_url(self) -> str | None:
        """The SQLAlchemy URL of the catalog, with its password; None for SQLite under `storage`."""
        return self.spec.catalog.get_secret_value() if self.spec.catalog else None

    def where(self, *path: str | int) -> str:
        """`file:line` of the value at a path, or `default` where nobody wrote one."""
        node = self.tree.at(path)
        return f"{node.file}:{node.key_line or node.line}" if node else "default"

    def base_of(self, *path: str | int) -> Path:
        """The folder to which paths in a part of the config are relative: that of the file which wrote them.

        For a component it is the file that wrote its `path` or `paths`, else its `type`.
        """
        part = self.tree.at(path)
        wrote = [part.child(key) for key in ("path", "paths", "files", "type")] if part else []
        node = next(filter(None, wrote), part)
        return Path(node.file if node else self.path).resolve().parent

    def resolve(self, *path: str | int) -> Path:
        """The absolute path that the value at a path of the config means; `~` is the home folder."""
        node = self.tree.at(path)
        if not node or not isinstance(node.value, str):
            raise KeyError(path)
        return Path(os.path.normpath(self.base_of(*path) / Path(node.value).expanduser()))


def load_config(path: str | Path, environ: Mapping[str, str] | None = None) -> Config:
    """Read a config file and all it extends; raises `ConfigError` with every problem, in the order of the file."""
    path = Path(path)
    environ = os.environ if environ is None else environ
    sources = read(path, environ)
    if sources.tree is None:
        raise ConfigError(sorted(set(sources.problems)))
    return checked(path, *expand(sources.tree, environ), problems=sources.problems, whole=sources.whole)


def checked(
    path: Path, tree: Marked, expansion: Expansion, *, problems: Sequence[Problem] = (), whole: bool = True
) -> Config:
    """The config of an expanded tree; raises `ConfigError` with every problem, `problems` among them.

    `whole`: whether every file could be read; if not, a missing key may be no mistake.
    """
    spec, wrong = _validate(tree, expansion, whole=whole)
    found = [*problems, *expansion.problems, *wrong]
    if spec and not found:
        config, found = with_files(Config(spec, path, tree, expansion.templates))
        if not found:
            return config
    raise ConfigError(sorted(set(found)))


def _validate(
    tree: Marked, expansion: Expansion, *, whole: bool
) -> tuple[PipelineSpec | None, list[Problem]]:
    """The spec, if there is one, and everything that is wrong with the values of the tree."""
    spec: PipelineSpec | None = None
    errors: list[ErrorDetails] = []
    for _ in range(2):  # the second time with variables read as the numbers that their fields want
        data = completed(tree.plain())
        try:
            spec, errors = PipelineSpec.model_validate_json(json.dumps(data), strict=True), []
        except ValidationError as invalid:
            errors = invalid.errors(include_url=False, include_input=False)
        wanted = {locate(error["loc"], data)[0] for error in errors if error["type"] in NUMBER_ERRORS}
        retyped = [_retype(tree, path) for path in wanted & expansion.templates.keys()]
        if not any(retyped):
            break
    report = Report(tree, data, expansion, whole=whole)
    for error in errors:
        report.add(error)
    for path, message in misreferences(data, need_llm=NEED_LLM):
        report.refer(path, message)
    return spec, report.problems()


def _retype(tree: Marked, path: tuple[str | int, ...]) -> bool:
    """Read a text that came from a variable as YAML would; whether it is something else then."""
    node = tree.at(path)
    if not node or not isinstance(node.value, str):
        return False
    node.value = resolve(node.value)
    return not isinstance(node.value, str)

"""A config over another storage than the one that it names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pipelines.config import Config
from pipelines.marked_yaml import Marked


def elsewhere(config: Config, storage: Path) -> Config:
    """The config with its catalog and both indexes in another folder; a `catalog` that is a URL is left out."""
    root = config.tree
    assert isinstance(root.value, dict)
    written = root.value["storage"]
    named = replace(written, value=str(storage.resolve()))
    kept = {key: value for key, value in root.value.items() if key != "catalog"}
    tree = Marked({**kept, "storage": named}, root.file, root.line, root.column)
    spec = config.spec.model_copy(update={"storage": str(storage.resolve()), "catalog": None})
    return replace(config, spec=spec, tree=tree)

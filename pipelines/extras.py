"""Optional packages: imported late, and named with their install command where they are missing."""

from __future__ import annotations

import importlib
from typing import Any

from pipelines.errors import MissingExtra, SearchaskError


def require(module: str, *, extra: str, what: str) -> Any:
    """Import `module`, or raise `MissingExtra` that says which extra brings it."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name and module.split(".")[0] != error.name.split(".")[0]:
            raise
        raise MissingExtra(what, extra) from None


def llama_index_class(path: str) -> Any:
    """The class at a dotted path under `llama_index.`; raises `SearchaskError` for anything else."""
    if not path.startswith("llama_index."):
        raise SearchaskError(f"class {path!r} is refused: it must live under llama_index.")
    module, _, name = path.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), name, None)
    except ModuleNotFoundError as error:
        # Where no package of a family is installed, it is the family that is missing.
        missing = module if f"{module}.".startswith(f"{error.name}.") else error.name or module
        package = "-".join(missing.split(".")[:3]).replace("_", "-")
        raise SearchaskError(f"class {path!r} is not installed: pip install {package}") from None
    if not isinstance(found, type):
        raise SearchaskError(f"class {path!r}: there is no class {name!r} in {module}")
    return found

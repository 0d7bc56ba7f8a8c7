"""A table as the page shows it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Table:
    """Texts only, nothing of it is markup."""

    head: list[str]
    rows: list[list[str]]

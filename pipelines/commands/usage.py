"""`searchask usage`: what models took, by day, model and engine."""

from __future__ import annotations

import argparse
from typing import Any

from pipelines.catalog import Catalog
from pipelines.catalog.usage import Sum, sums
from pipelines.commands.terminal import say, say_json, table
from pipelines.config import load_config
from pipelines.errors import SearchaskError


def usage_command(args: argparse.Namespace) -> int:
    """Print the sums of the last days."""
    if args.days < 1:
        raise SearchaskError("--days must be at least 1")
    config = load_config(args.file)
    catalog = Catalog(config.storage, config.catalog_url)
    try:
        rows = sums(catalog.engine, args.days)
    finally:
        catalog.close()
    if args.json:
        say_json({"days": args.days, "rows": [row.to_dict() for row in rows], "total": _total(rows)})
    elif rows:
        _show(rows)
    else:
        say(f"nothing was asked of a model in the last {args.days} days")
    return 0


def _show(rows: list[Sum]) -> None:
    total = _total(rows)
    lines: list[tuple[object, ...]] = [
        (
            row.day,
            row.engine or row.kind,
            row.model,
            f"{row.calls:,}",
            f"{row.tokens_in:,}",
            f"{row.tokens_out:,}",
            _money(row.money),
        )
        for row in rows
    ]
    told = [f"{total[name]:,}" for name in ("calls", "tokens_in", "tokens_out")]
    lines.append(("total", "", "", *told, _money(total["money"])))
    head = ["day", "engine", "model", "calls", "tokens in", "tokens out", "money"]
    table(head, lines, right=(3, 4, 5, 6))


def _total(rows: list[Sum]) -> dict[str, Any]:
    """All together; the money is that of the rows whose price is known, None where there is none."""
    known = [row.money for row in rows if row.money is not None]
    return {
        "calls": sum(row.calls for row in rows),
        "tokens_in": sum(row.tokens_in for row in rows),
        "tokens_out": sum(row.tokens_out for row in rows),
        "money": round(sum(known), 6) if known else None,
    }


def _money(money: float | None) -> str:
    return "?" if money is None else f"{money:.4f}"

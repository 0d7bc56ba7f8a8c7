"""What models took, by day, model and engine, as the page shows it."""

from __future__ import annotations

from pipelines.catalog import Catalog
from pipelines.catalog.usage import sums
from pipelines.page.table import Table
from pipelines.words import Language, Words

DAYS = 30

_HEAD = [
    Words("day", "日期"),
    Words("engine", "引擎"),
    Words("model", "模型"),
    Words("calls", "调用"),
    Words("tokens in", "输入 token"),
    Words("tokens out", "输出 token"),
    Words("money", "费用"),
]
_INGESTION = Words("ingestion", "入库")
_NOTHING = Words("Nothing was asked of a model in the last {days} days.", "最近 {days} 天没有调用过模型。")


def usage(catalog: Catalog | None, language: Language) -> tuple[Table, str]:
    """The last days, newest first, and a line where there is nothing to show."""
    rows = sums(catalog.engine, DAYS) if catalog else []
    table = Table(
        [words.of(language) for words in _HEAD],
        [
            [
                row.day,
                row.engine or _INGESTION.of(language),
                row.model,
                f"{row.calls:,}",
                f"{row.tokens_in:,}",
                f"{row.tokens_out:,}",
                "" if row.money is None else f"{row.money:.4f}",
            ]
            for row in rows
        ],
    )
    return table, "" if rows else _NOTHING.of(language, days=DAYS)

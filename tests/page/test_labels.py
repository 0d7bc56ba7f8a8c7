"""Lengths of time and reasons, in both languages."""

from __future__ import annotations

import pytest

from pipelines.page.labels import duration, reason


@pytest.mark.parametrize(
    ("seconds", "english", "chinese"),
    [
        (0.2, "1 s", "1 秒"),
        (59, "59 s", "59 秒"),
        (90, "2 min", "2 分钟"),
        (7500, "2 h 5 min", "2 小时 5 分钟"),
    ],
)
def test_durations(seconds: float, english: str, chinese: str) -> None:
    assert duration(seconds, "en") == english
    assert duration(seconds, "zh") == chinese


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("from a/b.md", "原为 a/b.md"),
        ("from a.md, and node_parser was edited", "原为 a.md，并且 node_parser 已修改"),
        ("loader 'old' is gone from the config", "加载器 old 已从配置中删除"),
        ("quarantined until it changes: the file is empty", "已隔离，文件改变之前不再处理：文件为空"),
        (
            "edited, and the index is built anew beside the old one (fake built that)",
            "已修改，并且在旧索引旁重新建立索引 (fake built that)",
        ),
        ("the encoding big5 is a guess", "编码 big5 是推测的"),
        ("something new", "something new"),
    ],
)
def test_reasons_in_chinese(english: str, chinese: str) -> None:
    assert reason(english, "zh") == chinese
    assert reason(english, "en") == english

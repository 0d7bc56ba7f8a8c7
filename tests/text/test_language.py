from __future__ import annotations

import pytest

from pipelines.text.language import language_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("年假有几天？", "zh"),
        ("How many days of leave?", "en"),
        ("Kubernetes 怎么部署", "zh"),
        ("如何在 Debian GNU/Linux 上安装 Python 3.11？", "zh"),
        ("What does 年假 mean?", "en"),
        ("假", "zh"),
        ("", "en"),
        ("R123-78", "en"),
        ("42", "en"),
    ],
)
def test_language(text: str, language: str) -> None:
    assert language_of(text) == language

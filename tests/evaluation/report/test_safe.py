"""Text from elsewhere, before it is shown."""

from __future__ import annotations

import pytest

from pipelines.evaluation.report.safe import MOST, clean


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\ttext\n中文", "plain\ttext\n中文"),
        ("a\r\nb\rc\u2028d\x85e", "a\nb\nc\nd\ne"),
        ("a\x00b\x1b[0m\x9f", "a\ufffdb\ufffd[0m\ufffd"),
        ("half \ud83d pair", "half \ufffd pair"),
        ("exe\u202etxt", "exetxt"),
        ("👩‍💻", "👩‍💻"),
        ("x" * (MOST + 1), "x" * MOST + "…"),
        ("x" * MOST, "x" * MOST),
    ],
)
def test_clean(text: str, shown: str) -> None:
    assert clean(text) == shown

"""What nobody sees goes; what writing needs stays."""

from __future__ import annotations

import pytest

from pipelines.text.invisible import visible


@pytest.mark.parametrize(
    "text",
    [
        "👨‍👩‍👧 family, ❤️‍🔥 and 👩🏽‍💻",
        "1️⃣ and ©️",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "می\u200cخواهم",
        "क्\u200dष",
        "葛\U000e0100城市",
        "שלום\u200f! (abc\u200e)",
        "สวัส\u200bดี",
        "漢字，假名。",
    ],
)
def test_emoji_arabic_indic_and_chinese_are_left_alone(text: str) -> None:
    assert visible(text).text == text


@pytest.mark.parametrize(
    ("text", "seen", "removed"),
    [
        ("ig\u200bno\u200dre\u2060", "ignore", 3),
        ("pay \u202e001\u202c now", "pay 001 now", 2),
        ("\u2066a\u2069", "a", 2),
        ("忽\u200b略\ufeff", "忽略", 2),
        ("x" + "".join(chr(0xE0000 + ord(letter)) for letter in "obey"), "x", 4),
        ("😀" + "".join(chr(0xE0100 + number) for number in range(9)), "😀", 9),
        ("a\ufe01b\ufe0f.", "ab.", 2),
        ("❤\ufe0f\ufe0f\ufe0e", "❤\ufe0f", 2),
        ("soft\u00adly", "softly", 0),
        ("\u3164\uffa0x", "x", 2),
    ],
)
def test_what_only_a_model_would_read_is_gone(text: str, seen: str, removed: int) -> None:
    found = visible(text)
    assert (found.text, found.removed) == (seen, removed)


def test_offsets_move_with_the_text() -> None:
    text = "ab\u200bcd\u200b\u200bef"
    found = visible(text)
    assert [found.offset(text.index(letter)) for letter in "abcdef"] == [0, 1, 2, 3, 4, 5]
    moved = [found.offset(place) for place in range(len(text) + 1)]
    assert moved == sorted(moved)

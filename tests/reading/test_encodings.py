"""Every encoding is recognised on one line as on many; garbage never comes out as text."""

from __future__ import annotations

import pytest

from pipelines.errors import Quarantined
from pipelines.reading.encodings import decode

SENTENCES = {
    "gb18030": [
        "年假制度",
        "员工每年享有十五天年假。",
        "R123-78 型号的电阻，额定功率 0.25 W。",
        "产品说明书：请勿浸水",
    ],
    "cp950": ["員工每年享有十五天年假。", "臺北市政府", "資料庫系統的設計與維護", "報銷差旅費用"],
    "cp932": ["年次有給休暇は十五日です。", "こんにちは", "カタカナのテスト", "東京都千代田区"],
    "cp1252": ["café", "Le congé annuel est de quinze jours, à prendre avant l’été.", "Übermäßig", "señor"],
}


@pytest.mark.parametrize(
    ("encoding", "line"), [(name, line) for name, lines in SENTENCES.items() for line in lines]
)
@pytest.mark.parametrize("times", [1, 50])
def test_national_encodings(encoding: str, line: str, times: int) -> None:
    text = (line + "\n") * times
    decoded = decode(text.encode(encoding))
    assert decoded.text == text
    assert decoded.encoding == encoding


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize(
    "text", ["员工每年享有 15 天年假。\n第二行 line two\n", "Plain English.\nSecond line.\n"]
)
def test_unicode_encodings(encoding: str, text: str) -> None:
    decoded = decode(text.encode(encoding))
    assert decoded.text == text
    assert decoded.encoding.startswith(encoding[:5])


def test_other_alphabets_are_a_guess_that_is_named() -> None:
    text = "Каждый сотрудник имеет право на пятнадцать дней оплачиваемого отпуска в год. " * 5
    decoded = decode(text.encode("cp1251"))
    assert decoded.text == text
    assert "guess" in decoded.notes[0]


def test_line_ends_marks_and_controls_are_normalised() -> None:
    assert (
        decode("\ufeffone\r\ntwo\rthree\x00\u00ad four\u00a0five".encode()).text
        == "one\ntwo\nthree four five"
    )


def test_utf8_with_a_broken_byte_is_still_utf8() -> None:
    raw = ("员工每年享有十五天年假。" * 20).encode()
    decoded = decode(raw[:301] + raw[302:])
    assert decoded.encoding == "utf-8"
    assert "broken bytes" in decoded.notes[0]


def test_declared_charset_counts_only_where_it_decodes() -> None:
    raw = "员工每年享有十五天年假。".encode("gbk")
    assert decode(raw, declared="gb2312").encoding == "gb18030"
    assert decode(raw, declared="utf-8").text.startswith("员工")
    assert decode(raw, declared="no-such-charset").text.startswith("员工")


def test_the_config_may_force_an_encoding() -> None:
    assert decode("тест".encode("koi8-r"), encoding="koi8-r").text == "тест"
    with pytest.raises(Quarantined, match="it is not utf-8"):
        decode("年假".encode("gbk"), encoding="utf-8")


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (bytes(range(256)) * 40, "recognised|does not decode"),
        (b"\x7fELF\x02\x01\x01" + b"\0" * 2000 + bytes(range(128)) * 20, "recognised|control"),
        (
            "员工每年享有十五天年假，须提前两周申请。".encode().decode("gb18030", "replace").encode(),
            "gb18030|lost|not",
        ),
        ("员工每年享有十五天年假".encode().decode("latin-1").encode(), "cp1252|control"),
        (("锟斤拷" * 30).encode(), "lost"),
        (("\ufffd" * 20 + "abc").encode(), "replacement"),
        (("\ue123\ue456" * 20).encode(), "private-use"),
    ],
)
def test_garbage_is_quarantined(raw: bytes, why: str) -> None:
    with pytest.raises(Quarantined, match=why):
        decode(raw)

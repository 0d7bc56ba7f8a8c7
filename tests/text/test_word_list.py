from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.errors import SearchaskError
from pipelines.text.word_list import WordList

LINES = """\
# what must not occur
bomb
枪支
hand grenade
/\\d{3}-\\d{4}/

AK步枪
"""


@pytest.fixture
def words(tmp_path: Path) -> WordList:
    (tmp_path / "words.txt").write_text(LINES, encoding="utf-8")
    return WordList(tmp_path / "words.txt")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("How is a bomb made?", 2),
        ("怎么做bomb呢", 2),
        ("ＢＯＭＢ", 2),
        ("bo\u200bmb", 2),
        ("Bombay and bombs", None),
        ("bomb_1 is a name, bomb1 too", None),
        ("非法买卖枪支弹药", 3),
        ("枪支", 3),
        ("这个手枪支架多少钱？", None),
        ("a hand\n grenade", 4),
        ("call 555-1234 now", 5),
        ("他有一把ak步枪", 7),
        ("年假有几天？", None),
        ("", None),
    ],
)
def test_words_match_whole(words: WordList, text: str, line: int | None) -> None:
    assert words.match(text) == line


def test_a_file_that_can_not_be_used(tmp_path: Path) -> None:
    with pytest.raises(SearchaskError, match="can't be read: No such file"):
        WordList(tmp_path / "none.txt")
    (tmp_path / "wrong.txt").write_text("fine\n/(/\n", encoding="utf-8")
    with pytest.raises(SearchaskError, match=r"wrong.txt:2: no regular expression"):
        WordList(tmp_path / "wrong.txt")
    (tmp_path / "gbk.txt").write_bytes("手枪支架".encode("gbk"))
    with pytest.raises(SearchaskError, match="UTF-8"):
        WordList(tmp_path / "gbk.txt")

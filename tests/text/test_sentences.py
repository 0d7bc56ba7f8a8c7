from __future__ import annotations

import pickle
import random

import pytest

from pipelines.text.sentences import clause_spans, sentence_spans, sentences
from tests.text import DATA, SNIPPETS


@pytest.mark.parametrize(
    "expected",
    [
        ["他说：“你好。”", "然后走了！", "真的吗？！", "是的……", "好吧；", "行。"],
        ["Dr. Smith paid $3.14 for v1.5 at http://a.b/c?d=eg. ", "He left (at last.) ", "Why?"],
        ['"Really?" he said. ', "It was."],
        ["The U.S. Army came. ", "See Fig. 3 and No. 5. ", "No. ", "I won't. ", "J. R. Colby did."],
        ["Use e.g. this, i.e. that etc. ", "And more. ", "It is approx. five."],
        ["Wait… what? ", "那是……", "真的。", "**Bold.** ", "下一句。", "**加粗**句"],
        ["结束.下一句?真的!", "好"],
        ["# 标题 A. B\n", "正文第一句。", "第二句。\n\n", "## Next\n", "Text."],
        ["| a | b. c |\n", "|---|---|\n", "| 1。2 | x |\n", "After. ", "That."],
        [
            "- item one. two\n",
            "* item 二。三\n",
            "1. first. second\n",
            "2) next. one\n",
            "（三）第三。条\n",
            "Text.",
        ],
        ["```py\n", "x = 1\n", "```\n", "Text."],
        ["短标题\n", "Short line\n", "Another\n\n\n", "Last"],
        ["A paragraph of prose that was wrapped at some width\nand goes on. ", "Then it ends.\n"],
        [
            "这是一个被折行的段落，这一行的长度足够长到像是被自动折行\r\n的样子，它是一句。\r\n",
            "短行\r\n",
            "另一行\r\n",
        ],
        ["A paragraph of prose that was wrapped at some width\n\n", "and then a blank line."],
        ["It lists what is needed for the journey by train:\n", "water and bread"],
        ["\n\n  Led by space. ", "End\n\n"],
        [" "],
        [],
    ],
)
def test_cut(expected: list[str]) -> None:
    text = "".join(expected)
    if expected[:1] == ["结束.下一句?真的!"]:
        expected = ["结束.", "下一句?", "真的!", "好"]
    assert sentences(text) == expected


def test_real_documents_in_both_languages() -> None:
    river = sentences((DATA / "river.txt").read_text("utf-8"))
    assert len(river) == 18
    assert '"a man could cross it in his Sunday boots." ' in river[2]
    tea = sentences((DATA / "tea.txt").read_text("utf-8"))
    assert len(tea) == 24
    assert "“滑了就抓住茶树，”领头的阿婆说，“茶树比人站得稳。”\n\n" in tea


def test_clauses() -> None:
    text = "先看，再闻、最后才喝；价格：3,000 元, roughly: fine"
    assert [text[start:end] for start, end in clause_spans(text)] == [
        "先看，", "再闻、", "最后才喝；", "价格：", "3,000 元, ", "roughly: ", "fine",
    ]  # fmt: skip


def test_nothing_is_lost_whatever_the_text() -> None:
    chance = random.Random(2)
    for _ in range(4000):
        text = "".join(chance.choices(SNIPPETS, k=chance.randint(0, 25)))
        for spans in (sentence_spans(text), clause_spans(text)):
            assert "".join(text[start:end] for start, end in spans) == text
            assert all(end > start for start, end in spans)


@pytest.mark.parametrize(
    "unit",
    [
        "x",
        "a. ",
        "- ",
        "\n",
        " ",
        " \n \r",
        ".",
        "。",
        '。"x',
        "....a",
        '."""',
        "?!",
        "|",
        "#",
        "1. ",
        "x\n",
        ". a",
    ],
)
def test_no_text_takes_long(unit: str) -> None:
    text = unit * (300_000 // len(unit))
    assert sum(end - start for start, end in sentence_spans(text)) == len(text)


def test_can_be_pickled() -> None:
    assert pickle.loads(pickle.dumps(sentences)) is sentences

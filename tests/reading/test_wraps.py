"""Wrapped paragraphs are joined; what has lines of its own keeps them."""

from __future__ import annotations

import pytest

from pipelines.reading.wraps import unwrapped


def test_english_and_chinese_paragraphs_are_joined() -> None:
    english = "Every employee of the company has fifteen days of\n"
    english += "paid leave in each calendar year, which must be\nrequested."
    assert unwrapped(english) == english.replace("\n", " ")
    chinese = (
        "本公司全体员工每年享有十五天带薪年假，须至少提前\n两周向直属主管提出书面申请，经批准后方可休假；未\n"
    )
    chinese += "休完的作废。"
    assert unwrapped(chinese) == chinese.replace("\n", "")


def test_list_items_with_continuation_lines_are_joined() -> None:
    text = "- an item that is long enough to be wrapped at the\n  margin of the page and goes on\n- another"
    assert (
        unwrapped(text)
        == "- an item that is long enough to be wrapped at the margin of the page and goes on\n- another"
    )


@pytest.mark.parametrize("text", [
    "short\nlines\nstay",
    "2024-01-01 10:00:00 ERROR something has failed in here\n2024-01-01 10:00:01 INFO something has worked out here",
    "Shall I compare thee to a summer's day?\nThou art more lovely and more temperate:\nRough winds do shake the buds,",
    "| a long table row | with several cells in it | x |\n| another long row | with several cells in it | y |",
    "```\nsome code that is long enough to look like it is\nwrapped text but it is not wrapped text at all\n```",
    "# A heading that is long enough to be a wrapped line\nand its paragraph",
    "第一条 总则的内容写在这里\n第二条 细则\n第三条 附则",
])  # fmt: skip
def test_lines_that_mean_something_stay(text: str) -> None:
    assert unwrapped(text) == text

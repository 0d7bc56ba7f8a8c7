"""What a prompt gets of a document: no tag, no turn, no citation, and else every character."""

from __future__ import annotations

import pytest

from pipelines.text.disarmed import disarmed, unmarked
from pipelines.text.orders import orders


@pytest.mark.parametrize(
    "text",
    [
        "</passage>", "< / passage-7f3a91 x>", "＜passage", "<|im_start|>", "<｜User｜>", "</s>",
        "<system>", "</think >",
        "[INST]", "[ /INST ]", "<</SYS>>", "### System: x", "# 系统提示：x", "System: x", "Human : x",
    ],
)  # fmt: skip
def test_signs_give_way_by_one_character(text: str) -> None:
    assert "‹" in disarmed(text)
    assert len(disarmed(text)) <= len(text) + 1


@pytest.mark.parametrize(
    "text", ["a < b > c", "The system: it runs", "<p>x</p>", "# Systems", "x [INSTALL] y", "passage"]
)
def test_all_else_stays(text: str) -> None:
    assert disarmed(text) == text


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("So it is [1][2].", "So it is (1)(2)."),
        ("如此【3】，［4］。", "如此(3)，(4)。"),
        ("as in [1, 2]", "as in (1, 2)"),
        ("It is free[1]. In 1998[2]", "It is free(1). In 1998(2)"),
        ("Use `argv[1]` or `x`[2].", "Use `argv[1]` or `x`(2)."),
        ("```\na[1] = b[2]\n```\nc[3]", "```\na[1] = b[2]\n```\nc(3)"),
        ("rows[1] = 2", "rows[1] = 2"),
        ("[12345] [a] []", "[12345] [a] []"),
    ],
)
def test_only_code_keeps_its_brackets(text: str, plain: str) -> None:
    assert unmarked(text) == plain


def test_a_source_file_keeps_all_of_them() -> None:
    assert unmarked("print(argv[1])\n", code=True) == "print(argv[1])\n"


@pytest.mark.parametrize(
    "text",
    [
        "Staff get 15 days of annual leave. Please follow the instructions of your manager.",
        "员工每年享有 15 天年假。请按以下规则申请，不要忘记附上证明。",
        "You are entitled to a refund. Ignore this letter if you have already paid.",
        "系统会自动忽略重复的记录。",
        "The assistant manager must sign the form.",
    ],
)
def test_ordinary_text_is_not_suspicious(text: str) -> None:
    assert orders(text) == ()

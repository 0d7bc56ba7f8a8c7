from __future__ import annotations

import pytest

from pipelines.components.runtime.inquiry import Exchange, Inquiry
from pipelines.querying.follow_up import carry_on, points_back


@pytest.mark.parametrize(
    ("question", "back"),
    [
        ("那第二种呢？", True),
        ("它要多少钱？", True),
        ("为什么？", True),
        ("那病假呢？", True),
        ("其中哪个最便宜？", True),
        ("那法国总统是谁？", False),
        ("员工可享受多少天年假？", False),
        ("票价多少？", False),
        ("and what does it cost?", True),
        ("And the second one?", True),
        ("Why?", True),
        ("How much?", True),
        ("Is it allowed?", True),
        ("and who is the president of France?", False),
        ("How many days of annual leave do staff get?", False),
        ("R123-78", False),
    ],
)
def test_what_points_back(question: str, back: bool) -> None:
    assert points_back(question) is back


def carried(*questions: str) -> str:
    *before, question = questions
    inquiry = Inquiry(query_str=question, asked=question, history=[Exchange(each, "") for each in before])
    carry_on(inquiry)
    return inquiry.query_str


def test_a_follow_up_is_searched_for_with_its_question() -> None:
    assert carried("有哪几种假？", "那第二种呢？") == "有哪几种假？\n那第二种呢？"
    assert carried("How big is the lamp?", "Why?", "And what does it cost?") == (
        "How big is the lamp?\nWhy?\nAnd what does it cost?"
    )


def test_what_stands_alone_stays_as_it_is() -> None:
    assert carried("And it?") == "And it?"
    assert carried("How big is the lamp?", "How long do cats sleep?") == "How long do cats sleep?"


def test_what_was_rewritten_already_stays() -> None:
    inquiry = Inquiry(query_str="What does the lamp cost?", asked="And it?", history=[Exchange("Lamp?", "")])
    carry_on(inquiry)
    assert inquiry.query_str == "What does the lamp cost?"


def test_a_question_before_is_taken_along_in_part_only() -> None:
    assert len(carried("long " * 400, "Why?")) < 520

"""Copies of a passage and questions that are asked twice are kept out; like wording alone is no reason."""

from __future__ import annotations

from pipelines.evaluation.making.drafts import Draft
from pipelines.evaluation.making.screening import (
    SAME_MEANING,
    SAME_WORDS,
    WORD_FOR_WORD,
    Nearness,
    Screen,
    is_copy,
)
from pipelines.text.language import language_of


def draft(text: str, answer: str = "", quote: str = "…", document: str = "a.md", start: int = 0) -> Draft:
    return Draft(text, (answer,) if answer else (), document, quote, start, "llm", language_of(text))


def test_a_copy_of_its_passage() -> None:
    quote = "On every day of the week but Sunday the small shop at the corner opens at nine."
    text = f"# When does the shop open\n\n{quote}"
    start = text.index(quote)
    copied = draft(
        "When on every day of the week but Sunday the small shop at the corner opens?",
        quote=quote,
        start=start,
    )
    assert is_copy(copied, text)
    assert not is_copy(
        draft("When does the shop open?", quote=quote, start=start), text
    )  # a heading is no passage
    chinese = "公司规定工作满一年的员工每年可以享有十五天带薪年假。"
    assert is_copy(draft("工作满一年的员工每年可以享有十五天带薪年假吗", quote=chinese), chinese)
    assert not is_copy(draft("干满一年能休几天假？", quote=chinese), chinese)


def test_two_wordings_of_one_question_are_one_where_the_answer_is_the_same() -> None:
    near = Nearness(lambda text: [1.0, 0.0])
    assert not near.knows(draft("When was the Alm bridge built?", "in 1907"))
    assert near.knows(
        draft("In which year did they build the bridge over the Alm?", "in 1907", document="b.md")
    )
    assert not near.knows(draft("When was the Ems bridge built?", "in 1951", document="b.md"))


def test_far_questions_with_the_same_answer_are_two() -> None:
    near = Nearness(lambda text: [1.0, 0.0] if "bridge" in text else [0.0, 1.0])
    assert not near.knows(draft("When was the bridge built?", "in 1907"))
    assert not near.knows(draft("When did the baker die?", "in 1907", document="b.md"))


def test_the_limit_follows_what_the_embed_model_sees() -> None:
    near = Nearness(lambda text: [1.0, len(text) / 100])
    before = near.threshold
    for number in range(20):
        assert not near.knows(
            draft("When was it? " + "x" * number * 3, f"answer {number}", document=f"{number}.md")
        )
    assert near.threshold != before
    assert 0.9 <= near.threshold <= 1.0


def test_each_reason_is_counted() -> None:
    screen = Screen(lambda text: [1.0, 0.0])
    text = "The small shop at the corner of the market square opens at nine."
    assert screen.lets(draft("When does it open?", "nine", quote=text), text)
    assert not screen.lets(draft("WHEN does it open", "nine", quote=text), text)
    assert not screen.lets(draft("At what time is it opened?", "at nine", quote=text, document="b.md"), text)
    assert not screen.lets(
        draft("The small shop at the corner of the market square opens?", "x", quote=text), text
    )
    assert screen.dropped == {SAME_WORDS: 1, SAME_MEANING: 1, WORD_FOR_WORD: 1}

from __future__ import annotations

import pytest

from pipelines.querying.alignment import _found, sentences_of, support, units

PASSAGE = (
    "Staff get 15 days of annual leave. It must be booked two weeks ahead. Unused leave is lost on 31 March."
)
ABSATZ = "员工入职满一年可享受十五天年假。年假须提前两周申请。未休年假于次年三月三十一日清零。"


def quoted(claim: str, passage: str) -> tuple[str, float]:
    found = support(claim, passage)
    assert found
    return passage[found.start : found.end], found.share


@pytest.mark.parametrize(
    ("claim", "passage", "quote"),
    [
        ("Staff get 15 days of annual leave.", PASSAGE, "Staff get 15 days of annual leave."),
        ("unused leave is LOST on 31 march", PASSAGE, "Unused leave is lost on 31 March."),
        ("Annual leave is fifteen... 15 days", PASSAGE, "Staff get 15 days of annual leave."),
        ("员工满一年后有 15 天年假。", ABSATZ, "员工入职满一年可享受十五天年假。"),
        ("年假需要提前两周申请", ABSATZ, "年假须提前两周申请。"),
    ],
)
def test_the_shortest_run_that_holds_a_claim(claim: str, passage: str, quote: str) -> None:
    found, share = quoted(claim, passage)
    assert found == quote
    assert share >= 0.5


def test_two_sentences_support_a_claim_that_joins_them() -> None:
    found, share = quoted("The 15 days of annual leave are booked two weeks ahead.", PASSAGE)
    assert found == "Staff get 15 days of annual leave. It must be booked two weeks ahead."
    assert share > 0.8


def test_a_wrong_number_is_hardly_support() -> None:
    _, right = quoted("Staff get 15 days of annual leave.", PASSAGE)
    _, wrong = quoted("Staff get 20 days of annual leave.", PASSAGE)
    assert right == 1.0
    assert wrong < 0.35


def test_nothing_shared_is_no_support() -> None:
    assert support("The moon is made of cheese.", PASSAGE) is None
    assert support("Yes.", PASSAGE) is None


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("二百一十五元", "215"),
        ("二〇二四年", "2024"),
        ("十天", "10"),
        ("三十一日", "31"),
        ("three people", "3"),
    ],
)
def test_numbers_that_are_spelled_out(text: str, number: str) -> None:
    assert number in units(text).spelled


def test_numbers_are_compared_without_separators_and_zeros() -> None:
    assert units("2024-03-05 and 1,200").numbers == units("2024年3月5日 1200").numbers


def test_sentences_cover_no_white_space_at_their_ends() -> None:
    text = "One.  Two.\n\n三。 "
    assert [text[start:end] for start, end in sentences_of(text)] == ["One.", "Two.", "三。"]


LARGER = "The Osprey is larger than the Falcon. The Falcon is larger than the Osprey. Both fly."


@pytest.mark.parametrize(
    ("claim", "passage", "quote"),
    [
        # word for word, where the bag of words alone would take the first sentence
        ("The Falcon is larger than the Osprey.", LARGER, "The Falcon is larger than the Osprey."),
        ("the falcon is LARGER  than the osprey", LARGER, "The Falcon is larger than the Osprey."),
        # width, white space, punctuation
        ("（Version）Ｖ２.０ costs　12.50", "Cheap. Version V2.0 costs 12.50 here.", "Version V2.0 costs 12.50 here."),
        ("年假，须提前两周，申请", ABSATZ, "年假须提前两周申请。"),
        ("年 假 须 提 前 两 周 申 请", ABSATZ, "年假须提前两周申请。"),
        # over the end of a sentence
        ("booked two weeks ahead. Unused leave", PASSAGE, PASSAGE[PASSAGE.index("It must") :]),
        # several sentences are quoted whole
        (PASSAGE, PASSAGE, PASSAGE),
        # fuzzy: other words around the same matter
        ("Leave which is unused gets lost on March 31", PASSAGE, "Unused leave is lost on 31 March."),
    ],
)  # fmt: skip
def test_exact_then_normalised_then_fuzzy(claim: str, passage: str, quote: str) -> None:
    found, share = quoted(claim, passage)
    assert found == quote
    assert share >= 0.5


@pytest.mark.parametrize(
    ("claim", "passage"),
    [
        ("5 days of leave", "They get 15 days of leave."),
        ("5 days of leave", "They get 1.5 days of leave."),
        ("15 days of leave", "They get 1.5 days of leave."),
        ("1200 euros", "It is 12 00 0 euros."),
        ("40 degrees", "It was -40 degrees."),
        ("the share is 15", "The share is 15% of it, or 15.5."),
    ],
)
def test_part_of_a_number_is_not_the_number(claim: str, passage: str) -> None:
    found = _found(claim, passage)
    assert found is None


def test_a_word_in_a_longer_word_is_not_the_word() -> None:
    assert _found("art is long", "The part is long. Smart is longer.") is None
    assert _found("病假", "年假和病假都要申请。") is not None

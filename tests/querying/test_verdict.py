"""Answers from whole documents: which of their passages are compared, and that invented numbers count for nothing."""

from __future__ import annotations

from time import perf_counter

from pipelines.components.responses import Draft
from pipelines.querying.verdict import NEAREST, checked, nearest
from tests.support.writing import node

FILLING = [node(f"Paragraph {number} tells of garden {number}.") for number in range(3000)]


def same(claim: str, sentences: object) -> list[float]:
    raise AssertionError("nothing is compared by meaning")


def test_the_nearest_passages_of_each_sentence_are_kept_in_their_order() -> None:
    leave, hours = node("Staff get five days of leave."), node("食堂早上八点开门。")
    nodes = [FILLING[0], leave, *FILLING[1:], hours]
    found = nearest("食堂八点开门。 Staff get five days.", nodes)
    assert [hit for hit in found if hit in (leave, hours)] == [leave, hours]
    assert len(found) <= 2 * NEAREST
    assert nearest("Penguins swim.", nodes) == []


def test_numbers_that_a_model_invents_are_taken_out_and_sources_found() -> None:
    sources = (*FILLING, node("Staff get five days of leave."))
    draft = Draft("Staff get five days of leave [1]. Penguins swim [2].", sources=sources)
    began = perf_counter()
    told = checked(draft, [FILLING[0]], "en", "How many days?", same)
    assert perf_counter() - began < 5  # 3,000 passages
    assert told.text == "Staff get five days of leave. [1] Penguins swim. [unsupported]"
    assert [each.quote for each in told.citations] == ["Staff get five days of leave."]

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import SearchaskError
from pipelines.page.why_not_view import why_not_view
from pipelines.querying import why_not as module
from pipelines.querying.knowledge_base import KnowledgeBase
from pipelines.querying.why_not import WhyNot, why_not
from tests.support.house import House

QUESTION = "When does the cafeteria open?"


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = House(tmp_path)
    house.write("cafeteria.md", "The cafeteria opens at eight and closes at six.")
    house.write("badge.md", "Badges are issued by the front desk.")
    house.write("年假.md", "工作满一年的员工每年有五天年假。")
    for number in range(12):
        house.write(
            f"other{number}.md", f"Report number {number} is about the harvest of year 20{number:02}."
        )
    return house


@pytest.fixture
def opened(house: House) -> Iterator[Callable[..., KnowledgeBase]]:
    with ExitStack() as stack:

        def open_with(*, engine: dict[str, Any] | None = None, **retrievers: Any) -> KnowledgeBase:
            if retrievers:
                last = list(retrievers)[-1]
                answer = {"retriever": last, "postprocessors": [], **(engine or {})}
                house.edit(retrievers=retrievers, query_engines={"answer": answer})
            house.ingest()
            return stack.enter_context(KnowledgeBase(house.config))

        yield open_with


VECTOR = {"type": "vector", "top_k": 3}
WORDS = {"type": "keyword", "top_k": 3}
EVERY = {"type": "vector", "top_k": 50}


def said(found: WhyNot) -> str:
    views = [why_not_view(found, language) for language in ("en", "zh")]
    assert all("{" not in str(view) for view in views)
    assert len(views[0].details) == len(views[1].details)
    return " ".join([views[0].sentence, *views[0].details])


def test_a_document_that_was_never_seen(opened: Callable[..., KnowledgeBase]) -> None:
    found = why_not(opened(), QUESTION, "nowhere.md")
    assert (found.where, found.reach) == ("not in index", ())
    assert "nowhere.md is not in the index" in said(found)


def test_documents_that_could_not_be_used(house: House, opened: Callable[..., KnowledgeBase]) -> None:
    (house.docs / "broken.pdf").write_bytes(b"%PDF-1.4 nothing more")
    found = why_not(opened(), QUESTION, "broken.pdf")
    assert found.where == "quarantined"
    assert found.error and found.error in said(found)


def test_a_document_that_no_retriever_finds(opened: Callable[..., KnowledgeBase]) -> None:
    base = opened(words=WORDS)
    found = why_not(base, QUESTION, "年假.md")
    assert found.where == "not found"
    assert (found.reach[0].rank, found.reach[0].held) == (None, ())
    assert "cafeteria" in found.reach[0].missing
    assert "no passage of the document holds a word of the question (" in said(found)


def test_how_far_off_it_is(opened: Callable[..., KnowledgeBase]) -> None:
    base = opened(meaning={"type": "vector", "top_k": 1}, words={"type": "keyword", "top_k": 1})
    question = "report about the harvest"
    best = base.retrieve(question).candidates[0].document
    other = next(f"other{number}.md" for number in range(12) if f"other{number}.md" != best)
    found = why_not(base, question, other)
    assert found.where == "not found"
    assert found.reach[0].rank is not None and found.reach[0].rank > 1
    assert set(found.reach[0].held) == {"report", "harvest"}
    assert "takes the 1 passages that match" in said(found)


def test_the_rank_beyond_all_that_was_asked_for(
    opened: Callable[..., KnowledgeBase], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DEPTH", 2)
    base = opened(
        meaning={"type": "vector", "top_k": 1},
        words={"type": "keyword", "top_k": 1},
        both={"type": "fusion", "of": ["meaning", "words"], "top_k": 1},
    )
    question = "report about the harvest"
    ranked = {hit.document for hit in base.retrieve(question).candidates}
    found = [why_not(base, question, f"other{number}.md") for number in range(12)]
    beyond = [each for each in found if each.where == "not found" and not any(r.rank for r in each.reach)]
    assert beyond and not {each.document for each in beyond} & ranked
    for each in beyond:
        meaning, words = each.reach
        assert -1 <= (meaning.score or 0.0) <= 1 and meaning.score is not None
        assert "report" in words.held
        assert "comes beyond number" in said(each)


def test_what_a_fusion_keeps_back(opened: Callable[..., KnowledgeBase]) -> None:
    base = opened(meaning=EVERY, words=WORDS, both={"type": "fusion", "of": ["meaning", "words"], "top_k": 2})
    candidates = base.retrieve(QUESTION).candidates
    found = why_not(base, QUESTION, candidates[-1].document)
    assert (found.where, found.retriever, found.top_k) == ("below top_k", "both", 2)
    assert found.rank > 2 and found.passage is not None
    assert [reach.retriever for reach in found.reach] == ["meaning", "words"]
    assert "both ranked the best passage of" in said(found)


def test_what_a_fusion_below_another_keeps_back(opened: Callable[..., KnowledgeBase]) -> None:
    base = opened(
        meaning=EVERY,
        words=WORDS,
        inner={"type": "fusion", "of": ["meaning"], "top_k": 2},
        outer={"type": "fusion", "of": ["inner", "words"], "top_k": 2},
    )
    named = {hit.document for hit in base.retrieve(QUESTION).candidates}
    lost = next(f"other{number}.md" for number in range(12) if f"other{number}.md" not in named)
    found = why_not(base, QUESTION, lost)
    assert (found.where, found.retriever, found.top_k) == ("below top_k", "inner", 2)
    assert found.rank > 2


@pytest.mark.parametrize(
    ("postprocessor", "fate", "sentence"),
    [
        ({"type": "similarity_cutoff", "cutoff": 0.999}, "below cutoff", "below the cutoff"),
        ({"type": "token_budget", "max_tokens": 1}, "over budget", "token budget"),
        (
            {"type": "evidence", "words": 1, "stands_out": 2, "across_languages": 2},
            "no evidence",
            "sign of an answer",
        ),
    ],
)
def test_what_a_postprocessor_drops(
    opened: Callable[..., KnowledgeBase], postprocessor: dict[str, Any], fate: str, sentence: str
) -> None:
    base = opened(engine={"postprocessors": [postprocessor]}, meaning=VECTOR)
    last = base.retrieve(QUESTION).candidates[-1].document
    found = why_not(base, QUESTION, last)
    assert (found.where, found.fate) == ("dropped", fate)
    assert sentence in said(found)


def test_what_was_cited_and_what_was_not(opened: Callable[..., KnowledgeBase]) -> None:
    base = opened(
        meaning=EVERY, words=WORDS, both={"type": "fusion", "of": ["meaning", "words"], "top_k": 15}
    )
    assert why_not(base, QUESTION, "cafeteria.md").where == "in context"
    answer = base.ask(QUESTION)
    cited = answer.citations[0].document
    found = why_not(base, QUESTION, cited, trace=answer.trace)
    assert (found.where, found.document) == ("cited", cited)
    assert f"The answer cites {cited}" in said(found)
    other = next(each.document for each in answer.trace.candidates if each.fate == "in context")
    assert why_not(base, QUESTION, other, trace=answer.trace).where == "not cited"


def test_an_old_version_answers_while_the_new_one_fails(
    house: House, opened: Callable[..., KnowledgeBase]
) -> None:
    base = opened(meaning=EVERY)
    house.docs.joinpath("badge.md").write_bytes(b"\x00\x01\x02" * 500)
    house.ingest()
    found = why_not(base, QUESTION, "badge.md")
    assert found.where == "in context"
    assert "the one before answers" in said(found)


def test_names_may_be_the_end_of_a_path_or_in_one_loader(
    house: House, opened: Callable[..., KnowledgeBase]
) -> None:
    house.write("deep/down/note.md", "A note on lamps.")
    base = opened()
    assert why_not(base, "lamps", "down/note.md").document == "deep/down/note.md"
    assert why_not(base, "lamps", "deep/down/note.md", loader="files").where != "not in index"
    assert why_not(base, "lamps", "deep/down/note.md", loader="web").where == "not in index"
    assert why_not(base, "lamps", "").where == "not in index"


def test_an_empty_question_and_an_unknown_engine_are_told(opened: Callable[..., KnowledgeBase]) -> None:
    base = opened()
    with pytest.raises(SearchaskError, match="question is empty"):
        why_not(base, " \x00 ", "badge.md")
    with pytest.raises(SearchaskError, match="no query engine"):
        why_not(base, QUESTION, "badge.md", "nobody")

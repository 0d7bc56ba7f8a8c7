"""Beside an answer: each passage once, its quotes lit one by one, and what is copied."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines.page.answers import Chat, Turn, ask
from pipelines.page.evidence import as_markdown, evidence
from pipelines.page.site import Entry
from pipelines.querying.answer import Citation
from tests.support.house import House

QUESTION = "How many days of annual leave do staff get?"
PASSAGE = "One. Two. Three. Four. Five."


def citation(number: int, quote: str, node: str = "n") -> Citation:
    start = PASSAGE.index(quote)
    return Citation(number, "a.md", "files", 3, "A > B", PASSAGE, quote, start, start + len(quote), node)


@pytest.fixture
def chat(tmp_path: Path) -> Chat:
    """A chat with one answered question."""
    house = House(tmp_path)
    house.write("leave.md", "# Leave\n\nStaff get 15 days of annual leave a year.\n")
    house.ingest()
    entry, chat = Entry(house.file), Chat()
    *_, turn = ask(chat, entry, QUESTION, "", "en")
    entry.close()
    assert turn.answer is not None
    return chat


def cites(chat: Chat, *citations: Citation) -> None:
    """Let the answer cite something else."""
    assert chat.turn and chat.turn.answer
    chat.turn.answer = replace(chat.turn.answer, citations=citations)


def joined(card: dict[str, Any]) -> str:
    return "".join(piece["text"] for piece in card["pieces"])


@pytest.mark.parametrize(
    ("quotes", "lit"),
    [
        (["Two."], [("Two.", "1-1")]),
        (["One.", "Five."], [("One.", "1-1"), ("Five.", "1-2")]),
        (["One. Two. Three.", "Two."], [("One. ", "1-1"), ("Two.", "1-1 1-2"), (" Three.", "1-1")]),
        (["Two.", "One. Two. Three."], [("One. ", "1-2"), ("Two.", "1-1 1-2"), (" Three.", "1-2")]),
        (["One. Two.", "Two. Three."], [("One. ", "1-1"), ("Two.", "1-1 1-2"), (" Three.", "1-2")]),
        (["One.", "One. Two."], [("One.", "1-1 1-2"), (" Two.", "1-2")]),
        (["Two.", "Two."], [("Two.", "1-1 1-2")]),
        (
            ["One. Two. Three.", "Two. Three. Four.", "Three."],
            [
                ("One. ", "1-1"),
                ("Two. ", "1-1 1-2"),
                ("Three.", "1-1 1-2 1-3"),
                (" Four.", "1-2"),
            ],
        ),
        ([PASSAGE], [(PASSAGE, "1-1")]),
        (["One. ", "Two."], [("One. ", "1-1"), ("Two.", "1-2")]),
    ],
)
def test_a_passage_and_its_quotes(chat: Chat, quotes: list[str], lit: list[tuple[str, str]]) -> None:
    cites(chat, *(citation(number, quote) for number, quote in enumerate(quotes, 1)))
    (card,) = evidence(chat, "zh")["cited"]
    assert joined(card) == PASSAGE
    assert [(each["text"], each["ids"]) for each in card["pieces"] if each["ids"]] == lit
    assert card["label"] == "".join(f"[{number}]" for number in range(1, len(quotes) + 1))
    assert card["place"] == "第 3 页 · A > B"


def test_each_passage_has_one_card(chat: Chat) -> None:
    cites(chat, citation(1, "One."), citation(2, "Two.", "m"), citation(3, "Three."))
    assert [card["label"] for card in evidence(chat, "en")["cited"]] == ["[1][3]", "[2]"]


def test_every_quote_that_offsets_place_is_placed_exactly(chat: Chat) -> None:
    """Without offsets the first place with the words is taken, and all of a passage that does not hold them."""
    for start, quote, expected in (
        (None, "Two.", "Two."),
        (None, "Nowhere", PASSAGE),
        (10**6, "Two.", "Two."),
    ):
        moved = replace(citation(1, "Two."), quote=quote, start=start, end=start and start + 4)
        cites(chat, moved)
        (card,) = evidence(chat, "en")["cited"]
        assert [each["text"] for each in card["pieces"] if each["ids"]] == [expected]
        assert joined(card) == PASSAGE


def test_copied_with_its_sources(chat: Chat) -> None:
    turn = chat.turn
    copied = as_markdown(turn, "en")
    assert copied.startswith(f"**{QUESTION}**\n\n")
    assert "Sources:\n\n1. leave.md · Leave: “Staff get 15 days of annual leave a year.”" in copied
    assert "来源:" in as_markdown(turn, "zh")
    assert as_markdown(None, "en") == ""
    assert as_markdown(Turn(1, "a", "b", "c"), "en") == ""

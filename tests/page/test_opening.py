"""From a card of the source panel to its document."""

from __future__ import annotations

import base64
import shutil
from pathlib import Path

import pytest

from pipelines.errors import SearchaskError
from pipelines.page.answers import Chat, Turn, ask
from pipelines.page.evidence import evidence
from pipelines.page.opening import opened, place_of
from pipelines.page.site import Entry
from tests.support.files import pdf
from tests.support.house import House

QUESTION = "When does the cafeteria open?"


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = House(tmp_path)
    house.fill(3)
    (house.docs / "book.pdf").write_bytes(pdf([["# Rules"], ["The zebra rests on Tuesday."]]))
    house.ingest()
    return house


def asked(entry: Entry, question: str = QUESTION) -> tuple[Chat, Turn]:
    chat = Chat()
    *_, turn = ask(chat, entry, question, "", "en")
    return chat, turn


def test_each_card_opens_its_document_at_its_words(house: House) -> None:
    entry = Entry(house.file)
    chat, turn = asked(entry)
    shown = evidence(chat, "en")
    assert shown["cited"]
    assert shown["read"]
    for card in shown["cited"] + shown["read"]:
        place = place_of(turn, card["id"])
        assert place is not None
        view = opened(entry, place, "en")
        assert view["document"] == card["document"]
        passage = view["passage_before"] + view["quote"] + view["passage_after"]
        assert passage == "".join(piece["text"] for piece in card["pieces"])
        if card["document"] != "book.pdf":
            whole = view["pre"] + passage + view["post"]
            assert whole == (house.docs / card["document"]).read_text(encoding="utf-8")
        if card["cited"]:
            assert view["quote"] in [piece["text"] for piece in card["pieces"]]
    entry.close()


def test_a_page_of_a_pdf_comes_as_a_picture(house: House) -> None:
    entry = Entry(house.file)
    _, turn = asked(entry, "zebra rests Tuesday")
    assert turn.trace is not None
    found = next(each for each in turn.trace.candidates if each.document == "book.pdf")
    place = place_of(turn, f"1-r{found.rank}")
    assert place is not None
    view = opened(entry, place, "zh")
    assert (view["place"].split(" · ")[0], view["notice"], view["close"]) == ("第 1 页", "", "关闭")
    assert base64.b64decode(view["picture"].removeprefix("data:image/png;base64,")).startswith(b"\x89PNG")
    (house.docs / "book.pdf").unlink()
    view = opened(entry, place, "en")
    assert view["picture"] == ""
    assert "gone" in view["notice"]
    entry.close()


@pytest.mark.parametrize(
    "card", ["", "1", "1-", "1-99", "1-r99", "2-1", "-1", "1-1-1", "r1", "1-R1", "<b>", "1-x"]
)
def test_another_id_opens_nothing(house: House, card: str) -> None:
    _, turn = asked(Entry(house.file))
    assert place_of(turn, card) is None
    assert place_of(Turn(1, "config", "", "q"), "1-1") is None


def test_the_same_twice_is_shown_twice(house: House) -> None:
    entry = Entry(house.file)
    _, turn = asked(entry)
    place = place_of(turn, "1-1")
    assert place is not None
    assert opened(entry, place, "en")["open"] != opened(entry, place, "en")["open"]


def test_a_storage_that_is_gone(house: House) -> None:
    entry = Entry(house.file)
    _, turn = asked(entry)
    place = place_of(turn, "1-1")
    assert place is not None
    shutil.rmtree(house.config.storage)
    with pytest.raises(SearchaskError, match="Nothing is ingested any more"):
        opened(entry, place, "en")

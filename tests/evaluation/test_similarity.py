"""`searchask similarity`: the order that meaning asks for, what it costs, and what can be wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli import refused, searchask
from tests.support.house import House
from tests.support.openai_server import OpenAIServer

OLYMPICS, ASIAN_GAMES, SUBWAY = "奥运会", "亚运会", "北京地铁"


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_the_local_model_puts_the_well_known_pairs_in_the_order_of_ada_002(house: House) -> None:
    house.edit(embed_model={"type": "local"})
    said = searchask("similarity", house.file, "--json", OLYMPICS, ASIAN_GAMES, SUBWAY)
    assert (said.code, said.err) == (0, "")
    found = said.json
    assert found["texts"] == [OLYMPICS, ASIAN_GAMES, SUBWAY] and found["dimension"] == 384
    assert found["tokens"] == [4, 4, 4] and found["cost"] == 0
    (_, games, far), (_, _, other), _ = found["cosines"]
    # text-embedding-ada-002: 0.9023, 0.7898, 0.7767
    assert games > far > other
    assert games - far > 0.03


def test_a_table_with_what_is_closest(house: House) -> None:
    said = searchask("similarity", house.file, "same", " same ", "another")
    head, first, *_, closest, about = said.out.splitlines()
    assert head.split() == ["text", "tokens", "1", "2", "3"]
    assert first.split()[:5] == ["1", "same", "1", "1.0000", "1.0000"]
    assert closest == "closest: same · same: 1.0000"
    assert about == "fake, 384 dimensions, 3 tokens, cost: free"


def test_texts_of_a_file_and_words_behind_options(house: House, tmp_path: Path) -> None:
    file = tmp_path / "texts.txt"
    file.write_text("\ufeffone\n\n  two words \n", encoding="utf-8")
    said = searchask("similarity", house.file, "zero", "--file", file, "--json", "last", "one")
    assert said.json["texts"] == ["zero", "last", "one", "one", "two words"]
    cosines = said.json["cosines"]
    assert cosines == [list(column) for column in zip(*cosines, strict=True)]
    assert [cosines[place][place] for place in range(5)] == [1.0] * 5 and cosines[2][3] == 1.0
    many = tmp_path / "many.txt"
    many.write_text("\n".join(map(str, range(20))), encoding="utf-8")
    assert "20 texts; --json prints all cosines" in searchask("similarity", house.file, "--file", many).out


def test_cost_by_the_price_of_the_config(house: House, openai_server: OpenAIServer) -> None:
    model = {"type": "openai_like", "model": "m", "base_url": openai_server.url, "api_key": "sk-secret-000"}
    house.edit(embed_model={**model, "price": 2.0})
    said = searchask("similarity", house.file, "one", "two words", "--json")
    assert said.json["tokens"] == [1, 2] and said.json["cost"] == 6e-6
    assert "cost: 0.00000600" in searchask("similarity", house.file, "one", "two words").out
    house.edit(embed_model=model)
    assert "no price is set" in searchask("similarity", house.file, "one", "two").out
    openai_server.reset(broken_from=1)
    house.edit(embed_model={**model, "retries": 0})
    failed = searchask("similarity", house.file, "one", "two")
    refused(failed, "the endpoint answered 500")
    assert "sk-secret" not in failed.text


def test_wrong_input_is_a_sentence(house: House, tmp_path: Path) -> None:
    refused(searchask("similarity", house.file), "compare what?")
    refused(searchask("similarity", house.file, "alone", "  "), "compare what?")
    refused(searchask("similarity", house.file, "--file", tmp_path / "none.txt"), "none.txt", "can't be read")
    refused(searchask("similarity", house.file, *["x"] * 201), "at most 200")
    refused(searchask("similarity", house.file, "a", "b", "--nonsense"), "unrecognized arguments")

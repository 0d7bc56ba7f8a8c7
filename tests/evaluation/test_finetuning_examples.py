"""Examples: their tokens, their split by document, and files that an endpoint would refuse."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
import tiktoken

from pipelines.components.responses import Message
from pipelines.errors import SearchaskError
from pipelines.evaluation.finetuning.examples import Example, count, plain, read_examples, split_by_document
from pipelines.text.tokens import encoding, encoding_name

MESSAGES = (
    Message(role="system", content="You are brief."),
    Message(role="user", content="年假有几天？ How many? <|endoftext|>"),
    Message(role="assistant", content="十天。"),
)


def example(number: int, *documents: str) -> Example:
    return Example(f"q{number}", "en", documents, "engine", MESSAGES, 1)


def row(*messages: object) -> str:
    return json.dumps({"messages": messages or MESSAGES}, ensure_ascii=False)


def test_tokens_are_counted_as_the_cookbook_does() -> None:
    for model, name in (("gpt-4o-mini-2024-07-18", "o200k_base"), ("gpt-3.5-turbo-0125", "cl100k_base")):
        table: tiktoken.Encoding = encoding(encoding_name(model))
        assert table.name == name
        wanted = 3
        for message in MESSAGES:
            wanted += 3 + len(table.encode(message["role"]))
            wanted += len(table.encode(message["content"], disallowed_special=()))
        assert count(MESSAGES, name) == wanted
    assert encoding_name("ft:gpt-4o-mini:acme::abc") == "o200k_base"
    assert encoding_name("qwen3-8b") == encoding_name("") == "cl100k_base"
    assert count(MESSAGES, "o200k_base") < count(MESSAGES, "cl100k_base")  # it holds more Chinese words


def test_questions_that_are_the_same_but_for_their_dress() -> None:
    assert plain("What is R123-78?") == plain("  what is Ｒ123 78 ")
    assert plain("年假有几天？") == plain("年假 有几天?") != plain("年假有十天？")
    assert plain("???") == "???"


@pytest.mark.parametrize("seed", range(20))
def test_no_document_is_on_both_sides_of_a_split(seed: int) -> None:
    chance = random.Random(seed)
    names = [f"d{number}" for number in range(60)]
    examples = [example(number, *chance.sample(names, chance.choice((1, 1, 1, 2)))) for number in range(80)]
    share = chance.choice((0.1, 0.2, 0.4))
    train, validation = split_by_document(examples, share)
    assert not {name for each in train for name in each.documents} & {
        name for each in validation for name in each.documents
    }
    assert sorted(each.question for each in (*train, *validation)) == sorted(
        each.question for each in examples
    )
    assert 0 < len(validation) <= max(1, round(80 * share))
    chance.shuffle(examples)
    again = split_by_document(examples, share)
    assert {each.question for each in again[1]} == {each.question for each in validation}


def test_splits_at_the_edges() -> None:
    chained = [example(number, f"d{number}", f"d{number + 1}") for number in range(10)]
    assert split_by_document(chained, 0.1) == (tuple(chained), ())
    pairs = [example(number, f"d{number // 4}") for number in range(12)]
    train, validation = split_by_document(pairs, 0.1)  # no group is as small as one example
    assert (len(train), len(validation)) == (8, 4)
    assert split_by_document(pairs, 0) == (tuple(pairs), ())
    free = [example(number) for number in range(10)]
    assert len(split_by_document(free, 0.2)[1]) == 2
    assert split_by_document([], 0.1) == ((), ())


def test_a_file_is_read_as_it_will_be_sent(tmp_path: Path) -> None:
    file = tmp_path / "train.jsonl"
    file.write_text((row() + "\n") * 10 + "\n", encoding="utf-8")
    found = read_examples(str(file), "o200k_base", 10)
    assert (found.examples, found.tokens) == (10, 10 * count(MESSAGES, "o200k_base"))
    assert found.content == file.read_bytes()
    with pytest.raises(SearchaskError, match="10 examples; at least 11 are needed"):
        read_examples(str(file), "o200k_base", 11)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "is no JSON"),
        ("[1]", 'must hold "messages"'),
        ('{"messages": []}', 'must hold "messages"'),
        ('{"prompt": "a", "completion": "b"}', 'must hold "messages"'),
        (row("hello"), "must have a role and a text"),
        (row({"role": "robot", "content": "x"}), "must have a role and a text"),
        (row({"role": "assistant", "content": 3}), "must have a role and a text"),
        (row({"role": "user", "content": "x"}), "the last message must be what the assistant"),
        (row({"role": "assistant", "content": " "}), "the last message must be what the assistant"),
        ("[" * 100_000, "is no JSON"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, said: str) -> None:
    file = tmp_path / "train.jsonl"
    file.write_text(f"{row()}\n{line}\n", encoding="utf-8")
    with pytest.raises(SearchaskError, match=rf"train\.jsonl:2: .*{said}"):
        read_examples(str(file), "cl100k_base")


def test_files_that_are_none(tmp_path: Path) -> None:
    for content in (None, b"\xff\xfe\x00"):
        file = tmp_path / "train.jsonl"
        if content is not None:
            file.write_bytes(content)
        with pytest.raises(SearchaskError, match="can't be read as UTF-8"):
            read_examples(str(file), "cl100k_base")

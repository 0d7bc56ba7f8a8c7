from __future__ import annotations

import random
from itertools import pairwise

import pytest

from pipelines.text.packing import Chunk, pack
from pipelines.text.sentences import sentence_spans
from pipelines.text.tokens import count_tokens
from tests.text import DATA, SNIPPETS

DOCUMENTS = {path.name: path.read_text("utf-8") for path in sorted(DATA.iterdir())}


def check(text: str, spans: list[Chunk], size: int) -> None:
    done = 0
    for start, end, tokens in spans:
        chunk = text[start:end]
        assert tokens in (None, count_tokens(chunk))
        assert chunk == chunk.strip() != ""
        assert count_tokens(chunk) <= size or len(chunk) == 1
        assert not text[done:start].strip(), "text between two chunks is lost"
        assert end > done
        done = end
    assert not text[done:].strip()


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize(("size", "overlap"), [(512, 64), (256, 32), (64, 16), (64, 63), (16, 0)])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_chunks_cover_the_text_within_the_size(name: str, size: int, overlap: int, newline: str) -> None:
    text = DOCUMENTS[name].replace("\n", newline)
    check(text, pack(text, size, overlap, markdown=name.endswith(".md")), size)


def test_any_text_at_all() -> None:
    chance = random.Random(3)
    for _ in range(1500):
        text = "".join(chance.choices(SNIPPETS, k=chance.randint(0, 60)))
        size = chance.randint(1, 40)
        check(text, pack(text, size, chance.randint(0, size - 1), markdown=chance.random() < 0.5), size)


@pytest.mark.parametrize("name", ["river.txt", "tea.txt"])
def test_chunks_are_whole_sentences_and_neighbours_overlap(name: str) -> None:
    text = DOCUMENTS[name]
    spans = pack(text, 128, 32)
    ends = {len(text[:end].rstrip()) for _, end in sentence_spans(text)}
    assert all(end in ends for _, end, _ in spans)
    assert len(spans) > 3
    pairs = list(pairwise(spans))
    overlapping = [(before, after) for before, after in pairs if after[0] < before[1]]
    assert len(overlapping) >= 0.7 * len(pairs)
    assert all(count_tokens(text[after[0] : before[1]]) <= 32 for before, after in overlapping)


def test_a_sentence_too_long_is_cut_at_clauses_and_then_anywhere() -> None:
    clauses = "，".join(["买茶的人先看再闻最后才喝一句话也不说"] * 30)
    spans = pack(clauses, 64, 0)
    assert all(clauses[end - 1] == "，" for _, end, _ in spans[:-1])
    solid = "".join(chr(0x4E00 + place * 7) for place in range(900))
    check(solid, pack(solid, 64, 16), 64)
    words = " ".join(f"word{place}" for place in range(600))
    spans = pack(words, 64, 0)
    check(words, spans, 64)
    assert all(words[end] == " " for _, end, _ in spans[:-1])


def test_a_heading_begins_a_chunk_and_never_ends_one() -> None:
    paragraph = "The ferry stopped in nineteen sixty-two, and nobody asked why. " * 3
    text = "\n\n".join(f"## Part {number}\n\n{paragraph}" for number in range(40))
    for size in (64, 80, 96, 120):
        for start, end, _ in pack(text, size, 16, markdown=True):
            assert not text[start:end].splitlines()[-1].startswith("#")
    spans = pack(text, 96, 16, markdown=True)
    assert sum(text[start:end].startswith("## ") for start, end, _ in spans) > len(spans) / 2


def test_a_comment_in_a_code_fence_is_no_heading() -> None:
    text = "```sh\n" + "echo one two three four five six\n# comment\n" * 12 + "```\n"
    assert pack(text, 64, 0, markdown=True) == pack(text, 64, 0)


def test_an_edit_shifts_no_border_beyond_the_next_sections() -> None:
    paragraph = "Sheep graze there in spring. In autumn the meadows are under water for many weeks. "
    text = "\n\n".join(f"## Part {number}\n\n{paragraph * (2 + number % 5)}" for number in range(60))
    edited = text.replace("Sheep", "A great many long-haired sheep and goats", 1)
    before = {text[start:end] for start, end, _ in pack(text, 128, 16, markdown=True)}
    after = {edited[start:end] for start, end, _ in pack(edited, 128, 16, markdown=True)}
    assert len(after - before) <= 3


def test_nothing_in_nothing_out() -> None:
    assert (
        pack("", 256, 32) == pack(" \n\t \n", 256, 32) == pack("\n# \n\n", 256, 32, markdown=True)[1:] == []
    )


def test_no_text_takes_long() -> None:
    for unit in ("a", "字", " ", "\n", "、", "word ", "- item\n", "| a | b |\n"):
        text = unit * (60_000 // len(unit))
        check(text, pack(text, 256, 32, markdown=True), 256)

"""YAML with places: what is read, what is refused, and where."""

from __future__ import annotations

import math
from typing import Any

import pytest

from pipelines.marked_yaml import MAX_BYTES, dotted, parse


def plain(text: str) -> Any:
    root, problems = parse(text.encode(), "f.yaml")
    assert problems == []
    return root and root.plain()


def problems(content: str | bytes) -> list[str]:
    content = content if isinstance(content, bytes) else content.encode()
    return [str(problem) for problem in parse(content, "f")[1]]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-12", -12),
        ("007", 7),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        (".inf", math.inf),
        ("on", "on"),
        ("yes", "yes"),
        ("No", "No"),
        ("1_000", "1_000"),
        ("2024-01-31", "2024-01-31"),
        ("12:30:00", "12:30:00"),
        ("1.2.3", "1.2.3"),
        ("0x1F", "0x1F"),
        ("'1'", "1"),
        ('"true"', "true"),
        ("!", ""),
        ("年假", "年假"),
        ("=", "="),
    ],
)
def test_scalars(text: str, value: Any) -> None:
    assert plain(f"key: {text}\n") == {"key": value}


def test_keys_are_text() -> None:
    assert plain("1: a\ntrue: b\nnull: c\n? d\n: e\n") == {"1": "a", "true": "b", "null": "c", "d": "e"}


def test_places_of_keys_and_values() -> None:
    root, _ = parse("一: 值\nlist:\n  - a\n  - {k: [1, 2]}\nblock: |\n  text\n".encode(), "f")
    assert root
    places = {
        dotted(path): (node.line, node.column, node.key_line, node.key_column) for path, node in root.walk()
    }
    assert places == {
        "": (1, 1, 0, 0),
        "一": (1, 4, 1, 1),
        "list": (3, 3, 2, 1),
        "list[0]": (3, 5, 0, 0),
        "list[1]": (4, 5, 0, 0),
        "list[1].k": (4, 9, 4, 6),
        "list[1].k[0]": (4, 10, 0, 0),
        "list[1].k[1]": (4, 13, 0, 0),
        "block": (5, 8, 5, 1),
    }
    assert root.at(("list", 1, "k", 1)).value == 2  # type: ignore[union-attr]
    assert root.at(("list", 7)) is None
    assert root.at(("list", "k", "x")) is None


def test_anchors_keep_the_place_of_their_use() -> None:
    root, found = parse(b"a: &x {k: 1}\nb: *x\n", "f")
    assert found == []
    assert root
    assert root.plain() == {"a": {"k": 1}, "b": {"k": 1}}
    assert (root.at(("b",)).line, root.at(("b", "k")).line) == (2, 1)  # type: ignore[union-attr]


def test_every_duplicate_is_reported() -> None:
    assert problems("a: 1\nb: {c: 1, c: 2}\na: 2\na: 3\n") == [
        "f:2:11: b.c: written twice (first in line 2): remove one",
        "f:3:1: a: written twice (first in line 1): remove one",
        "f:4:1: a: written twice (first in line 1): remove one",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a:\n\tb: 1\n", "f:2:1: a tab where only spaces may stand"),
        ("a: b: c\n", "f:1:5: a ':' where none can stand: quote it, or check the indentation"),
        ("a:\n  b: 1\n c: 2\n", "f:3:2: the indentation does not fit the lines above"),
        ("a: [1, 2\nb: 1\n", "f:1:4: a ',' or the closing ']' is missing after this"),
        ("{a: ${X}}\n", 'f:1:6: the value needs quotes: "${NAME}"'),
        ("a: 'x\n", "f:1:4: the closing quote is missing"),
        ("a: [1\n", "f:1:4: a ',' or the closing ']' is missing after this"),
        ("a: [\n", "f:2:1: the file ends where a value is needed"),
        ("a: 1\nb\nc: 1\n", "f:2:1: no ':' after this key"),
        ("a: @x\n", "f:1:4: a character that needs quotes around the value"),
        ("a: \x01\n", "f:1:4: a control character that YAML does not allow"),
        ("a: *b\n", "f:1:4: a: '*b' has no '&b' before it (quote text that starts with '*')"),
        ("a: &a [*a]\n", "f:1:8: a[0]: '*a' stands inside what '&a' names"),
        (
            "a: !!python/object/apply:os.system [x]\n",
            "f:1:4: a: tags such as '!name' are refused: write the plain value",
        ),
        ("a: !!str 1\n", "f:1:4: a: tags such as '!name' are refused: write the plain value"),
        ("a: 1\n---\nb: 2\n", "f:2:1: only one document is allowed in a file: remove the '---'"),
        ("[a]: 1\n", "f:1:1: a key must be text; quote a value that starts with '{' or '['"),
        ('a: "\\ud800"\n', "f:1:4: a: half of a surrogate pair is no character: write the character itself"),
        (
            "a: &a {b: 1}\nc:\n  <<: *a\n",
            "f:3:3: c.<<: merge keys are refused: repeat the values, or put them in a file that both extend",
        ),
    ],
)
def test_refused(text: str, expected: str) -> None:
    assert problems(text) == [expected]


def test_not_utf8_says_where() -> None:
    assert problems("a: b\n键: 值\n".encode("gbk")) == ["f:2:1: the file is not UTF-8: save it as UTF-8"]
    assert problems("键: 值\n".encode() + b"ab\xff") == ["f:2:3: the file is not UTF-8: save it as UTF-8"]


def test_a_byte_order_mark_is_no_part_of_the_first_key() -> None:
    root, found = parse("键: 1\r\n二: 2\r\n".encode("utf-8-sig"), "f")
    assert found == []
    assert root
    assert root.plain() == {"键": 1, "二": 2}


def test_too_large() -> None:
    assert problems(b"#" * (MAX_BYTES + 1)) == ["f:1:1: too large for a config: more than 1,000,000 bytes"]


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n"])
def test_empty(text: str) -> None:
    assert plain(text) is None


def test_aliases_that_unfold_to_too_much() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    assert problems("\n".join(lines)) == [
        "f:5:45: a4[7]: more than 100,000 values (aliases count by what they stand for)"
    ]


@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 50_000, "- " * 5_000])
def test_nested_too_deep(text: str) -> None:
    (found,) = problems(text)
    assert found.endswith("nested deeper than 60 levels")


def test_aliases_nested_too_deep() -> None:
    lines = ["a0: &a0 [x]"] + [f"a{i}: &a{i} [*a{i - 1}]" for i in range(1, 100)]
    (found,) = problems("\n".join(lines))
    assert found.endswith("nested deeper than 60 levels")


def test_a_value_is_not_in_the_repr() -> None:
    root, _ = parse(b"key: hunter2", "f")
    assert "hunter2" not in repr(root)


def test_keys_are_shown_without_control_characters() -> None:
    assert dotted(("a\nb", 0, "键")) == "a\\x0ab[0].键"

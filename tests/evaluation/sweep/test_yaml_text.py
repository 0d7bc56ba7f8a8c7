"""Values as YAML, and values replaced in a text."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.evaluation.sweep.yaml_text import block, flow, replaced
from pipelines.marked_yaml import parse

VALUES: list[Any] = [
    *(
        "plain",
        "two words",
        "yes",
        "off",
        "012",
        "1e3",
        "1_000",
        "2024-01-01",
        "null",
        "~",
        "",
        " x ",
        "a: b",
        "#c",
        "年假",
    ),
    *("*a", "- a", "{a}", "a, b", "${VAR}", "line\nbreak", 'quo"te', "\u2028", "=", "<<"),
    *(1, -2, 0.5, 1e-05, 1e300, float("inf"), True, False, None, [], {}),
    [1, "a", [None]],
    {"type": "evidence", "a b": [1], "yes": {"no": "x: y"}},
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_what_is_written_is_read_again_as_it_was(value: Any) -> None:
    for text in (f"key: {flow(value)}\n", block({"key": value}), block({"map": {"key": value}})):
        tree, problems = parse(text.encode(), "x")
        assert tree is not None and not problems
        assert tree.plain() in ({"key": value}, {"map": {"key": value}})


TEXT = """\
# head
a: 1   # one
b:
  c: "x"  # quoted
  d:   # list
    - 1
    - type: t   # kind
      k: 2
    # behind
e: |
  long
  text

# tail
f: {g: [1, 2], h: 3} # flow
"""


@pytest.mark.parametrize(
    ("path", "value", "old", "new"),
    [
        (("a",), 22, "a: 1 ", "a: 22 "),
        (("b", "c"), "y z", '"x"', "y z"),
        (("b", "d", 0), 5, "- 1\n", "- 5\n"),
        (("b", "d", 1), {"type": "u"}, "- type: t   # kind\n      k: 2\n", "- type: u\n"),
        (("b", "d", 1), {"type": "u", "l": 3}, "type: t   # kind\n      k: 2\n", "type: u\n      l: 3\n"),
        (("b", "d", 1, "k"), 9, "k: 2", "k: 9"),
        (("e",), "short", "|\n  long\n  text\n", "short\n"),
        (("f", "g"), [], "[1, 2]", "[]"),
        (("b", "d"), [1], "- 1\n    - type: t   # kind\n      k: 2\n", "- 1\n"),
    ],
)
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_one_value_is_replaced_and_all_else_stays(
    path: tuple[str | int, ...], value: Any, old: str, new: str, ends: str
) -> None:
    text = TEXT.replace("\n", ends)
    edited = replaced(text, {path: value})
    assert edited is not None and edited.replace("\r\n", "\n") == TEXT.replace(old, new, 1)
    tree, problems = parse(edited.encode(), "x")
    assert tree is not None and not problems
    node = tree.at(path)
    assert node is not None and node.plain() == value


def test_several_values_at_once_and_none_that_is_not_written() -> None:
    edited = replaced(TEXT, {("f", "h"): 4, ("a",): 2})
    assert edited == TEXT.replace("h: 3", "h: 4").replace("a: 1", "a: 2")
    assert replaced(TEXT, {("a",): 2, ("z",): 1}) is None
    assert replaced(TEXT, {("b", "d", 7): 1}) is None

"""Every verb of the command line leads to a function."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import pytest

from pipelines.cli import parser
from pipelines.cli.verbs import command


def verbs(of: argparse.ArgumentParser, words: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """All verbs that do something, with their words."""
    steps = [action for action in of._actions if isinstance(action, argparse._SubParsersAction)]
    if not steps:
        yield words, of
    for action in steps:
        for name, each in action.choices.items():
            yield from verbs(each, f"{words} {name}".strip())


VERBS = dict(verbs(parser()))


@pytest.mark.parametrize("words", VERBS)
def test_a_verb_is_a_function_that_says_what_it_does(words: str) -> None:
    found = command(VERBS[words].get_default("run"))
    assert callable(found) and found.__doc__


def test_the_verbs() -> None:
    assert {words.split()[0] for words in VERBS} >= {
        "check",
        "ingest",
        "ask",
        "eval",
        "compare",
        "sweep",
        "ui",
    }

"""Texts in two languages, and which of them a browser gets."""

from __future__ import annotations

import importlib
import pkgutil
import string

import pytest

import pipelines.page
from pipelines.page.words import Language, Table, Words, language_of_browser


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("zh", "zh"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("zh-Hant-TW", "zh"),
        ("ZH-hk", "zh"),
        ("en-US,en;q=0.9,zh;q=0.8", "en"),
        ("fr-FR,fr;q=0.9,zh;q=0.8,en;q=0.7", "zh"),
        ("de,fr", "en"),
        ("*", "en"),
        (" , ;q=1,,zh", "zh"),
        ("x" * 100_000, "en"),
    ],
)
def test_the_browser_says_which(header: str, language: Language) -> None:
    assert language_of_browser(header) == language


def test_values() -> None:
    words = Words("{name} has {count:,}", "{name}有{count:,}个")
    assert words.of("en", name="a{b}", count=1234) == "a{b} has 1,234"
    assert words.of("zh", name="a", count=1) == "a有1个"


def test_a_table() -> None:
    assert Table(["a"], [["1"]]).to_dict() == {"headers": ["a"], "data": [["1"]]}


def all_words() -> list[tuple[str, Words]]:
    """Each text that a module of the page holds."""
    found = []
    for module in pkgutil.iter_modules(pipelines.page.__path__, "pipelines.page."):
        if module.ispkg:
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            values = (
                value.values()
                if isinstance(value, dict)
                else value
                if isinstance(value, list | tuple)
                else [value]
            )
            found += [(f"{module.name}.{name}", each) for each in values if isinstance(each, Words)]
    return found


@pytest.mark.parametrize(("name", "words"), all_words())
def test_both_languages_say_the_same(name: str, words: Words) -> None:
    """Both have the same values, and the Chinese one is Chinese wherever there is a word to say."""
    english, chinese = (sorted(values(text)) for text in (words.en, words.zh))
    assert set(chinese) <= set(english), name
    assert bool(words.en) == bool(words.zh), name


def values(text: str) -> set[str]:
    return {field for _, field, _, _ in string.Formatter().parse(text) if field}

"""Texts in two languages, and which of them a browser gets."""

from __future__ import annotations

import importlib
import pkgutil
import string
from collections.abc import Iterable
from pathlib import Path

import pytest

import pipelines
from pipelines.words import Language, Words, language_of_browser


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


def all_words() -> list[tuple[str, Words]]:
    """Each text that a module holds, or a class in it."""
    found = []
    for module in pkgutil.walk_packages(pipelines.__path__, "pipelines."):
        file = Path(pipelines.__path__[0]).parent / (module.name.replace(".", "/") + ".py")
        if module.ispkg or ".tabs." in module.name:  # those need Gradio
            continue
        if "pipelines.words import" not in file.read_text(encoding="utf-8"):
            continue
        held = vars(importlib.import_module(module.name))
        classes = [value for value in held.values() if isinstance(value, type)]
        for place in (held, *map(vars, classes)):
            for name, value in place.items():
                found += [(f"{module.name}.{name}", each) for each in _each(value) if isinstance(each, Words)]
    return found


def _each(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list | tuple) else [value]


@pytest.mark.parametrize(("name", "words"), all_words())
def test_both_languages_say_the_same(name: str, words: Words) -> None:
    """Both have the same values, and the Chinese one is Chinese wherever there is a word to say."""
    english, chinese = (sorted(values(text)) for text in (words.en, words.zh))
    assert set(chinese) <= set(english), name
    assert bool(words.en) == bool(words.zh), name


def values(text: str) -> set[str]:
    return {field for _, field, _, _ in string.Formatter().parse(text) if field}

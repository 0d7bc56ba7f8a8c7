"""Texts that a person reads, in both languages, written side by side where they are used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "zh"]


@dataclass(frozen=True, slots=True)
class Words:
    """One text in English and in Chinese; `{name}` stands for a value."""

    en: str
    zh: str

    def of(self, language: str, **values: object) -> str:
        """The text in Chinese for `zh`, else in English, with its values."""
        return (self.zh if language == "zh" else self.en).format(**values)


def language_of_browser(accept_language: str) -> Language:
    """The page's language for an Accept-Language header: the first of the two that it names, else English."""
    for part in accept_language.lower().split(","):
        name = part.split(";")[0].strip()
        if name.startswith(("zh", "en")):
            return "zh" if name.startswith("zh") else "en"
    return "en"

"""Which of the two languages a text is in."""

from __future__ import annotations

import re

from pipelines.words import Language

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_NOT_CHINESE = re.compile(r"[\u3040-\u30ff\uac00-\ud7af]")
_WORD = re.compile(r"[^\W\d_\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")
_ENOUGH = 4_000


def language_of(text: str) -> Language:
    """Chinese where Han characters weigh at least as much as words of letters, else English.

    A Chinese word is about 1.6 characters; a Chinese question about `Kubernetes` is still Chinese.
    """
    sample = text[:_ENOUGH]
    return "zh" if len(_HAN.findall(sample)) / 1.6 >= max(1, len(_WORD.findall(sample))) / 2 else "en"


def answered_in(question: str) -> Language:
    """The language of prompts and refusals for a question: Chinese for Chinese, English for all others.

    Japanese and Korean have Han characters as well.
    """
    return "en" if _NOT_CHINESE.search(question[:_ENOUGH]) else language_of(question)

"""`policy`: what happens when the documents hold no answer."""

from __future__ import annotations

from typing import Literal

from pipelines.spec import Spec


class Refusal(Spec):
    """What is said instead of an answer, by the language of the question."""

    zh: str = "你的文档里没有找到这个问题的答案。"
    """For questions in Chinese."""
    en: str = "Your documents don't hold an answer to this question."
    """For questions in any other language."""


class StrictPolicy(Spec):
    """Answer from the documents or say that they hold no answer; a refusal shows no sources."""

    type: Literal["strict"]
    refusal: Refusal = Refusal()
    """The text of a refusal, in each language."""

    def refusal_in(self, language: str) -> str:
        """The refusal for a question in `language` (`zh`, `en`, …)."""
        return self.refusal.zh if language == "zh" else self.refusal.en


Policy = StrictPolicy

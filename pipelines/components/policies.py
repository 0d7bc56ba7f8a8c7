"""`policy`: what happens when the documents hold no answer."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from pipelines.spec import Spec


class Refusal(Spec):
    """What is said instead of an answer, by the language of the question."""

    zh: str = "你的文档里没有找到这个问题的答案。"
    """For questions in Chinese."""
    en: str = "Your documents don't hold an answer to this question."
    """For questions in any other language."""


class Label(Spec):
    """What stands with an answer that is not from the documents, by the language of the question."""

    zh: str = "文档中没有答案；以下内容来自模型自身的知识，没有出处。"
    """For questions in Chinese."""
    en: str = "Not in your documents; this is the model's own knowledge, without sources."
    """For questions in any other language."""


class StrictPolicy(Spec):
    """Answer from the documents or say that they hold no answer; a refusal shows no sources."""

    type: Literal["strict"]
    refusal: Refusal = Refusal()
    """The text of a refusal, in each language."""

    needs_llm: ClassVar[bool] = False
    own_knowledge: ClassVar[bool] = False
    """Whether the LLM answers by itself where the documents hold nothing."""
    open: ClassVar[bool] = False
    """Whether it may add what it knows to what passages say."""

    def refusal_in(self, language: str) -> str:
        """The refusal for a question in `language` (`zh`, `en`, …)."""
        return self.refusal.zh if language == "zh" else self.refusal.en


class Labelled(Spec):
    """A policy under which the LLM answers by itself where the documents hold nothing."""

    label: Label = Label()
    """What such an answer is labelled with, in each language."""

    needs_llm: ClassVar[bool] = True
    own_knowledge: ClassVar[bool] = True

    def label_in(self, language: str) -> str:
        """The label for a question in `language`."""
        return self.label.zh if language == "zh" else self.label.en


class FallbackPolicy(Labelled):
    """Answer from the documents or, where they hold no answer, from what the LLM knows, under a label."""

    type: Literal["fallback"]

    open: ClassVar[bool] = False


class OpenPolicy(Labelled):
    """Let the LLM add what it knows to what the documents say; what they do not support is marked.

    Where no passage is found, it answers from what it knows, under a label.
    """

    type: Literal["open"]

    open: ClassVar[bool] = True


Policy = Annotated[StrictPolicy | FallbackPolicy | OpenPolicy, Field(discriminator="type")]

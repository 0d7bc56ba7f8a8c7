"""`moderation`: what is not to be asked, answered or taken in."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, NonNegativeInt, PositiveFloat, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from pipelines.spec import Spec

Checked = Literal["question", "answer", "document"]


class ModerationEndpoint(Spec):
    """An endpoint that speaks OpenAI's moderation protocol."""

    model: str = "omni-moderation-latest"
    """Name of the model."""
    base_url: str | None = None
    """Address of the endpoint, mostly ending in /v1; OpenAI's own where unset."""
    api_key: SecretStr | None = None
    """The key; without `base_url` the variable OPENAI_API_KEY where unset, which is never sent elsewhere."""
    categories: list[str] = Field(default_factory=list)
    """Categories that count, as the endpoint calls them; left out: whatever it flags."""
    timeout: PositiveFloat = 10.0
    """Seconds to wait for a verdict."""
    retries: NonNegativeInt = 1
    """Tries after the first, for overload, server errors and lost connections."""

    operational: ClassVar[frozenset[str]] = frozenset({"base_url", "api_key", "timeout", "retries"})


class Said(Spec):
    """A text in both languages."""

    zh: str
    """For questions in Chinese."""
    en: str
    """For questions in any other language."""


class ModerationSpec(Spec):
    """A word list, an endpoint or both look at questions, answers and documents.

    An answer is held back by a sentence, so that nothing is shown before it was looked at. A document is looked at
    when it is read, and again after an edit of the words or the endpoint; one that may not be taken in is quarantined
    until it or they change.
    """

    words: str = ""
    """File of words, relative to the file that says so: one a line, `#` for a comment, `/…/` for a regular
    expression; case and width are ignored. A Latin word matches whole, a Chinese one does not match across the
    border of two other words (`枪支` not in `手枪支架`)."""
    endpoint: ModerationEndpoint | None = None
    """A model that judges."""
    check: list[Checked] = Field(default=["question", "answer", "document"], min_length=1)
    """What is looked at."""
    on_failure: Literal["block", "allow"] = "block"
    """What happens while the endpoint fails: nothing passes, or everything does; the trace says so."""
    question: Said = Said(
        zh="这个问题涉及不允许的内容，不能回答。",
        en="This question touches content that is not allowed here.",
    )
    """What is said to a question that is not answered."""
    answer: Said = Said(
        zh="回答涉及不允许的内容，已停止显示。",
        en="The answer touched content that is not allowed here; it was stopped.",
    )
    """What is said instead of an answer."""
    unavailable: Said = Said(
        zh="内容审核服务暂时不可用，现在不能回答。",
        en="The check of content is not available at the moment, so nothing can be answered.",
    )
    """What is said while the endpoint fails, with `on_failure: block`."""

    operational: ClassVar[frozenset[str]] = frozenset({"on_failure"})

    @model_validator(mode="after")
    def _something(self) -> ModerationSpec:
        if not self.words and self.endpoint is None:
            raise PydanticCustomError("moderation", "needs words or endpoint")
        return self

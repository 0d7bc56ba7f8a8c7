"""`extract` of a `graph` retriever: what its graph is made of when documents are ingested."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from pipelines.spec import Spec

READ_VERSION = 1
"""Counts up whenever a passage is asked about, or the same reply understood, in another way."""

Wording = Annotated[str, Field(min_length=1)]


class NamesExtract(Spec):
    """Names by rules: headings, proper names, quoted words, identifiers, telling Chinese words; no model is asked."""

    type: Literal["names"]


class PathsWording(Spec):
    """What the LLM is told; the passage and the form of its answer are added."""

    zh: Wording = (
        "找出一段文字里陈述的事实：谁或什么，与谁或什么，有什么关系。主体和客体是人、机构、地点、产品、制度、"
        "术语等具体事物，代词要换成它所指的名称。先写最重要的。"
    )
    """For passages in Chinese."""
    en: Wording = (
        "Find the facts that a text states: who or what is related to whom or what, and how. Subjects and objects "
        "are definite things: people, organisations, places, products, rules, terms; put the name in the place of a "
        "pronoun. Write the most important ones first."
    )
    """For passages in any other language."""


class LLMExtract(Spec):
    """Paths by the `llm`, beside the names: what is related to what, and how; each text is paid for once."""

    type: Literal["llm"]
    max_paths: int = Field(default=10, ge=1, le=50)
    """Paths of one passage, at most."""
    workers: int = Field(default=4, ge=1, le=64)
    """Passages that the model is asked about at the same time."""
    instructions: PathsWording = PathsWording()
    """What the LLM is told, in each language."""

    needs_llm: ClassVar[bool] = True
    operational: ClassVar[frozenset[str]] = frozenset({"workers"})


Extract = Annotated[NamesExtract | LLMExtract, Field(discriminator="type")]

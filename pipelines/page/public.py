"""What programs may call over HTTP and MCP: ask, retrieve, list the documents. Nothing else is public."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from pipelines.errors import SearchaskError
from pipelines.page.answers import LONGEST
from pipelines.page.site import Entry, Site
from pipelines.querying.answer import Answer, Retrieval
from pipelines.querying.knowledge_base import KnowledgeBase

_LONGEST_NAME = 200


class Public:
    """The public functions of a site; each gives JSON, and for a mistake `{"error": …}`."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def ask(self, question: str, knowledge_base: str = "", engine: str = "") -> str:
        """Answer a question from the documents, with citations, or say that they hold no answer.

        Args:
            question: What to ask, in Chinese or English.
            knowledge_base: Which one; empty for the first.
            engine: Name of a query engine; empty for the first.
        """
        return self._reply(KnowledgeBase.ask, question, knowledge_base, engine)

    def retrieve(self, question: str, knowledge_base: str = "", engine: str = "") -> str:
        """Find the passages closest to a question, with rank and score per retriever.

        Args:
            question: What to look for, in Chinese or English.
            knowledge_base: Which one; empty for the first.
            engine: Name of a query engine; empty for the first.
        """
        return self._reply(KnowledgeBase.retrieve, question, knowledge_base, engine)

    def list_documents(self, knowledge_base: str = "") -> str:
        """List the documents of a knowledge base, with their state.

        Args:
            knowledge_base: Which one; empty for the first.
        """
        try:
            _check("", knowledge_base, "")
            with self._entry(knowledge_base).catalog() as catalog:
                return _json(catalog.listing() if catalog else [])
        except SearchaskError as error:
            return _json({"error": str(error)})

    def _reply(
        self,
        verb: Callable[[KnowledgeBase, str, str], Answer | Retrieval],
        question: str,
        knowledge_base: str,
        engine: str,
    ) -> str:
        try:
            _check(question, knowledge_base, engine)
            with self._entry(knowledge_base).open() as base:
                return _json(verb(base, question, engine).to_dict())
        except SearchaskError as error:
            return _json({"error": str(error)})

    def _entry(self, knowledge_base: str) -> Entry:
        return self._site.entry(knowledge_base or self._site.first)


def _check(question: Any, knowledge_base: Any, engine: Any) -> None:
    """Raise SearchaskError for what no caller may send: Gradio takes any JSON, whatever the types say."""
    if not isinstance(question, str) or len(question) > LONGEST:
        raise SearchaskError(f"the question must be a text of at most {LONGEST:,} characters")
    for what, name in (("knowledge_base", knowledge_base), ("engine", engine)):
        if not isinstance(name, str) or len(name) > _LONGEST_NAME:
            raise SearchaskError(f"{what} must be a name of at most {_LONGEST_NAME} characters")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)

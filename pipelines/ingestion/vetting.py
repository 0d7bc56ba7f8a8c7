"""Moderation of documents: what must not be taken in."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from pipelines.config import Config
from pipelines.config.files import moderator_of
from pipelines.documents import Document
from pipelines.errors import DocumentError, Forbidden
from pipelines.spec import fingerprint

if TYPE_CHECKING:
    from pipelines.catalog import DocumentRow
    from pipelines.components.runtime.moderation import Moderator
    from pipelines.ingestion.plan import Change, Plan

_KEY = 6
"""Characters of a key: with the fingerprints of an attempt it must fit the column of the catalog."""


def moderation_key(config: Config) -> str:
    """What decides about documents: the words and the endpoint; empty where nobody looks at them."""
    spec = config.spec.moderation
    if spec is None or "document" not in spec.check:
        return ""
    words: list[str] = []
    if spec.words:
        from pipelines.text.word_list import WordList

        words = WordList(config.resolve("moderation", "words")).entries
    endpoint = spec.endpoint.identity() if spec.endpoint else None
    return fingerprint("moderation", words, endpoint)[:_KEY]


def find_unvetted(plan: Plan) -> None:
    """Have those documents looked at whose indexed text the moderation of the config has not allowed."""
    for change in plan.changes:
        rows = list(unvetted(plan, change))
        if not rows:
            continue
        edited = any(row.load in plan.vetted for row in rows)
        said = "moderation changed" if edited else "moderation has not looked at it yet"
        if change.action == "unchanged" or change.skip:
            change.action, change.skip, change.only_vet = "stale", False, True
            change.reason = f"{said}; it is checked, and nothing is embedded"
        else:
            change.reason = f"{change.reason}; {said}"


def unvetted(plan: Plan, change: Change) -> Iterator[DocumentRow]:
    """What is indexed of a document, here and in the index that answers, and was not allowed."""
    if change.source is not None:
        rows = {row.id: row for row in (change.row, change.before) if row is not None and row.content}
        yield from (row for row in rows.values() if not plan.allows(row.load))


class Vetting:
    """Looks at the texts of one run, at each once, by the `moderation` of the config."""

    def __init__(self, config: Config, plan: Plan) -> None:
        self._config, self._plan = config, plan
        self._forbidden: dict[str, str] = {}

    def vet(self, load: str, document: Document) -> None:
        """Look at a text, named by its load fingerprint, unless it is known to be allowed.

        Raises Forbidden for one that may not be taken in, and DocumentError while nobody can judge it.
        """
        if self._plan.allows(load):
            return
        if load not in self._forbidden:
            decision = self._moderator.decide("document", document.text)
            if decision.blocked and decision.failed:
                raise DocumentError(f"moderation: {decision.reason}")
            if not decision.blocked:
                if not decision.failed:  # else it was let pass, and nobody has looked at it
                    self._plan.vetted[load] = self._plan.moderation
                return
            self._forbidden[load] = f"moderation: {decision.reason}"
        raise Forbidden(self._forbidden[load])

    @cached_property
    def _moderator(self) -> Moderator:
        moderator = moderator_of(self._config)
        assert moderator is not None  # else the plan allows everything
        return moderator

"""Moderation of documents: what must not be taken in."""

from __future__ import annotations

from collections.abc import Callable

from pipelines.config import Config
from pipelines.config.files import moderator_of
from pipelines.documents import Document
from pipelines.errors import DocumentError, Quarantined


def vetting(config: Config) -> Callable[[Document], None]:
    """What looks at each new text, by the `moderation` of the config.

    It raises Quarantined for a text that may not be taken in, and DocumentError while nobody can judge it.
    """
    moderator = moderator_of(config)
    if moderator is None or not moderator.looks_at("document"):
        return lambda text: None

    def vet(document: Document) -> None:
        decision = moderator.decide("document", document.text)
        if decision.blocked:
            kind = DocumentError if decision.failed else Quarantined
            raise kind(f"moderation: {decision.reason}")

    return vet

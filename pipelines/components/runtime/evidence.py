"""Signs that the passages found hold an answer: what a gate decides by, and what a calibration measures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from llama_index.core.schema import MetadataMode, NodeWithScore

from pipelines.components.runtime.inquiry import Inquiry
from pipelines.text.language import language_of

AMONG_FEW = 0.1
"""Cosine similarity above the farthest passage that is a sign of an answer where few passages in its language were
found: fewer than half of what the retriever would have taken."""

NAMES_ONLY = 0.4
"""Part of the share of words that is enough for a passage in another language: only names and numbers can match."""

TOO_FEW = 3
"""Passages near, fewer of which tell neither which words are rare nor what is far: any word of the question counts."""

NONE = -1.0
"""A sign that no passage shows."""


@dataclass(frozen=True, slots=True)
class Signs:
    """The best of each sign over all passages; each is `NONE` where it can't be seen."""

    words: float = NONE
    """Share of the question's words, in a passage of the question's language; of another, divided by `NAMES_ONLY`."""
    stands_out: float = NONE
    """Cosine above the farthest of the nearest passages in its language, which is the question's."""
    across_languages: float = NONE
    """The same for a passage in another language."""
    among_few: float = NONE
    """The same where few passages are near."""

    def enough(self, *, words: float, stands_out: float, across_languages: float) -> bool:
        """Whether one of the signs is clear."""
        return (
            self.words >= words
            or self.stands_out >= stands_out
            or self.across_languages >= across_languages
            or self.among_few >= AMONG_FEW
        )


def signs_of(inquiry: Inquiry, nodes: Sequence[NodeWithScore]) -> Signs:
    """The signs that passages show for a question."""
    near: dict[str, list[float]] = {}
    for hit in inquiry.near:
        near.setdefault(_language(hit), []).append(hit.score or 0.0)
    asked = language_of(inquiry.query_str)
    best = dict.fromkeys(("words", "stands_out", "across_languages", "among_few"), NONE)

    def shown(sign: str, value: float) -> None:
        best[sign] = max(best[sign], value)

    for hit in nodes:
        language, noted = _language(hit), hit.node.metadata
        foreign = language != asked
        # A translation's words can match where those of the question can't.
        names_only = language != noted.get("asked_in", asked)
        shown("words", noted.get("share", 0.0) / (NAMES_ONLY if names_only else 1.0))
        if near and len(inquiry.near) < TOO_FEW and noted.get("terms"):
            shown("words", 1.0)
        if not near or "cosine" not in noted:
            continue
        alike = near.get(language, [])
        if 2 * len(alike) >= inquiry.reach:
            shown("across_languages" if foreign else "stands_out", noted["cosine"] - min(alike))
        else:
            # Where there is little to find, the farthest found is not near at all.
            others = alike if len(alike) > 1 else [score for scores in near.values() for score in scores]
            shown("among_few", noted["cosine"] - min(others))
    return Signs(**best)


def _language(hit: NodeWithScore) -> str:
    return language_of(hit.node.get_content(MetadataMode.NONE))

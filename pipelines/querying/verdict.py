"""What a draft comes to: the answer with the citations that hold, or nothing."""

from __future__ import annotations

import heapq
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipelines.components.responses import Draft
from pipelines.querying.alignment import sentences_of, units
from pipelines.querying.answer import Citation, Sentence
from pipelines.querying.citations import Checked, Similar, check, check_values, citation
from pipelines.text.disarmed import unmarked

if TYPE_CHECKING:
    from llama_index.core.schema import NodeWithScore

NEAREST = 8
"""Passages of whole documents that are compared with a sentence."""

_INVENTED = re.compile(r"[^\S\n]*(?<![A-Za-z_])[\[［【]\s*\d{1,3}(?:\s*[,，、]\s*\d{1,3})*\s*[\]］】]")


def checked(
    draft: Draft, nodes: Sequence[NodeWithScore], language: str, question: str, similar: Similar
) -> Checked:
    """A draft with the citations that hold."""
    if draft.quotes:
        return _quoted(draft, nodes)
    if draft.sources:
        plain = without_sources(draft.text)
        return check(plain, nearest(plain, draft.sources), language, question, similar)
    if draft.form == "json":
        return check_values(draft.text, nodes, question, similar)
    return check(draft.text, nodes, language, question, similar)


def without_sources(text: str) -> str:
    """A text that was written without passages, without the markers that a model may invent."""
    return _INVENTED.sub("", text).strip()


def nearest(text: str, nodes: Sequence[NodeWithScore], each: int = NEAREST) -> list[NodeWithScore]:
    """The nodes, in their order, that share most with some sentence of a text: `each` for every sentence.

    A sentence is compared with every sentence of a passage, which for whole documents would take too long.
    """
    claims = [units(text[start:end]).all for start, end in sentences_of(text)]
    best: list[list[tuple[float, int]]] = [[] for _ in claims]
    for place, hit in enumerate(nodes):
        held = units(hit.node.get_content())
        there = held.all | held.spelled
        for claim, ranked in zip(claims, best, strict=True):
            if shared := len(claim & there):
                heapq.heappush(ranked, (shared, -place))
                if len(ranked) > each:
                    heapq.heappop(ranked)
    return [nodes[place] for place in sorted({-place for ranked in best for _, place in ranked})]


def _quoted(draft: Draft, nodes: Sequence[NodeWithScore]) -> Checked:
    """An answer that is made of quotes: each on a line, with its number."""
    citations: list[Citation] = []
    sentences: list[Sentence] = []
    lines: list[str] = []
    for number, quote in enumerate(draft.quotes, 1):
        cited = citation(number, nodes[quote.node], quote.start, quote.end)
        # The quote itself is exact; in the answer `[3]` would read as a citation.
        said = unmarked(cited.quote)
        words = " ".join(said.split()) if "|" not in said else said
        text = f"{quote.lead}\n{words}" if quote.lead else words
        citations.append(cited)
        sentences.append(Sentence(text, (number,), True))
        lines.append(f"{text} [{number}]")
    return Checked("\n".join(lines), citations, sentences)

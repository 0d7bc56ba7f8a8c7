"""Questions that only make sense after others: what they are searched for with, and what was cited before."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipelines.querying.alignment import units
from pipelines.text.language import language_of

if TYPE_CHECKING:
    from llama_index.core.schema import NodeWithScore

    from pipelines.components.runtime.inquiry import Inquiry
    from pipelines.index import Index

CONDENSE = "condense"
"""The transform that has an LLM do this."""

LAST_TURN = "last turn"
"""Under which name candidates stand that the last answer cited."""

LONGEST = 500
"""Characters of a question before that are taken along."""

OWN = {"en": 1, "zh": 2}
"""Words (pairs of Chinese characters) of its own that a follow-up may have which points back by its first or last
word only: `and sick leave?` needs nothing before it."""
OWN_POINTING = {"en": 5, "zh": 7}
"""The same of one that says `it` or `the second one`."""

_JOINED = re.compile(
    r"^\W*(?:(?:and|but|so|or|then|also|what about|how about|what if)\b[\s,]*)+"
    r"|^\W*(?:那么?|还有|另外|然后|所以|如果|要是|可是|但是)|呢[?？\s]*$",
    re.IGNORECASE,
)
_POINTING = re.compile(
    r"\b(?:its?|they|them|theirs?|this|that|these|those|he|she|him|his|hers?|ones?|former|latter|"
    r"(?:the|a) (?:first|second|third|last|next|other|same)|another|else)\b"
    r"|[它他她]们?|[这那](?:个|些|种|样|里|项|条|次|时)|其(?:他|它|中|余)|前者|后者|上述|刚才|另一"
    r"|第[一二三四五六七八九十两\d]+[个种项条类]",
    re.IGNORECASE,
)

_BARE = re.compile(
    r"^\W*(?:为什么|怎么办?|多少钱?|多久|几个|哪个|谁|什么时候|在?哪里|"
    r"how (?:much|many|long|often|far|old)|why not)\W*$",
    re.IGNORECASE,
)


def points_back(question: str) -> bool:
    """Whether a question needs the one before it: it names little of its own and points at something said before."""
    language = language_of(question)
    pointing = bool(_POINTING.search(question))
    if _BARE.search(question):
        return True
    own = len(units(_JOINED.sub(" ", _POINTING.sub(" ", question))))
    if pointing:
        return own <= OWN_POINTING[language]
    return own == 0 or (bool(_JOINED.search(question)) and own <= OWN[language])


def carry_on(inquiry: Inquiry) -> None:
    """Put the question that a follow-up belongs to before it, with the follow-up in between if there is one.

    A question that was rewritten already stays as it is.
    """
    if not inquiry.history or inquiry.query_str != inquiry.question or not points_back(inquiry.question):
        return
    before = [each.question[:LONGEST] for each in inquiry.history]
    first = next((at for at in reversed(range(len(before))) if not points_back(before[at])), 0)
    parts = list(dict.fromkeys([before[first], before[-1], inquiry.question]))
    inquiry.query_str = "\n".join(parts)


def recalled(
    index: Index, inquiry: Inquiry, ranking: Sequence[NodeWithScore], nodes: Sequence[NodeWithScore]
) -> tuple[list[NodeWithScore], list[NodeWithScore]]:
    """A ranking and what was taken of it, with the passages that the last answer cited behind them."""
    from llama_index.core.schema import NodeWithScore

    ranked, taken = list(ranking), list(nodes)
    wanted = inquiry.history[-1].nodes if inquiry.history else ()
    if not wanted:
        return ranked, taken
    with index.pinned():
        around = index.neighbours(wanted, 0, 0)
        vector = inquiry.embedding or index.embed_question(inquiry.query_str)
        cosines = index.similarities(vector, list(around))
    held = {hit.node.node_id: hit for hit in (*ranked, *taken)}
    live = [(key, node) for key in wanted for node in around.get(key, ()) if node.node_id == key]
    for place, (key, node) in enumerate(live, 1):
        if inquiry.filters and not index.admits(node.metadata, inquiry.filters):
            continue
        cosine = cosines.get(key, 0.0)
        hit = held.get(key) or NodeWithScore(
            node=node.model_copy(update={"metadata": {**node.metadata, "cosine": cosine}}), score=cosine
        )
        by = {**hit.node.metadata.get("by", {}), LAST_TURN: {"rank": float(place), "score": cosine}}
        told = hit.node.model_copy(update={"metadata": {**hit.node.metadata, "by": by}})
        for hits in (ranked, taken):
            _put(hits, NodeWithScore(node=told, score=hit.score))
    return ranked, taken


def _put(hits: list[NodeWithScore], hit: NodeWithScore) -> None:
    """Replace the hit of the same passage, or stand behind all."""
    for at, other in enumerate(hits):
        if other.node.node_id == hit.node.node_id:
            hits[at] = hit
            return
    hits.append(hit)

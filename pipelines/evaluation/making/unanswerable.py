"""Questions that the documents do not answer, each checked by searching the index.

A question is unanswerable only against an index, and nothing can be taken out of a person's own one for a single
question. So they are asked of documents that the index does not hold: those that a person names (`removed`: held
back from the index, or another knowledge base), made in the same way as the others; or else of everyday matters that
most documents do not touch. Both are searched for, by words and by meaning, and are left out where a passage
speaks of the same thing, holds the answer, or is as close as the passages of answerable questions are.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import TYPE_CHECKING

from pipelines.evaluation.making.drafts import folded

if TYPE_CHECKING:
    from llama_index.core.schema import NodeWithScore

    from pipelines.evaluation.making.asking import Counting
    from pipelines.index import Index

LOOKED_AT = 20
"""Passages by words, and as many by meaning, in which an answer is looked for."""
SAME_SUBJECT = 0.5
"""Share of a question's terms in one passage from which on the passage speaks of what is asked."""
_READ = 5
"""Passages that the LLM is shown."""

ANSWERED = "the index may answer it"
PURPOSE = "check question"
_SYSTEM = {
    "en": "Passages stand in <passage> tags. Do they hold the answer to the question in <question> tags? "
    "Reply with one word: YES or NO.",
    "zh": "资料在 <passage> 标签里。它们是否包含 <question> 标签里问题的答案？只回复一个词：YES 或 NO。",
}


class Unanswered:
    """Tells whether an index holds no answer to a question."""

    def __init__(self, index: Index, answerable: Sequence[str], llm: Counting | None) -> None:
        """`answerable` are questions that the index answers: they show how close an answer is here."""
        self._index, self._llm = index, llm
        tops = [self._nearest(question, 1) for question in answerable[:50]]
        found = [hits[0].score or 0.0 for hits in tops if hits]
        self._usual = median(found) if found else 1.0

    def holds(self, question: str, answers: Sequence[str], language: str) -> bool:
        """Whether nothing in the index answers it; `answers` are those that the removed document gave."""
        near = self._nearest(question, LOOKED_AT)
        if near and (near[0].score or 0.0) >= self._usual:
            return False
        terms = set(self._index.analyser.query_terms(question))
        wanted = [folded(each) for each in answers if len(folded(each)) >= (3 if language == "zh" else 4)]
        for hit in [*near, *self._index.matching(question, LOOKED_AT)]:
            text = hit.node.get_content()
            share = len(terms & set(self._index.analyser.index_terms(text))) / max(1, len(terms))
            if share >= SAME_SUBJECT or (share > 0 and any(each in folded(text) for each in wanted)):
                return False
        return self._llm is None or self._denied(question, near[:_READ], language)

    def _nearest(self, question: str, count: int) -> list[NodeWithScore]:
        return self._index.nearest(self._index.embed_question(question), count)

    def _denied(self, question: str, hits: Sequence[NodeWithScore], language: str) -> bool:
        """Whether the LLM clearly says that the nearest passages do not answer."""
        from pipelines.components.runtime.consulting import DATA, block
        from pipelines.components.runtime.fence import fenced
        from pipelines.components.runtime.replies import without_thinking

        assert self._llm is not None
        system = _SYSTEM["zh" if language == "zh" else "en"] + DATA["zh" if language == "zh" else "en"]

        def prompt(room: int) -> str:
            each = max(0, room - 200) // max(1, len(hits))
            passages = [fenced(number, hit, each) for number, hit in enumerate(hits, 1)]
            return "\n\n".join([*passages, block("question", question)])

        said = self._llm.ask(system, prompt, purpose=PURPOSE, about=question, reserved=200)
        words = without_thinking(said).strip(" \n\"'.。*`").casefold()
        return words in ("no", "否", "没有", "不包含", "不")

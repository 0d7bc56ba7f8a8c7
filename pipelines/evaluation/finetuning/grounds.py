"""The sentences of documents that an answer rests on."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from pipelines.catalog import Catalog
from pipelines.evaluation.gold import Gold
from pipelines.evaluation.questions import Question
from pipelines.querying.alignment import sentences_of, support, units


class Grounds:
    """Finds evidence in the documents of the generation that answers; for one thread."""

    def __init__(self, catalog: Catalog) -> None:
        active = catalog.generations.active()
        rows = catalog.documents(active.id) if active else []
        self._loads = {row.path: row.load for row in rows if row.content}
        self._gold = Gold(catalog)
        self._text = lru_cache(maxsize=32)(lambda load: held.text if (held := catalog.text(load)) else "")

    def unknown(self, documents: Iterable[str]) -> list[str]:
        """Those that are not in the index."""
        return sorted(set(documents) - self._loads.keys())

    def quotes(self, question: Question) -> list[str]:
        """The sentences that hold its evidence; where it has none, those that hold an answer of it."""
        spans, _ = self._gold.spans(question)
        found = [self._around(span.document, span.start, span.end) for span in spans]
        if not found:
            found = [
                quote for name in question.documents if (quote := self._holding(question, self._of(name)))
            ]
        return list(dict.fromkeys(" ".join(quote.split()) for quote in found))

    def _of(self, document: str) -> str:
        return self._text(self._loads[document])

    def _around(self, document: str, start: int, end: int) -> str:
        """The whole sentences that a span touches."""
        text = self._of(document)
        near = [span for span in sentences_of(text) if span[0] < end and start < span[1]]
        return text[near[0][0] : near[-1][1]] if near else text[start:end]

    def _holding(self, question: Question, text: str) -> str:
        """The sentence of a text that holds an answer, and of several the one most like the question."""
        asked = units(question.text).all
        answers = [answer.casefold() for answer in question.answers]
        best, most = "", -1
        for start, end in sentences_of(text):
            sentence = text[start:end]
            for answer in answers:
                if answer not in sentence.casefold():
                    continue
                held = support(answer, sentence)
                shared = len(asked & units(sentence).all)
                if held and held.share >= 1 and shared > most:
                    best, most = sentence, shared
        return best

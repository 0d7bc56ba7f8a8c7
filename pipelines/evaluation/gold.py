"""Where the gold of a question set stands in the documents as they are indexed now."""

from __future__ import annotations

import re
from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from pipelines.catalog import Catalog
from pipelines.evaluation.outcomes import Span
from pipelines.evaluation.questions import Evidence, Question
from pipelines.words import Language, Words

_KEPT = 32
"""Texts of documents that are kept at hand."""
_NAMED = 5
"""Questions, or documents, that a note names."""
_WITHOUT_GOLD = Words(
    "{n} questions have no gold (answers, documents or evidence), so only their time and cost are measured: {named}",
    "{n} 个问题没有标准答案（答案、文档或证据），只计算其耗时与费用：{named}",
)
_UNKNOWN = Words(
    "{n} gold documents of {questions} questions are not in the index: {named}",
    "{questions} 个问题的 {n} 个标准文档不在索引中：{named}",
)
_GONE = Words(
    "{n} of {all} pieces of evidence are no longer in the documents: the set was made for another version of them",
    "{all} 处证据中有 {n} 处已不在文档中：该问题集是为文档的另一个版本制作的",
)


@dataclass(frozen=True, slots=True)
class Drift:
    """How a question set fits the documents that are indexed."""

    without_gold: tuple[str, ...] = ()
    """Ids of questions of whose answer nothing is known."""
    unknown: dict[str, int] = field(default_factory=dict)
    """Documents that are named and not in the index, with how many questions name them."""
    evidence: int = 0
    """Pieces of evidence in the set."""
    gone: int = 0
    """Those that the documents no longer hold."""

    def told(self, language: Language = "en") -> list[str]:
        """What a person should know of it, a line each."""
        lines = []
        if bare := self.without_gold:
            lines.append(_WITHOUT_GOLD.of(language, n=len(bare), named=_named(bare)))
        if self.unknown:
            asked = sum(self.unknown.values())
            named = _named(list(self.unknown))
            lines.append(_UNKNOWN.of(language, n=len(self.unknown), questions=asked, named=named))
        if self.gone:
            lines.append(_GONE.of(language, n=self.gone, all=self.evidence))
        return lines


class Gold:
    """Finds gold documents and evidence in the generation that answers; for one thread."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        active = catalog.generations.active()
        rows = catalog.documents(active.id) if active else []
        self._loads = {row.path: row.load for row in rows if row.content}
        self._texts: OrderedDict[str, str] = OrderedDict()

    def spans(self, question: Question) -> tuple[tuple[Span, ...], int]:
        """Where its evidence stands, and how many pieces of it are gone."""
        found = [self._span(each) for each in question.evidence]
        return tuple(each for each in found if each), sum(each is None for each in found)

    def drift(self, questions: Sequence[Question]) -> Drift:
        """How a set fits the index."""
        unknown = Counter(
            name for question in questions for name in set(question.documents) - self._loads.keys()
        )
        return Drift(
            without_gold=tuple(question.id for question in questions if not question.gold),
            unknown=dict(unknown.most_common()),
            evidence=sum(len(question.evidence) for question in questions),
            gone=sum(self.spans(question)[1] for question in questions),
        )

    def _span(self, evidence: Evidence) -> Span | None:
        text, quote = self._text(evidence.document), evidence.quote
        if text is None:
            return None
        start = evidence.start
        if start is None or not text.startswith(quote, start):
            start = _nearest(text, quote, start or 0)
        if start is not None:
            return Span(document=evidence.document, start=start, end=start + len(quote))
        # Another reader, or an edit, may have wrapped the same words in other lines.
        loose = re.search(r"\s*".join(map(re.escape, quote.split())), text) if len(quote) <= 2_000 else None
        return Span(document=evidence.document, start=loose.start(), end=loose.end()) if loose else None

    def _text(self, document: str) -> str | None:
        if document not in self._loads:
            return None
        if document not in self._texts:
            held = self._catalog.text(self._loads[document])
            self._texts[document] = held.text if held else ""
            while len(self._texts) > _KEPT:
                self._texts.popitem(last=False)
        return self._texts[document]


def _named(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMED]) + (" …" if len(names) > _NAMED else "")


def _nearest(text: str, quote: str, to: int) -> int | None:
    """The occurrence of a quote that is nearest to where it stood."""
    after, before = text.find(quote, to), text.rfind(quote, 0, to + len(quote))
    found = [place for place in (after, before) if place >= 0]
    return min(found, key=lambda place: abs(place - to)) if found else None

"""What keeps a question out of a set: it copies its passage, or asks what another one asks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

from pipelines.evaluation.making.drafts import Draft, folded

if TYPE_CHECKING:
    import numpy as np

COPIED = 0.75
"""Share of a question that stands in its passage in one piece, from which on the question is a copy."""
_FEWEST = {"en": 5, "zh": 10}
"""Words or characters of such a piece: a name that is asked for has to be repeated."""
_AROUND = 300
"""Characters around the evidence that are the passage."""

ALIKE_AT_LEAST = 0.9
"""Cosine similarity below which two questions are never one, whatever the others are like."""
_QUANTILE = 0.99
_ENOUGH = 100
"""Pairs of questions with other answers that tell what is usual for this embed model and these documents."""
_UNTIL_THEN = 0.97

WORD_FOR_WORD = "word for word from its passage"
SAME_WORDS = "the words of another question"
SAME_MEANING = "asks what another question asks"


def is_copy(draft: Draft, text: str) -> bool:
    """Whether a question quotes the document's text around its evidence; headings do not count."""
    end = draft.start + len(draft.quote)
    around = text[max(0, draft.start - _AROUND) : end + _AROUND]
    passage = re.sub(r"^[ \t]*#[^\n]*$", " ", around, flags=re.MULTILINE)
    asked, said = _units(draft.text, draft.language), _units(passage, draft.language)
    longest = SequenceMatcher(None, asked, said, autojunk=False).find_longest_match().size
    return longest >= _FEWEST[draft.language] and longest >= COPIED * len(asked)


class Nearness:
    """Finds questions that ask the same in other words.

    Similar wording alone proves nothing: "When was A founded?" and "When was B founded?" are close for any embed
    model. So two questions are one where their answers or their evidence agree and their vectors are closer than
    99% of the pairs whose answers differ, as this embed model sees these questions.
    """

    def __init__(self, embed: Callable[[str], Sequence[float]]) -> None:
        self._embed = embed
        self._kept: list[Draft] = []
        self._vectors: list[np.ndarray[Any, Any]] = []
        self._others: list[float] = []

    @property
    def threshold(self) -> float:
        """The cosine similarity from which on questions with like answers are one."""
        import numpy as np

        if len(self._others) < _ENOUGH:
            return _UNTIL_THEN
        return max(ALIKE_AT_LEAST, float(np.quantile(self._others, _QUANTILE)))

    def knows(self, draft: Draft) -> bool:
        """Whether a question that was kept asks the same; if none does, this one is kept."""
        import numpy as np

        vector = np.asarray(self._embed(draft.text), dtype=np.float64)
        vector /= float(np.linalg.norm(vector)) or 1.0
        cosines = (np.stack(self._vectors) @ vector).tolist() if self._vectors else []
        alike = [_answers_alike(draft, other) for other in self._kept]
        limit = self.threshold
        if any(same and cosine >= limit for same, cosine in zip(alike, cosines, strict=True)):
            return True
        self._others += [cosine for same, cosine in zip(alike, cosines, strict=True) if not same]
        self._kept.append(draft)
        self._vectors.append(vector)
        return False


class Screen:
    """Lets each question through once, and counts what it keeps out."""

    def __init__(self, embed: Callable[[str], Sequence[float]]) -> None:
        self.dropped: Counter[str] = Counter()
        self._words: set[str] = set()
        self._nearness = Nearness(embed)

    def lets(self, draft: Draft, text: str) -> bool:
        """Whether a question may be in the set; `text` is that of its document."""
        why = ""
        if folded(draft.text) in self._words:
            why = SAME_WORDS
        elif is_copy(draft, text):
            why = WORD_FOR_WORD
        elif self._nearness.knows(draft):
            why = SAME_MEANING
        if why:
            self.dropped[why] += 1
            return False
        self._words.add(folded(draft.text))
        return True


def _answers_alike(one: Draft, other: Draft) -> bool:
    if one.document == other.document:
        ends = one.start + len(one.quote), other.start + len(other.quote)
        if max(one.start, other.start) < min(ends) and one.made != "table":
            return not _distinct(one, other)
    pairs = ((folded(a), folded(b)) for a in one.answers for b in other.answers)
    return any(a == b or (min(len(a), len(b)) >= 4 and (a in b or b in a)) for a, b in pairs)


def _distinct(one: Draft, other: Draft) -> bool:
    """Whether both have short answers that differ: one sentence may answer when and where."""
    answers = [folded(each) for draft in (one, other) for each in draft.answers]
    return len(answers) == 2 and not (answers[0] in answers[1] or answers[1] in answers[0])


def _units(text: str, language: str) -> list[str]:
    if language == "zh":
        return list(folded(text))
    return re.findall(r"\w+", text.casefold())

"""Answers made of quotes: the sentences that hold the question's rare words, or come closest in meaning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from llama_index.core.schema import NodeWithScore

from pipelines.components.responses import Draft, Quote
from pipelines.components.runtime.inquiry import Inquiry
from pipelines.components.runtime.pieces import Piece, pieces_of, whole_of
from pipelines.index import Index
from pipelines.text.analyser import Analyser
from pipelines.text.language import language_of

COMPARED = 24
"""Sentences that are embedded for one question, at most; each costs about 20 ms with the `local` model."""
HEADING = 1.0
"""What a word of the question is worth in the headings above a sentence."""
NAME = 0.5
"""What it is worth in the document's name."""
NEIGHBOUR = 0.3
"""What it is worth in the sentence before: the subject is often there."""
RANK_STEP = 0.03
"""What a passage's sentences lose for each passage ranked above it."""
SAID = 0.5
"""What a word of the question is worth when a sentence chosen before holds it."""
WORTH_QUOTING = 0.4
"""Share of the best sentence's score that another must reach."""

MATCHED = 0.3
"""Share of the question's idf mass from which sentences in its language are chosen by words alone."""
WORDS_ADD = 0.2
"""What words add to a sentence's cosine at most, as in a fusion of retrievers."""


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence with what it holds of the question."""

    piece: Piece
    held: dict[str, float]
    """Share of the question's idf mass by term, less where only its surroundings hold the term."""
    own: Set[str] = frozenset()
    """The terms that the sentence itself holds."""
    cosine: float | None = None
    """Similarity with the question, where it was compared."""

    @property
    def by_words(self) -> float:
        """Share of the question's idf mass in all."""
        return sum(self.held.values())

    def score(self, said: Set[str]) -> float:
        """What it is worth after sentences that hold the terms `said`."""
        words = sum(weight * (SAID if term in said else 1.0) for term, weight in self.held.items())
        words -= RANK_STEP * self.piece.node
        return words if self.cosine is None else self.cosine + WORDS_ADD * words


class Extractive:
    """Chooses sentences; without a model across the same language, with the embed model across languages."""

    def __init__(self, index: Index, max_sentences: int, *, whole: bool = False) -> None:
        """`whole` takes passages as they are instead of their sentences."""
        self.index, self.max_sentences, self.whole = index, max_sentences, whole

    @property
    def analyser(self) -> Analyser:
        """That of the index as it is now: another generation may have another dictionary."""
        return self.index.analyser

    def respond(self, inquiry: Inquiry, nodes: Sequence[NodeWithScore]) -> Iterator[str | Draft]:
        """One draft of quotes, best first."""
        chosen = self._passages(nodes) if self.whole else self._sentences(inquiry, nodes)
        yield Draft(
            quotes=tuple(Quote(piece.node, piece.start, piece.end, piece.lead) for piece in chosen),
            refused=not chosen,
        )

    def _passages(self, nodes: Sequence[NodeWithScore]) -> list[Piece]:
        """The best passages whole, as they are ranked."""
        chosen: list[Piece] = []
        for number, hit in enumerate(nodes):
            piece = whole_of(number, hit)
            if piece and len(chosen) < self.max_sentences:
                chosen += [] if any(_repeats(piece, other) for other in chosen) else [piece]
        return chosen

    def _sentences(self, inquiry: Inquiry, nodes: Sequence[NodeWithScore]) -> list[Piece]:
        question, language = inquiry.query_str, inquiry.language
        pieces = [piece for number, hit in enumerate(nodes) for piece in pieces_of(number, hit)]
        weights = self._weights(question)
        told = [self._told(piece, weights) for piece in pieces]
        foreign = {
            number for number, hit in enumerate(nodes) if language_of(hit.node.get_content()) != language
        }
        known = max((each.by_words for each in told if each.piece.node not in foreign), default=0.0)
        if known < MATCHED:
            with self.index.pinned():
                told = self._with_cosine(question, told)
        return self._chosen(told)

    def _weights(self, question: str) -> dict[str, float]:
        """The terms of the question, each with its share of the idf mass."""
        terms = self.analyser.query_terms(question)
        # A term may count as several when it is asked for alone: a pair of characters, an identifier.
        idf = {term: self.index.idf_mass(term) / len(self.analyser.query_terms(term)) for term in terms}
        mass = sum(idf.values()) or 1.0
        return {term: value / mass for term, value in idf.items()}

    def _told(self, piece: Piece, weights: Mapping[str, float]) -> Told:
        """What a sentence, with what it stands under, holds of the question."""
        if weights.keys() >= set(self.analyser.query_terms(piece.text)):
            # A title, or the question itself: it says nothing that was not asked.
            return Told(piece, {})
        own = weights.keys() & self.analyser.index_terms(f"{piece.lead}\n{piece.text}")
        above = weights.keys() & self.analyser.index_terms(piece.heading)
        near = weights.keys() & self.analyser.index_terms(piece.before)
        named = weights.keys() & self.analyser.index_terms(piece.name)
        worth = {
            **dict.fromkeys(near, NEIGHBOUR),
            **dict.fromkeys(named, NAME),
            **dict.fromkeys(above, HEADING),
            **dict.fromkeys(own, 1.0),
        }
        return Told(piece, {term: weights[term] * part for term, part in worth.items()}, own)

    def _with_cosine(self, question: str, told: Sequence[Told]) -> list[Told]:
        """The first sentences with their cosine similarity, to which words add as in a fusion of retrievers."""
        wanted = self.index.embed_question(question)
        found = []
        for each in told[:COMPARED]:
            vector = self.index.embed_question(each.piece.text)
            cosine = sum(a * b for a, b in zip(wanted, vector, strict=True))
            found.append(
                replace(each, held={term: WORDS_ADD * w for term, w in each.held.items()}, cosine=cosine)
            )
        return found

    def _chosen(self, told: Sequence[Told]) -> list[Piece]:
        """The best sentences, none twice; what one has said, another is less worth saying for."""
        chosen: list[Piece] = []
        said: set[str] = set()
        left = list(told)
        best = 0.0
        while left and len(chosen) < self.max_sentences:
            _, place = max((each.score(said), -place) for place, each in enumerate(left))
            each = left.pop(-place)
            best = best or each.score(set())
            if each.score(set()) < WORTH_QUOTING * best:
                break
            if not any(_repeats(each.piece, other) for other in chosen):
                said |= each.own
                chosen.append(each.piece)
        return chosen


def _repeats(one: Piece, other: Piece) -> bool:
    """Whether one piece has the words of the other, or some of its place."""
    overlap = one.node == other.node and one.start < other.end and other.start < one.end
    words, others = " ".join(one.text.split()), " ".join(other.text.split())
    return overlap or words in others or others in words

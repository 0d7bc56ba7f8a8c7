"""Answers made of quotes: the sentences that hold the question's rare words, or come closest in meaning."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from llama_index.core.schema import NodeWithScore

from pipelines.components.responses import Draft, Quote
from pipelines.index import Index
from pipelines.text.analyser import Analyser
from pipelines.text.language import language_of
from pipelines.text.sentences import sentence_spans

COMPARED = 24
"""Sentences that are embedded for one question, at most; each costs about 20 ms with the `local` model."""
NEIGHBOUR = 0.3
"""What a word of the question is worth in the sentence before, or in the heading: the subject is often there."""
RANK_STEP = 0.03
"""What a passage's sentences lose for each passage ranked above it."""
WORTH_QUOTING = 0.4
"""Share of the best sentence's score that another must reach."""

MATCHED = 0.3
"""Share of the question's idf mass from which sentences in its language are chosen by words alone."""
WORDS_ADD = 0.2
"""What words add to a sentence's cosine at most, as in a fusion of retrievers."""

_RULE_ROW = re.compile(r"\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?")
_HEADING = re.compile(r"#{1,6}[ \t]")


@dataclass(frozen=True, slots=True)
class Piece:
    """A sentence of a passage, or a row of a table in it."""

    node: int
    start: int
    end: int
    text: str
    lead: str
    """A row's header."""
    context: str
    """What stands around it and says what it is about."""


class Extractive:
    """Chooses sentences; without a model across the same language, with the embed model across languages."""

    def __init__(self, index: Index, max_sentences: int) -> None:
        self.index, self.max_sentences = index, max_sentences
        self.analyser = Analyser()

    def respond(self, question: str, nodes: Sequence[NodeWithScore], language: str) -> Iterator[str | Draft]:
        """One draft of quotes, best first."""
        pieces = [piece for number, hit in enumerate(nodes) for piece in pieces_of(number, hit)]
        weights = self._weights(question)
        scored = [(self._by_words(piece, weights), piece) for piece in pieces]
        foreign = {
            number for number, hit in enumerate(nodes) if language_of(hit.node.get_content()) != language
        }
        known = max((score for score, piece in scored if piece.node not in foreign), default=0.0)
        if known < MATCHED:
            scored = self._by_meaning(question, scored)
        chosen = self._chosen(scored)
        yield Draft(
            quotes=tuple(Quote(piece.node, piece.start, piece.end, piece.lead) for piece in chosen),
            refused=not chosen,
        )

    def _weights(self, question: str) -> dict[str, float]:
        """The terms of the question, each with its share of the idf mass."""
        terms = self.analyser.query_terms(question)
        # A term may count as several when it is asked for alone: a pair of characters, an identifier.
        idf = {term: self.index.idf_mass(term) / len(self.analyser.query_terms(term)) for term in terms}
        mass = sum(idf.values()) or 1.0
        return {term: value / mass for term, value in idf.items()}

    def _by_words(self, piece: Piece, weights: Mapping[str, float]) -> float:
        """Share of the question's idf mass that a sentence holds; its surroundings count for less."""
        own = set(self.analyser.index_terms(f"{piece.lead}\n{piece.text}"))
        if weights.keys() >= set(self.analyser.query_terms(piece.text)):
            # A title, or the question itself: it says nothing that was not asked.
            return 0.0
        near = set(self.analyser.index_terms(piece.context)) - own
        held = sum(weight for term, weight in weights.items() if term in own)
        held += NEIGHBOUR * sum(weight for term, weight in weights.items() if term in near)
        return held - RANK_STEP * piece.node

    def _by_meaning(self, question: str, scored: Sequence[tuple[float, Piece]]) -> list[tuple[float, Piece]]:
        """Cosine similarity with the question, plus what words add, as passages are fused; of the first only."""
        wanted = self.index.embed_question(question)
        found = []
        for by_words, piece in scored[:COMPARED]:
            vector = self.index.embed_question(piece.text)
            cosine = sum(a * b for a, b in zip(wanted, vector, strict=True))
            found.append((cosine + WORDS_ADD * by_words, piece))
        return found

    def _chosen(self, scored: Sequence[tuple[float, Piece]]) -> list[Piece]:
        """The best sentences, none twice."""
        chosen: list[Piece] = []
        seen: set[str] = set()
        ordered = sorted(scored, key=lambda pair: -pair[0])
        for score, piece in ordered:
            same = "".join(piece.text.split())
            if len(chosen) == self.max_sentences or score < WORTH_QUOTING * ordered[0][0]:
                break
            if same not in seen:
                seen.add(same)
                chosen.append(piece)
        return chosen


def pieces_of(number: int, hit: NodeWithScore) -> list[Piece]:
    """The sentences and table rows of a passage; headings are what they stand under."""
    text = hit.node.get_content()
    heading = str(hit.node.metadata.get("heading") or "")
    header = str(hit.node.metadata.get("table_header") or "")
    found: list[Piece] = []
    before, row_before = "", ""
    for start, end in sentence_spans(text):
        sentence = text[start:end].strip()
        start += len(text[start:end]) - len(text[start:end].lstrip())
        if _RULE_ROW.fullmatch(sentence):
            # What seemed a row was the header of the rows to come.
            header = row_before
            if found and found[-1].text == header:
                found.pop()
        elif _HEADING.match(sentence):
            before = sentence
        elif sentence:
            is_row = sentence.startswith("|")
            lead = header if is_row else ""
            found.append(Piece(number, start, start + len(sentence), sentence, lead, f"{heading}\n{before}"))
            before = before if is_row else sentence
            row_before = sentence if is_row else ""
            header = header if is_row else ""
    return found

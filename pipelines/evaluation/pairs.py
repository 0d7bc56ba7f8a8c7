"""Questions and the passages that answer them, as vectors of an open index."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from pipelines.catalog import Catalog
from pipelines.errors import StorageError
from pipelines.evaluation.adapter import Array, Examples, grouped
from pipelines.evaluation.gold import Gold
from pipelines.evaluation.metrics.metric import gold_documents
from pipelines.evaluation.metrics.retrieval import holds
from pipelines.evaluation.outcomes import Passage, Span
from pipelines.evaluation.questions import Question
from pipelines.querying.index import OpenIndex

_AT_ONCE = 2_000
"""Passages whose texts are held at a time."""


def indexed(catalog: Catalog, generation: int) -> dict[str, list[int]]:
    """The documents of a generation by their path; loaders may share one."""
    found: dict[str, list[int]] = {}
    for row in catalog.documents(generation):
        if row.content and row.chunks:
            found.setdefault(row.path, []).append(row.id)
    return found


def usable(
    questions: Sequence[Question], documents: Mapping[str, list[int]]
) -> tuple[list[Question], list[str]]:
    """The answerable questions with a gold document in the index, and what became of the others."""
    answerable = [question for question in questions if question.answerable]
    found = [question for question in answerable if documents.keys() & set(gold_documents(question))]
    notes = []
    if lost := len(answerable) - len(found):
        notes.append(f"answerable questions that name no document of the index: {lost}")
    return found, notes


def pairs(
    index: OpenIndex,
    questions: Sequence[Question],
    documents: Mapping[str, list[int]],
    embed: Callable[[str], Array],
) -> Examples:
    """Usable questions with all passages of their gold documents.

    A passage answers a question where it holds its evidence; where there is none, where it holds one of the answers
    word for word; else any passage of a gold document may. `embed` gives the vector of a question. Raises
    StorageError where a document has no vectors.
    """
    gold = [
        {each for path in gold_documents(question) for each in documents.get(path, ())}
        for question in questions
    ]
    place = {each: number for number, each in enumerate(sorted(set().union(*gold)))}
    leaves = index.structure.leaves(list(place))
    ids = [node for each in place for node in leaves.get(each, ())]
    vectors = index.vectors_of(ids)
    ids = [node for node in ids if node in vectors]
    document = np.array(
        [place[each] for each in place for node in leaves.get(each, ()) if node in vectors], dtype=int
    )
    if len(np.unique(document)) < len(place):
        raise StorageError("vectors of some documents are missing: run `searchask ingest` first")
    is_gold = np.zeros((len(questions), len(place)), dtype=bool)
    for row, of in enumerate(gold):
        is_gold[row, [place[each] for each in of]] = True
    return Examples(
        questions=_unit(np.stack([embed(question.text) for question in questions])),
        passages=_unit(np.array([vectors[node] for node in ids], dtype=np.float32)),
        document=document,
        gold=is_gold,
        answers=_answers(index, questions, ids, is_gold[:, document]),
        group=grouped(gold),
    )


def _answers(index: OpenIndex, questions: Sequence[Question], ids: Sequence[str], gold: Array) -> Array:
    """(questions, passages): see `pairs`; `gold` says whether a passage is of a gold document."""
    finder = Gold(index.catalog)
    spans = [finder.spans(question)[0] for question in questions]
    answers = [[answer.casefold() for answer in question.answers] for question in questions]
    by_evidence, by_answer = np.zeros_like(gold), np.zeros_like(gold)
    for start in range(0, len(ids), _AT_ONCE):
        nodes = index.nodes_of(ids[start : start + _AT_ONCE])
        for column, key in enumerate(ids[start : start + _AT_ONCE], start):
            if (node := nodes.get(key)) is None:
                continue
            passage = Passage(
                rank=1,
                node=key,
                document=node.metadata["document"],
                start=node.start_char_idx,
                end=node.end_char_idx,
                score=0.0,
                fate="",
            )
            text = node.text.casefold()
            for row in np.flatnonzero(gold[:, column]).tolist():
                by_evidence[row, column] = _holds_any(passage, spans[row])
                by_answer[row, column] = any(answer in text for answer in answers[row])
    found = np.where(by_evidence.any(axis=1, keepdims=True), by_evidence, by_answer)
    return np.where(found.any(axis=1, keepdims=True), found, gold)


def _holds_any(passage: Passage, spans: Sequence[Span]) -> bool:
    return any(holds(passage, span) for span in spans)


def _unit(rows: Array) -> Array:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)

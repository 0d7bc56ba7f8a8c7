"""Where a document fell out on the way from a question to its answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipelines.catalog import DocumentRow
from pipelines.components.retrievers import parts_of
from pipelines.querying.searching import retrievers
from pipelines.querying.trace import BELOW_TOP_K, CITED, IN_CONTEXT, Candidate, Trace
from pipelines.text.analyser import Analyser

if TYPE_CHECKING:
    from llama_index.core.schema import NodeWithScore

    from pipelines.components.runtime.inquiry import Inquiry
    from pipelines.querying.knowledge_base import KnowledgeBase
    from pipelines.schema import PipelineSpec

DEPTH = 1_000
"""Passages that each retriever is asked for, to say how far off a document is."""

_MOST_READ = 300
"""Passages of the document whose words are looked at, where more than `DEPTH` others match better."""

Where = Literal[
    "not in index",
    "failed",
    "quarantined",
    "not found",
    "below top_k",
    "dropped",
    "not read",
    "in context",
    "not cited",
    "cited",
]
"""How far a document came. `below top_k`: a retriever ranked it and did not pass it on; `dropped`: by a
postprocessor; `not read`: the model's context window was full; `in context`: given to the writer, and no answer is
known; `not cited`: the answer does without it."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How well one retriever without parts finds a document."""

    retriever: str
    kind: Literal["vector", "keyword"]
    top_k: int
    """Passages that the config asks it for."""
    rank: int | None
    """That of the document's best passage; None beyond `DEPTH`, or where no word matches."""
    score: float | None
    """Cosine similarity or BM25 of that passage; None where it is unknown."""
    held: tuple[str, ...] = ()
    """`keyword`: the words of the question that passages of the document hold."""
    missing: tuple[str, ...] = ()
    """`keyword`: those that none of them holds."""


@dataclass(frozen=True, slots=True)
class WhyNot:
    """How far a document came with a question."""

    document: str
    where: Where
    error: str = ""
    """`failed`, `quarantined`: why; of another stage: why its latest version is not the indexed one."""
    fate: str = ""
    """`dropped`: as traces say it: `below cutoff`, `over budget`, `duplicate`, `no evidence`, …"""
    retriever: str = ""
    """`below top_k`: which retriever did not pass it on."""
    rank: int = 0
    """Its best place in that retriever's ranking, or in that of the engine."""
    top_k: int = 0
    """`below top_k`: how many that retriever passes on."""
    score: float | None = None
    passage: Candidate | None = None
    """The passage that came farthest, where the engine's retriever ranked one."""
    reach: tuple[Reach, ...] = ()
    """Per retriever without parts; empty for a document without passages."""


def why_not(
    base: KnowledgeBase,
    question: str,
    document: str,
    engine: str = "",
    *,
    loader: str = "",
    trace: Trace | None = None,
) -> WhyNot:
    """Name the stage at which a document fell out.

    `document` is its path or the end of it. `trace` is that of the answer, where there is one: no model writes
    another. Raises SearchaskError for an empty question, EndpointError where the embed model fails, LimitReached
    where it must not be asked.
    """
    with base.charging(question, base.engine(engine).name), base.index.pinned():
        row = _row(base, document, loader)
        if row is None or row.state == "new":
            return WhyNot(row.path if row else document, "not in index")
        if not row.chunks:
            return WhyNot(row.path, "failed" if row.state == "failed" else "quarantined", error=row.error)
        answered = trace is not None and any(stage.name == "write" for stage in trace.stages)
        passages = [each for each in trace.candidates if _is_of(each, row)] if trace else []
        found = base.retrieve(question, engine)
        passages = passages or [each for each in found.candidates if _is_of(each, row)]
        spec, name = base.config.spec, base.engine(engine).spec.retriever
        reach = _reach(base, found.question, name, row)
        if not passages:
            return _not_ranked(base, found.question, name, row, reach)
        best = _farthest(passages, [each.fate for each in base.engine(engine).spec.postprocessors])
        return _ranked(best, row, reach, spec.retrievers[name].top_k, name, answered=answered)


def _row(base: KnowledgeBase, document: str, loader: str) -> DocumentRow | None:
    catalog = base.index.catalog
    active = catalog.generations.active()
    rows = [row for row in catalog.documents(active.id) if loader in ("", row.loader)] if active else []
    exact = [row for row in rows if row.path == document]
    alike = [row for row in rows if document and row.path.endswith(document)]
    return next(iter(exact or alike), None)


def _is_of(candidate: Candidate, row: DocumentRow) -> bool:
    return (candidate.loader, candidate.document) == (row.loader, row.path)


def _farthest(passages: list[Candidate], fates: list[str]) -> Candidate:
    """The passage that came farthest, of several the best ranked."""
    order = [BELOW_TOP_K, *fates, "over context window", IN_CONTEXT, CITED]
    return max(passages, key=lambda each: (order.index(each.fate) if each.fate in order else 0, -each.rank))


def _ranked(
    best: Candidate, row: DocumentRow, reach: tuple[Reach, ...], top_k: int, name: str, *, answered: bool
) -> WhyNot:
    where: Where = "dropped"
    if best.fate == BELOW_TOP_K:
        where = "below top_k"
    elif best.fate == CITED:
        where = "cited"
    elif best.fate == IN_CONTEXT:
        where = "not cited" if answered else "in context"
    elif best.fate == "over context window":
        where = "not read"
    return WhyNot(
        row.path,
        where,
        error=row.error,
        fate=best.fate,
        retriever=name,
        rank=best.rank,
        top_k=top_k,
        score=best.score,
        passage=best,
        reach=reach,
    )


def _not_ranked(
    base: KnowledgeBase, question: str, name: str, row: DocumentRow, reach: tuple[Reach, ...]
) -> WhyNot:
    """For a document that the engine's retriever never saw: no part found it, or a fusion below kept it back."""
    spec = base.config.spec
    inquiry = _asked(base, spec, [name], question)
    for part, ranking in reversed(inquiry.found.items()):
        place = _best(ranking, row)
        top_k = spec.retrievers[part].top_k
        if place and place[0] > top_k:
            rank, score = place
            return WhyNot(
                row.path,
                "below top_k",
                error=row.error,
                retriever=part,
                rank=rank,
                top_k=top_k,
                score=score,
                reach=reach,
            )
    return WhyNot(row.path, "not found", error=row.error, reach=reach)


def _reach(base: KnowledgeBase, question: str, name: str, row: DocumentRow) -> tuple[Reach, ...]:
    """What each retriever without parts makes of the document, when it is asked for much more."""
    spec = base.config.spec
    leaves = _leaves(spec, name)
    deep = {leaf: spec.retrievers[leaf].model_copy(update={"top_k": DEPTH}) for leaf in leaves}
    asked = spec.model_copy(update={"retrievers": {**spec.retrievers, **deep}})
    inquiry = _asked(base, asked, leaves, question)
    found: list[Reach] = []
    for leaf in leaves:
        place = _best(inquiry.found[leaf], row)
        rank, score = place or (None, None)
        top_k = spec.retrievers[leaf].top_k
        if spec.retrievers[leaf].type == "keyword":
            words = base.index.analyser.query_terms(question)
            held = _held(base, inquiry.found[leaf], words, row)
            missing = tuple(word for word in words if word not in held)
            found.append(Reach(leaf, "keyword", top_k, rank, score, held, missing))
        else:
            if score is None:
                vector = inquiry.embedding or base.index.embed_question(question)
                near = base.index.similarities(vector, sorted(base.index.catalog.leaves(row.id)))
                score = max(near.values(), default=None)
            found.append(Reach(leaf, "vector", top_k, rank, score))
    return tuple(found)


def _leaves(spec: PipelineSpec, name: str) -> list[str]:
    """The retrievers without parts that one is made of, each once."""
    parts = parts_of(spec.retrievers[name])
    if not parts:
        return [name]
    return list(dict.fromkeys(leaf for part in parts for leaf in _leaves(spec, part)))


def _asked(base: KnowledgeBase, spec: PipelineSpec, names: list[str], question: str) -> Inquiry:
    """What retrievers of a config find, and all that they are made of."""
    from pipelines.components.runtime.inquiry import Inquiry

    inquiry = Inquiry(query_str=question)
    for name in names:
        retrievers(spec, name, base.index)[name].retrieve(inquiry)
    return inquiry


def _best(ranking: list[NodeWithScore], row: DocumentRow) -> tuple[int, float] | None:
    """Rank and score of the document's best passage."""
    for rank, hit in enumerate(ranking, 1):
        if hit.node.metadata.get("document_id") == row.id:
            return rank, hit.score or 0.0
    return None


def _held(
    base: KnowledgeBase, ranking: list[NodeWithScore], words: list[str], row: DocumentRow
) -> tuple[str, ...]:
    """The words of a question that the document's passages hold, or the parts that stand for a rare word."""
    hits = [hit for hit in ranking if hit.node.metadata.get("document_id") == row.id]
    if hits:
        return tuple(dict.fromkeys(word for hit in hits for word in hit.node.metadata.get("terms", ())))
    if len(ranking) < DEPTH:  # all that match are ranked
        return ()
    analyser: Analyser = base.index.analyser
    terms: set[str] = set()
    for node, text in base.index.catalog.nodes(row.id)[:_MOST_READ]:
        terms.update(analyser.index_terms(f"{node.heading}\n{node.table_header}\n{text}"))
    return tuple(word for word in words if word in terms)

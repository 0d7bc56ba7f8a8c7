"""A question in, an answer with its evidence out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pipelines.components.responses import Draft
from pipelines.errors import SearchaskError
from pipelines.querying.answer import Answer, Citation, Retrieval, Sentence
from pipelines.querying.citations import Checked, check, citation
from pipelines.querying.trace import BELOW_TOP_K, CITED, Stage, Trace
from pipelines.text.language import language_of

if TYPE_CHECKING:
    from llama_index.core.base.base_retriever import BaseRetriever
    from llama_index.core.llms import LLM
    from llama_index.core.postprocessor.types import BaseNodePostprocessor
    from llama_index.core.schema import NodeWithScore

    from pipelines.components.responses import Responder
    from pipelines.index import Index
    from pipelines.schema import PipelineSpec

LONGEST_QUESTION = 2_000
"""Characters of a question that are used; the rest of a longer one is left out, and the trace says so."""

_TRIES = 3
"""Searches for one question while an ingestion commits: each document must be seen whole, old or new."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


class QueryEngine:
    """One of the `query_engines` of a config over an open index; safe to use from several threads."""

    def __init__(self, spec: PipelineSpec, index: Index, engine: str = "") -> None:
        """Take the engine of that name, or the first; raises `SearchaskError` where there is none."""
        self.name = engine or next(iter(spec.query_engines))
        if self.name not in spec.query_engines:
            known = ", ".join(spec.query_engines)
            raise SearchaskError(f"no query engine is called {self.name!r}; there are: {known}")
        self.pipeline, self.index = spec, index
        self.spec = spec.query_engines[self.name]

    def ask(self, question: str) -> Answer:
        """The whole answer at once."""
        for piece in self.stream(question):
            if isinstance(piece, Answer):
                return piece
        raise AssertionError("a stream ends with an answer")

    def stream(self, question: str) -> Iterator[Retrieval | str | Answer]:
        """What was found, then pieces of text as they are written, then the `Answer`, whose text replaces them.

        Raises `SearchaskError` for an empty question and `EndpointError` where a model fails.
        """
        question, trace = self._begin(question)
        nodes = self._passages(question, trace)
        yield Retrieval(question, tuple(trace.candidates), trace)
        if not nodes:
            yield self._refusal(question, trace)
            return
        draft = Draft(refused=True)
        with trace.stage("write") as step:
            for piece in self._responder.respond(question, nodes, trace.language):
                if isinstance(piece, str):
                    yield piece
                else:
                    draft = piece
            step.tokens_in, step.tokens_out = draft.tokens_in, draft.tokens_out
        trace.prompt = list(draft.prompt)
        yield self._answer(question, nodes, draft, trace)

    def retrieve(self, question: str) -> Retrieval:
        """All that the engine's retriever ranked, and what the postprocessors would do to it."""
        question, trace = self._begin(question)
        self._passages(question, trace)
        return Retrieval(question, tuple(trace.candidates), trace)

    def _begin(self, question: str) -> tuple[str, Trace]:
        whole = _CONTROL.sub(" ", question).strip()
        if not whole:
            raise SearchaskError("the question is empty")
        kept = whole[:LONGEST_QUESTION]
        language = self.pipeline.language
        trace = Trace(self.name, self.spec.retriever, language_of(kept) if language == "auto" else language)
        if len(whole) > LONGEST_QUESTION:
            trace.notes.append(f"the question was cut from {len(whole):,} to {LONGEST_QUESTION:,} characters")
        return kept, trace

    def _passages(self, question: str, trace: Trace) -> Sequence[NodeWithScore]:
        """Retrieve and postprocess; the trace learns what became of each candidate."""
        from pipelines.components.runtime.retrievers import Inquiry

        for _ in range(_TRIES):
            inquiry = Inquiry(query_str=question)
            with self.index.pinned() as version:
                nodes = self._retriever.retrieve(inquiry)
            if self.index.refresh() == version:
                break
        trace.stages += [Stage(name, milliseconds) for name, milliseconds in inquiry.stages]
        ranking = inquiry.found.get(self.spec.retriever, nodes)
        trace.found(ranking)
        trace.dropped(ranking, nodes, BELOW_TOP_K)
        for fate, name, postprocessor in self._postprocessors:
            with trace.stage(name):
                kept = postprocessor.postprocess_nodes(nodes, query_bundle=inquiry)
            trace.dropped(nodes, kept, fate)
            nodes = kept
        return nodes

    def _answer(self, question: str, nodes: Sequence[NodeWithScore], draft: Draft, trace: Trace) -> Answer:
        if draft.used is not None:
            read = {nodes[position].node.node_id for position in draft.used}
            trace.mark({hit.node.node_id for hit in nodes} - read, "over context window")
        if draft.refused:
            return self._refusal(question, trace)
        with trace.stage("check citations"):
            written = (draft.text, nodes, trace.language, question, self._similar)
            checked = _quoted(draft, nodes) if draft.quotes else check(*written)
        if not checked.citations:
            # Nothing of what was written can be found in the documents.
            return self._refusal(question, trace)
        trace.mark({each.node for each in checked.citations}, CITED)
        return Answer(
            question,
            "answered",
            checked.text.strip(),
            tuple(checked.citations),
            tuple(checked.sentences),
            self.name,
            trace,
        )

    def _refusal(self, question: str, trace: Trace) -> Answer:
        text = self.spec.policy.refusal_in(trace.language)
        return Answer(question, "refused", text, (), (), self.name, trace)

    def _similar(self, claim: str, sentences: Sequence[str]) -> list[float]:
        """Cosine similarities of a claim with sentences in another language."""
        with self.index.pinned():
            wanted, *others = (self.index.embed_question(text) for text in [claim, *sentences])
        return [sum(a * b for a, b in zip(wanted, other, strict=True)) for other in others]

    @cached_property
    def _retriever(self) -> BaseRetriever:
        return retrievers(self.pipeline, self.spec.retriever, self.index)[self.spec.retriever]

    @cached_property
    def _postprocessors(self) -> list[tuple[str, str, BaseNodePostprocessor]]:
        return [(spec.fate, spec.type, spec.build()) for spec in self.spec.postprocessors]

    @cached_property
    def _responder(self) -> Responder:
        return self.spec.response.build(
            llm=self._llm() if self.spec.response.needs_llm else None, index=self.index
        )

    def _llm(self) -> LLM | None:
        llm: Any = self.pipeline.llm
        return llm.build() if llm is not None else None


def retrievers(spec: PipelineSpec, name: str, index: Index) -> dict[str, BaseRetriever]:
    """The retriever `name` and those it is made of, built, parts first."""
    built: dict[str, BaseRetriever] = {}

    def build(wanted: str) -> None:
        if wanted not in built:
            retriever = spec.retrievers[wanted]
            for part in getattr(retriever, "of", ()):
                build(part)
            built[wanted] = retriever.build(index=index, others=built, name=wanted)

    build(name)
    return built


def _quoted(draft: Draft, nodes: Sequence[NodeWithScore]) -> Checked:
    """An answer that is made of quotes: each on a line, with its number."""
    citations: list[Citation] = []
    sentences: list[Sentence] = []
    lines: list[str] = []
    for number, quote in enumerate(draft.quotes, 1):
        cited = citation(number, nodes[quote.node], quote.start, quote.end)
        words = " ".join(cited.quote.split()) if "|" not in cited.quote else cited.quote
        text = f"{quote.lead}\n{words}" if quote.lead else words
        citations.append(cited)
        sentences.append(Sentence(text, (number,), True))
        lines.append(f"{text} [{number}]")
    return Checked("\n".join(lines), citations, sentences)

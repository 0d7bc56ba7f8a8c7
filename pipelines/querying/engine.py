"""A question in, an answer with its evidence out."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pipelines.components.policies import Refusal, StrictPolicy
from pipelines.components.responses import Draft, Manner
from pipelines.errors import SearchaskError
from pipelines.querying.answer import Answer, Retrieval
from pipelines.querying.follow_up import CONDENSE, carry_on, recalled
from pipelines.querying.metering import Meter, charging, counting, settled
from pipelines.querying.searching import retrievers, searched
from pipelines.querying.suspicion import Secret, discreet, told_by
from pipelines.querying.trace import BELOW_TOP_K, CITED, Stage, Trace
from pipelines.querying.verdict import checked, without_sources
from pipelines.text.language import answered_in
from pipelines.words import Words

if TYPE_CHECKING:
    from llama_index.core.base.base_retriever import BaseRetriever
    from llama_index.core.llms import LLM
    from llama_index.core.postprocessor.types import BaseNodePostprocessor
    from llama_index.core.schema import NodeWithScore

    from pipelines.components.questions import Transform
    from pipelines.components.responses import Responder
    from pipelines.components.runtime.inquiry import Exchange, Inquiry
    from pipelines.components.runtime.moderation import Moderator
    from pipelines.filters import Filters
    from pipelines.index import Index
    from pipelines.models.counted import CountedLLM
    from pipelines.schema import PipelineSpec

LONGEST_QUESTION = 2_000
"""Characters of a question that are used; the rest of a longer one is left out, and the trace says so."""

_CUT = Words(
    "the question was cut from {size:,} to {kept:,} characters",
    "问题共 {size:,} 个字符，只使用了前 {kept:,} 个",
)

_TRIES = 3
"""Searches for one question while an ingestion commits: each document must be seen whole, old or new."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


class QueryEngine:
    """One of the `query_engines` of a config over an open index; safe to use from several threads."""

    def __init__(
        self,
        spec: PipelineSpec,
        index: Index,
        engine: str = "",
        *,
        meter: Meter | None = None,
        moderator: Moderator | None = None,
        notes: Sequence[Words] = (),
    ) -> None:
        """Take the engine of that name, or the first; raises `SearchaskError` where there is none.

        `notes` stand in every trace; `{engine}` in them is the engine's name.
        """
        self.meter, self.moderator, self.notes = meter, moderator, notes
        self.name = engine or next(iter(spec.query_engines))
        if self.name not in spec.query_engines:
            known = ", ".join(spec.query_engines)
            raise SearchaskError(f"no query engine is called {self.name!r}; there are: {known}")
        self.pipeline, self.index = spec, index
        self.spec = spec.query_engines[self.name]

    def ask(self, question: str, **asked: Any) -> Answer:
        """The whole answer at once; `asked` as for `stream`."""
        for piece in self.stream(question, **asked):
            if isinstance(piece, Answer):
                return piece
        raise AssertionError("a stream ends with an answer")

    def stream(
        self, question: str, *, history: Sequence[Exchange] = (), filters: Filters | None = None
    ) -> Iterator[Retrieval | str | Answer]:
        """What was found, then pieces of text as they are written, then the `Answer`, whose text replaces them.

        Raises `SearchaskError` for an empty question and `EndpointError` where a model fails.
        """
        inquiry, trace = self._begin(question, history, filters)
        with settled(self.meter, self.name, trace):
            if self.moderator is None:
                yield from counting(self._reply(inquiry, trace), self.index, self.meter, trace)
            else:
                from pipelines.querying.moderated import moderated

                yield from moderated(
                    self.moderator,
                    trace,
                    lambda: counting(self._reply(inquiry, trace), self.index, self.meter, trace),
                    lambda text: Answer(inquiry.question, "refused", text, (), (), self.name, trace),
                )

    def _reply(self, inquiry: Inquiry, trace: Trace) -> Generator[Retrieval | str | Answer, None, None]:
        nodes = self._passages(inquiry, trace)
        yield Retrieval(trace.question, tuple(trace.candidates), trace)
        if not nodes:
            yield from self._without_evidence(inquiry, trace)
            return
        if inquiry.parts and self.spec.response.needs_llm:
            with trace.stage("sub-answers"):
                for _, transform in self._transforms:
                    transform.read(inquiry, nodes)
        secret = self._secret(inquiry, nodes)
        draft = yield from _drafted("write", self._responder.respond(inquiry, nodes), secret, inquiry, trace)
        if answer := self._answer(inquiry, nodes, draft, trace):
            yield answer
        else:
            yield from self._without_evidence(inquiry, trace)

    def retrieve(self, question: str, **asked: Any) -> Retrieval:
        """All that the engine's retriever ranked, and what the postprocessors would do to it."""
        inquiry, trace = self._begin(question, **asked)
        with settled(self.meter, self.name, trace), charging(self.index, self.meter, trace):
            self._passages(inquiry, trace)
        return Retrieval(trace.question, tuple(trace.candidates), trace)

    def passages(self, question: str) -> tuple[Inquiry, Sequence[NodeWithScore]]:
        """The question as it was searched for, and what the postprocessors left of what was found."""
        inquiry, trace = self._begin(question)
        with settled(self.meter, self.name, trace), charging(self.index, self.meter, trace):
            return inquiry, self._passages(inquiry, trace)

    def _begin(
        self, question: str, history: Sequence[Exchange] = (), filters: Filters | None = None
    ) -> tuple[Inquiry, Trace]:
        from pipelines.components.runtime.inquiry import Inquiry

        whole = _CONTROL.sub(" ", question).strip()
        if not whole:
            raise SearchaskError("the question is empty")
        kept = whole[:LONGEST_QUESTION]
        language = self.pipeline.language
        language = answered_in(kept) if language == "auto" else language
        if filters and (said := self.index.unmatched(filters, language)):
            raise SearchaskError(said)
        trace = Trace(self.name, self.spec.retriever, language, kept)
        llm = self.counted(trace)
        inquiry = Inquiry(
            query_str=kept, asked=kept, language=language, llm=llm, history=history, filters=filters
        )
        trace.notes = inquiry.notes
        for words in self.notes:
            inquiry.note(words, engine=self.name)
        if len(whole) > LONGEST_QUESTION:
            inquiry.note(_CUT, size=len(whole), kept=LONGEST_QUESTION)
        return inquiry, trace

    def counted(self, trace: Trace | None = None) -> CountedLLM | None:
        """The LLM for one question, whose trace is told its calls, stopped where a limit would be passed."""
        from pipelines.models.counted import CountedLLM

        if self._llm is None:
            return None
        told = trace or Trace(self.name, self.spec.retriever, "")

        def before(tokens: int) -> None:
            if self.meter is not None:
                self.meter.before_call(told, tokens)

        llm = CountedLLM(self._llm, before=before)
        told.calls = llm.calls
        return llm

    def _passages(self, inquiry: Inquiry, trace: Trace) -> Sequence[NodeWithScore]:
        """Rewrite the question, retrieve and postprocess; the trace learns what became of each candidate."""
        if not any(name == CONDENSE for name, _ in self._transforms):
            carry_on(inquiry)
        for name, transform in self._transforms:
            with trace.stage(name):
                transform.apply(inquiry)
            if name == CONDENSE:
                carry_on(inquiry)
        trace.rewritten = inquiry.query_str if inquiry.query_str != inquiry.question else ""
        trace.variants = list(inquiry.variants)
        for _ in range(_TRIES):
            search = inquiry.beside(inquiry.query_str)
            search.variants, search.words = inquiry.variants, inquiry.words
            search.parts = inquiry.parts
            search.embedding = inquiry.embedding
            with self.index.pinned() as version:
                nodes = list(searched(self._retriever, search))
            if self.index.refresh() == version:
                break
        inquiry.found, inquiry.near, inquiry.reach = search.found, search.near, search.reach
        trace.stages += [Stage(name, milliseconds) for name, milliseconds in search.stages]
        ranking = search.found.get(self.spec.retriever, nodes)
        ranking, nodes = recalled(self.index, search, ranking, nodes)
        trace.found(ranking)
        trace.dropped(ranking, nodes, BELOW_TOP_K)
        for fate, name, postprocessor in self._postprocessors:
            with trace.stage(name):
                kept = postprocessor.postprocess_nodes(nodes, query_bundle=inquiry)
            trace.dropped(nodes, kept, fate)
            nodes = kept
        return nodes

    def _answer(
        self, inquiry: Inquiry, nodes: Sequence[NodeWithScore], draft: Draft, trace: Trace
    ) -> Answer | None:
        """The answer that a draft comes to; None where the passages hold none."""
        if draft.used is not None:
            read = {nodes[position].node.node_id for position in draft.used}
            trace.mark({hit.node.node_id for hit in nodes} - read, "over context window")
        if draft.refused:
            return None
        with trace.stage("check citations"):
            whole = checked(draft, nodes, trace.language, inquiry.query_str, self._similar)
        if not whole.citations and not self.spec.policy.open:
            # Nothing of what was written can be found in the documents.
            return None
        trace.mark({each.node for each in whole.citations}, CITED)
        return Answer(
            inquiry.question,
            "answered",
            whole.text.strip(),
            tuple(whole.citations),
            tuple(whole.sentences),
            self.name,
            trace,
        )

    def _without_evidence(self, inquiry: Inquiry, trace: Trace) -> Generator[str | Answer, None, None]:
        """What the policy says where the documents hold no answer: a refusal, or what the LLM knows itself."""
        policy = self.spec.policy
        if isinstance(policy, StrictPolicy):
            text = policy.refusal_in(trace.language)
            yield Answer(inquiry.question, "refused", text, (), (), self.name, trace)
            return
        from pipelines.components.runtime.written import from_model

        written = from_model(inquiry, self._manner)
        draft = yield from _drafted("own knowledge", written, self._secret(inquiry), inquiry, trace)
        if draft.refused:
            refusal = Refusal().zh if trace.language == "zh" else Refusal().en
            yield Answer(inquiry.question, "refused", refusal, (), (), self.name, trace)
            return
        text, label = without_sources(draft.text), policy.label_in(trace.language)
        yield Answer(inquiry.question, "from_model", text, (), (), self.name, trace, label=label)

    def _secret(self, inquiry: Inquiry, nodes: Sequence[NodeWithScore] = ()) -> Secret:
        """What the LLM is told, but for words that the question or a passage has as well."""
        return Secret(self._told, known=[inquiry.question, *(hit.node.get_content() for hit in nodes)])

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
        return [(spec.fate, spec.type, spec.build(index=self.index)) for spec in self.spec.postprocessors]

    @cached_property
    def _transforms(self) -> list[tuple[str, Transform]]:
        return [(spec.type, spec.build(index=self.index)) for spec in self.spec.question]

    @cached_property
    def _responder(self) -> Responder:
        return self.spec.response.build(index=self.index, manner=self._manner)

    @cached_property
    def _manner(self) -> Manner:
        return Manner(self.pipeline.prompts, self.pipeline.language, self.spec.policy.open)

    @property
    def writes(self) -> bool:
        """Whether a model writes its answers."""
        return self.spec.response.needs_llm or self.spec.policy.needs_llm

    @cached_property
    def _told(self) -> tuple[str, ...]:
        return told_by(self.pipeline.prompts, self.spec.response) if self.writes else ()

    @cached_property
    def _llm(self) -> LLM | None:
        llm: Any = self.pipeline.llm
        return llm.build() if llm is not None else None


def _drafted(
    stage: str, written: Iterator[str | Draft], secret: Secret, inquiry: Inquiry, trace: Trace
) -> Generator[str, None, Draft]:
    """Pieces of a text as they are written, until they repeat what the LLM alone is told; the draft at the end."""
    draft = Draft(refused=True)
    with trace.stage(stage) as step:
        for piece in secret.until_repeated(written):
            if isinstance(piece, str):
                yield piece
            else:
                draft = piece
        step.tokens_in, step.tokens_out = draft.tokens_in, draft.tokens_out
    trace.prompt += draft.prompt
    return discreet(draft, secret, inquiry)

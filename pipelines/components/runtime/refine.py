"""Answers written from the first passage and bettered with each further one, by LlamaIndex's refine loop."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import Any, ClassVar

from llama_index.core.callbacks import CallbackManager
from llama_index.core.indices.prompt_helper import ChatPromptHelper, PromptHelper
from llama_index.core.prompts import BasePromptTemplate
from llama_index.core.response_synthesizers import refine
from llama_index.core.schema import NodeWithScore, TextNode

from pipelines.components.runtime.fence import NO_ANSWER, cut, each_fitting, unfenced
from pipelines.components.runtime.written import Streamed, Task, pieces, until_told

LONGEST = 600
"""Tokens of an answer so far that are sent with the next passage."""

BETTER = {
    "zh": "问题：{query_str}\n\n目前的答案：\n{existing_answer}\n\n更多资料：\n\n{context_msg}\n\n"
    "用这些资料改进答案，保留原有的资料编号。如果它们没有用，就原样重复目前的答案。",
    "en": "Question: {query_str}\n\nThe answer so far:\n{existing_answer}\n\nMore passages:\n\n{context_msg}\n\n"
    "Better the answer with them, and keep its numbers in square brackets. Where they add nothing, repeat the "
    "answer so far as it is.",
}


class Refine(Streamed):
    """One call for each passage; the last one streams to the caller."""

    name: ClassVar[str] = "refine"
    extra: ClassVar[int] = LONGEST + 100

    def taken(self, nodes: Sequence[NodeWithScore], room: int, mark: str) -> dict[int, str]:
        """All passages: each is in a call of its own."""
        return each_fitting(nodes, room, mark)

    def stream(self, task: Task) -> Iterator[str]:
        """The last answer as it is written."""
        metadata = task.llm.metadata
        first = task.template()
        synthesizer = refine.Refine(
            llm=task.llm,
            text_qa_template=first,
            refine_template=task.template(BETTER[task.tongue]),
            prompt_helper=Whole.from_llm_metadata(metadata),
            chat_prompt_helper=ChatPromptHelper.from_llm_metadata(metadata),
            callback_manager=CallbackManager(),
            streaming=True,
            structured_answer_filtering=True,  # without it LlamaIndex takes no program of ours
            program_factory=lambda template: Step(task, first, template),
        )
        blocks = task.blocks.values()
        response: Any = synthesizer.synthesize(
            task.question, [NodeWithScore(node=TextNode(text=block), score=1.0) for block in blocks]
        )
        yield from response.response_gen


class Whole(PromptHelper):
    """Leaves passages as they are: they fit, and what LlamaIndex cuts loses its tags."""

    def repack(self, prompt: BasePromptTemplate, text_chunks: Sequence[str], *_: Any, **__: Any) -> list[str]:
        """The same."""
        return list(text_chunks)


class Step(refine.DefaultRefineProgram):
    """One call; where the model finds nothing in a passage, the answer so far stays."""

    def __init__(self, task: Task, first: BasePromptTemplate, template: BasePromptTemplate) -> None:
        super().__init__(prompt=template, llm=task.llm)
        self._task, self._first = task, first

    def stream_call(self, *args: Any, **given: Any) -> Generator[refine.StructuredRefineResponse, None, None]:
        """Pieces of the next answer."""
        before = str(self._prompt.kwargs.get("existing_answer") or "")
        text = ""
        for piece in until_told(pieces(self._task.llm, self._messages(before, given))):
            text += piece
            if NO_ANSWER not in text:
                yield _piece(piece)
        if NO_ANSWER in text or not text.strip():
            yield _piece(before or text)

    def _messages(self, before: str, given: dict[str, Any]) -> Any:
        passage = given.get("context_msg") or given.get("context_str")
        if not before.strip() or NO_ANSWER in before:
            messages = self._first.format_messages(context_str=passage, query_str=self._task.question)
        else:
            # It was written from documents, and may be as long as the model likes.
            so_far = self._prompt.partial_format(existing_answer=cut(unfenced(before), LONGEST))
            messages = so_far.format_messages(context_msg=passage)
        return self._task.sent(messages)


def _piece(text: str) -> refine.StructuredRefineResponse:
    return refine.StructuredRefineResponse(answer=text, query_satisfied=True)

"""Answers written from answers to parts of the passages, by LlamaIndex's tree summarizer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from llama_index.core.callbacks import CallbackManager
from llama_index.core.indices.prompt_helper import ChatPromptHelper, PromptHelper
from llama_index.core.prompts import BasePromptTemplate
from llama_index.core.response_synthesizers import TreeSummarize
from llama_index.core.schema import NodeWithScore, TextNode
from pydantic import PrivateAttr

from pipelines.components.runtime.fence import NO_ANSWER, cut, each_fitting, tag_of, unfenced
from pipelines.components.runtime.inquiry import Inquiry
from pipelines.components.runtime.written import Streamed, Task, spoken, tongue_of
from pipelines.text.tokens import count_tokens

KEEP = {
    "zh": "资料里已有的方括号编号要原样保留。",
    "en": "Keep numbers in square brackets that passages already have as they are.",
}


class Tree(Streamed):
    """One call for each windowful of passages, then one for each windowful of their answers, up to one."""

    name: ClassVar[str] = "tree_summarize"

    def task(self, inquiry: Inquiry, *more: str) -> Task:
        """What is to be done; answers that are read again keep their numbers."""
        return super().task(inquiry, KEEP[tongue_of(inquiry)], *more)

    def taken(self, nodes: Sequence[NodeWithScore], room: int, mark: str) -> dict[int, str]:
        """All passages: they are spread over as many calls as they need."""
        return each_fitting(nodes, room, mark)

    def stream(self, task: Task) -> Iterator[str]:
        """The last answer as it is written."""
        metadata = task.llm.metadata
        synthesizer = TreeSummarize(
            llm=task.llm,
            summary_template=task.template(),
            prompt_helper=_windows(task),
            chat_prompt_helper=ChatPromptHelper.from_llm_metadata(metadata),
            callback_manager=CallbackManager(),
            streaming=True,
        )
        blocks = task.blocks.values()
        try:
            response: Any = synthesizer.synthesize(
                task.question, [NodeWithScore(node=TextNode(text=block), score=1.0) for block in blocks]
            )
        except NoneAnswered as none:
            yield str(none)
            return
        yield from spoken(response.response_gen)


class NoneAnswered(Exception):
    """No part of the passages holds an answer; its text is the sign for that, or empty where nothing was said."""


class Windows(PromptHelper):
    """Groups whole passages to windows; what LlamaIndex cuts loses its tags.

    From the second time on it is given answers: the least of them are left out, and each is cut so that two fit
    a window and the tree comes to an end whatever a model writes.
    """

    _task: Task = PrivateAttr()
    _level: int = PrivateAttr(default=0)

    def repack(self, prompt: BasePromptTemplate, text_chunks: Sequence[str], *_: Any, **__: Any) -> list[str]:
        """Texts for one call each."""
        texts = list(text_chunks)
        if self._level:
            texts = ["".join(spoken(iter([text]))) for text in texts]
            said = [text for text in texts if text.strip() and NO_ANSWER not in text]
            if not said:
                raise NoneAnswered(NO_ANSWER if any(map(str.strip, texts)) else "")
            # They were written from documents, and are as little to be obeyed.
            tag = tag_of(self._task.mark)
            opening, closing = f"<{tag}>\n", f"\n</{tag}>"
            limit = self._task.room // 2 - count_tokens(opening + closing) - 10
            texts = [opening + cut(unfenced(text), limit) + closing for text in said]
        self._level += 1
        groups = [[texts[0]]]
        left = self._task.room - count_tokens(texts[0]) - 2
        for text in texts[1:]:
            size = count_tokens(text) + 2
            if size > left:
                groups.append([])
                left = self._task.room
            groups[-1].append(text)
            left -= size
        whole = ["\n\n".join(group) for group in groups]
        for each in whole:
            self._task.sent(prompt.format_messages(context_str=each))
        return whole


def _windows(task: Task) -> Windows:
    helper = Windows.from_llm_metadata(task.llm.metadata)
    assert isinstance(helper, Windows)
    helper._task = task
    return helper

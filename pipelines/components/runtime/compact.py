"""Answers written from all passages at once, through LlamaIndex's compact response synthesizer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from llama_index.core import get_response_synthesizer
from llama_index.core.callbacks import CallbackManager
from llama_index.core.indices.prompt_helper import ChatPromptHelper, PromptHelper
from llama_index.core.response_synthesizers import ResponseMode
from llama_index.core.schema import NodeWithScore, TextNode

from pipelines.components.runtime.written import Streamed, Task, spoken


class Compact(Streamed):
    """One call with all passages that fit the window."""

    name: ClassVar[str] = "compact"

    def stream(self, task: Task) -> Iterator[str]:
        """The answer as it is written."""
        metadata, template = task.llm.metadata, task.template()
        # Whatever is not given here comes from LlamaIndex's global Settings.
        synthesizer = get_response_synthesizer(
            llm=task.llm,
            response_mode=ResponseMode.COMPACT,
            text_qa_template=template,
            refine_template=template,
            prompt_helper=PromptHelper.from_llm_metadata(metadata),
            chat_prompt_helper=ChatPromptHelper.from_llm_metadata(metadata),
            callback_manager=CallbackManager(),
            streaming=True,
        )
        blocks = list(task.blocks.values())
        # LlamaIndex joins passages in the same way.
        task.sent(template.format_messages(context_str="\n\n".join(blocks), query_str=task.question))
        response: Any = synthesizer.synthesize(
            task.question, [NodeWithScore(node=TextNode(text=block), score=1.0) for block in blocks]
        )
        yield from spoken(response.response_gen)

"""Answers that are a JSON object, checked against a schema."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from llama_index.core.llms import ChatMessage
from llama_index.core.schema import NodeWithScore

from pipelines.components.responses import Draft, Instructions, Manner
from pipelines.components.runtime.fence import NO_ANSWER, cut, unfenced
from pipelines.components.runtime.inquiry import Inquiry
from pipelines.components.runtime.json_values import found, misfit, only_json, told
from pipelines.components.runtime.written import Task, Written, guarded, pieces, spent, tongue_of, written
from pipelines.errors import EndpointError
from pipelines.models.counted import described
from pipelines.models.endpoint import named

AGAIN = 400
"""Tokens of a wrong answer that are shown to the model again, and of what is said of it."""

FORM = {
    "zh": "只回复一个符合下面 JSON Schema 的 JSON 对象，不写别的，不写资料编号。值尽量照抄资料原文。\n\n{schema}",
    "en": "Reply with one JSON object that fits the JSON schema below and nothing else, without numbers of passages. "
    "Keep to the words of the passages in its values.\n\n{schema}",
}
WRONG = {
    "zh": "这不符合要求：{why}。请只回复符合 JSON Schema 的 JSON 对象。",
    "en": "That is not what was asked for: {why}. Reply with one JSON object that fits the JSON schema, and nothing "
    "else.",
}
NO_JSON = {"zh": "回复里没有 JSON 对象", "en": "there is no JSON object in it"}


class Structured(Written):
    """One call, and another one with the reason where its JSON does not fit."""

    name: ClassVar[str] = "structured"
    extra: ClassVar[int] = AGAIN + 100

    def __init__(self, manner: Manner, instructions: Instructions, schema: dict[str, Any]) -> None:
        super().__init__(manner, instructions)
        self.schema = schema

    def respond(self, inquiry: Inquiry, nodes: Sequence[NodeWithScore]) -> Iterator[str | Draft]:
        """The JSON as it is written, a second try on a new line, then the draft; raises `EndpointError`."""
        tongue = tongue_of(inquiry)
        task = self.task(inquiry, FORM[tongue].format(schema=json.dumps(self.schema, ensure_ascii=False)))
        calls = len(task.llm.calls)
        self.read(task, inquiry, nodes)
        context = "\n\n".join(task.blocks.values())
        messages: Sequence[ChatMessage] = task.template().format_messages(
            context_str=context, query_str=task.question
        )
        why = ""
        for attempt in (1, 2):
            text = ""
            for piece, shown in only_json(guarded(task.llm, pieces(task.llm, task.sent(messages)))):
                text += piece
                if shown:
                    yield "\n" + shown if attempt == 2 and why else shown
                    why = ""
            written(task.llm, text)
            value = found(text)
            refused = value is None and NO_ANSWER in text
            why = "" if refused else NO_JSON[tongue] if value is None else misfit(value, self.schema)
            if not why:
                yield Draft(
                    text="" if refused else told(value),
                    form="json",
                    refused=refused,
                    used=tuple(task.blocks),
                    prompt=tuple(task.prompt),
                    **spent(task.llm, calls),
                )
                return
            messages = self._again(task, messages, text, why)
        raise EndpointError(
            f"{named(*described(task.llm))}: no JSON that fits the schema, asked twice: {why}"
        )

    def _again(
        self, task: Task, messages: Sequence[ChatMessage], text: str, why: str
    ) -> Sequence[ChatMessage]:
        """The same once more, with what was wrong."""
        said = cut(unfenced(text), AGAIN - 150)
        return [
            *messages,
            ChatMessage(role="assistant", content=said),
            ChatMessage(role="user", content=WRONG[task.tongue].format(why=why)),
        ]

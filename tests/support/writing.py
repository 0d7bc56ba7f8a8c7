"""What tests of written answers share: passages, a model behind a server, and a question for it."""

from __future__ import annotations

from typing import Any

from llama_index.core.schema import NodeWithScore, TextNode
from llama_index.llms.openai_like import OpenAILike
from pydantic import TypeAdapter

from pipelines.components.responses import Draft, Manner, Response
from pipelines.components.runtime.inquiry import Inquiry
from pipelines.models.counted import CountedLLM


def node(text: str, document: str = "a.md", **metadata: str) -> NodeWithScore:
    """A passage."""
    return NodeWithScore(node=TextNode(text=text, metadata={"document": document, **metadata}), score=1.0)


def llm(url: str, **options: object) -> OpenAILike:
    """A model at an address."""
    told = {"context_window": 4000, "max_retries": 0, "timeout": 5.0, **options}
    return OpenAILike(model="small", api_base=url, api_key="sk-very-secret", is_chat_model=True, **told)


def asked(question: str, language: str, model: OpenAILike | None) -> Inquiry:
    """A question on its way."""
    return Inquiry(query_str=question, language=language, llm=CountedLLM(model) if model else None)


def response(
    spec: dict[str, Any], inquiry: Inquiry, nodes: list[NodeWithScore], **manner: Any
) -> list[str | Draft]:
    """What a response of a config writes: pieces, then the draft."""
    responder = TypeAdapter(Response).validate_python(spec).build(index=None, manner=Manner(**manner))
    return list(responder.respond(inquiry, nodes))

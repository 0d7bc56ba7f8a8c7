"""Which model turns text into vectors: `embed_model:`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pipelines.components.embed_models.here import FakeModel, FastEmbedModel, HuggingFaceModel, LocalModel
from pipelines.components.embed_models.other import LlamaIndexModel
from pipelines.components.embed_models.remote import OllamaModel, OpenAILikeModel, OpenAIModel

__all__ = [
    "EmbedModel",
    "FakeModel",
    "FastEmbedModel",
    "HuggingFaceModel",
    "LlamaIndexModel",
    "LocalModel",
    "OllamaModel",
    "OpenAILikeModel",
    "OpenAIModel",
]

EmbedModel = Annotated[
    LocalModel
    | FakeModel
    | OpenAIModel
    | OpenAILikeModel
    | HuggingFaceModel
    | FastEmbedModel
    | OllamaModel
    | LlamaIndexModel,
    Field(discriminator="type"),
]

"""The derived stores of a generation: where they lie, and how to open them."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Any

from pydantic import SecretStr, TypeAdapter

from pipelines.catalog.mirrored import MirroredIndex
from pipelines.catalog.rows import COLLECTION, Generation
from pipelines.components.embed_models import EmbedModel
from pipelines.components.vector_stores import VectorStore
from pipelines.index import KeywordIndex, VectorIndex
from pipelines.keyword import TantivyIndex
from pipelines.schema import KeywordSpec, PipelineSpec
from pipelines.spec import Spec
from pipelines.text.analyser import Analyser
from pipelines.vectors.chroma import DamagedVectors

_PARTS: dict[str, Any] = {"embed_model": EmbedModel, "vector_store": VectorStore, "keyword": KeywordSpec}
"""The parts of a config that decide what a generation is."""


def recipe(spec: PipelineSpec) -> str:
    """What a new generation is built with, as JSON: parts of a config without secrets, and a name for its vectors."""
    parts: dict[str, Any] = {name: _open_fields(getattr(spec, name)) for name in _PARTS}
    return json.dumps({**parts, COLLECTION: f"searchask_{secrets.token_hex(8)}"}, sort_keys=True)


def as_built(spec: PipelineSpec, generation: Generation) -> PipelineSpec:
    """The config with the parts that a generation was built with, so that it can be read after an edit.

    Keys, addresses and the like are today's where the part still has the same type.
    """
    parts: dict[str, Spec] = {}
    recipe = json.loads(generation.recipe)
    for name in _PARTS:
        written = recipe[name]
        now: Spec = getattr(spec, name)
        fields = now.model_dump(by_alias=True, exclude_unset=True)
        today = {key: fields[key] for key in now.operational & fields.keys()}
        same_type = fields.get("type") == written.get("type")
        then: Spec = TypeAdapter(_PARTS[name]).validate_python({**written, **(today if same_type else {})})
        parts[name] = now if then.identity() == now.identity() else then
    return spec.model_copy(update=parts)


def _open_fields(part: Spec) -> dict[str, Any]:
    secret = {name for name, value in part if isinstance(value, SecretStr)}
    return part.model_dump(mode="json", by_alias=True, exclude=secret, exclude_unset=True)


def keyword_folder(storage: Path, generation: Generation) -> Path:
    """Where the keyword index of a generation lives."""
    return storage / "keyword" / generation.collection


def open_vectors(
    spec: PipelineSpec, storage: Path, generation: Generation, *, holding: int = 0
) -> VectorIndex:
    """The vectors of a generation; raises StorageError where they can't be opened.

    Raises DamagedVectors where fewer than `holding` are there: opening makes what is missing, empty.
    """
    embedded = getattr(spec.vector_store, "host", "") is None
    if embedded and storage.is_dir() and not os.access(storage, os.W_OK):
        raise DamagedVectors(f"{storage}: it is read-only, and Chroma must write to read")
    if holding and not spec.vector_store.present(storage):
        raise DamagedVectors(f"{storage}: the vectors are gone; run ingest, which builds them again")
    vectors = spec.vector_store.build(
        storage=storage, collection=generation.collection, dimension=generation.dimension
    )
    if holding and spec.vector_store.type == "chroma" and vectors.count() < holding:
        vectors.close()
        raise DamagedVectors(f"{storage}: some vectors are gone; run ingest, which builds them again")
    return vectors


def open_keywords(
    spec: PipelineSpec, storage: Path, generation: Generation, *, writable: bool
) -> KeywordIndex:
    """The keyword index of a generation; raises StorageError where it can't be opened."""
    analyser = Analyser(dictionary=tuple(spec.keyword.dictionary))
    folder = keyword_folder(storage, generation)
    if folder.is_dir() and not writable and not os.access(folder, os.W_OK):
        return MirroredIndex(folder, analyser)
    return TantivyIndex(folder, analyser, writable=writable)


def intact(spec: PipelineSpec, storage: Path, generation: Generation) -> bool:
    """Whether the files of a generation's stores are there; a look, no check of what is in them."""
    if not generation.dimension:
        return True
    return has_keywords(storage, generation) and spec.vector_store.present(storage)


def has_keywords(storage: Path, generation: Generation) -> bool:
    """Whether the keyword index of a generation is there."""
    return (keyword_folder(storage, generation) / "meta.json").is_file()

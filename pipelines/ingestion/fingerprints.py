"""What a result depends on, per stage; equal fingerprints mean that the work need not be done again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import PurePosixPath

from pipelines.components.extraction import READ_VERSION, LLMExtract
from pipelines.reading import READER_VERSION
from pipelines.schema import PipelineSpec
from pipelines.spec import Spec, fingerprint
from pipelines.text import terms
from pipelines.text.analyser import Analyser

CUT_VERSION = 1
"""Counts up when the same node parser options would cut or describe a text otherwise."""


def content_hash(content: bytes) -> str:
    """The identity of a document's bytes: 128 bits of BLAKE2b in hexadecimal."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class LoadKey:
    """How one loader reads: with the bytes and the file's ending it is the load fingerprint."""

    options: str

    @classmethod
    def of(cls, loader: Spec) -> LoadKey:
        """The options of a loader that decide the text it gives."""
        return cls(fingerprint("load", READER_VERSION, loader.identity()))

    def of_content(self, path: str, content: str) -> str:
        """The load fingerprint of bytes with a given hash, under a given name."""
        text = f"{self.options}\n{PurePosixPath(path).suffix.lower()}\n{content}"
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def parse_key(spec: PipelineSpec) -> str:
    """The parse fingerprint: the node parser and its options."""
    return fingerprint("parse", CUT_VERSION, spec.node_parser.identity())


def graph_key(spec: PipelineSpec) -> str:
    """How the names in the graph are found; empty where no retriever follows them."""
    if not any(retriever.type == "graph" for retriever in spec.retrievers.values()):
        return ""
    read = paths_key(spec)
    return fingerprint("graph", terms.VERSION, sorted(spec.keyword.dictionary), *([read] if read else []))


def extraction(spec: PipelineSpec) -> LLMExtract | None:
    """How an LLM reads passages for the graph; None where none does."""
    asked = (each.extract for each in spec.retrievers.values() if each.type == "graph")
    return next((each for each in asked if each.type == "llm"), None)


def paths_key(spec: PipelineSpec) -> str:
    """Which model reads passages and what it is told: the key of what it said; empty where none does."""
    extract = extraction(spec)
    if extract is None or spec.llm is None:
        return ""
    # How freely and how long it answers questions is no reason to have it read everything again.
    named = ("type", "model", "class_", "args")
    model = {name: value for name, value in spec.llm.identity().items() if name in named}
    return fingerprint("paths", READ_VERSION, extract.identity(), model)


def embed_key(spec: PipelineSpec) -> str:
    """The embed fingerprint: the model and the options that change its vectors; the key of the cache.

    An adapter is no part of it: it moves questions, so an index stays right whichever there is.
    """
    return spec.embed_model.key


def generation_key(spec: PipelineSpec) -> str:
    """What one index is built with: embed model, vector store and keyword analyser."""
    analyser = Analyser(dictionary=tuple(spec.keyword.dictionary))
    return fingerprint("generation", embed_key(spec), spec.vector_store.identity(), analyser.fingerprint)

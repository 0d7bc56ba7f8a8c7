"""LlamaIndex as its documentation shows it: `SimpleDirectoryReader`, `SentenceSplitter`, `ChromaVectorStore`."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llama_index.core.base.embeddings.base import BaseEmbedding
    from llama_index.core.node_parser import SentenceSplitter
    from llama_index.vector_stores.chroma import ChromaVectorStore


def splitter(chunk_size: int, overlap: int) -> SentenceSplitter:
    """The splitter with its defaults: punkt for sentences, tiktoken for lengths."""
    # nltk refuses files that are hard-linked, as some installers leave them: a plain copy is the same data.
    import llama_index.core

    held = Path(llama_index.core.__file__).parent / "_static" / "nltk_cache"
    copy = Path(tempfile.gettempdir()) / f"searchask-bench-nltk-{os.getpid()}"
    shutil.copytree(held, copy)
    os.environ["NLTK_DATA"] = str(copy)
    from llama_index.core.node_parser import SentenceSplitter

    try:
        made = SentenceSplitter(chunk_size=chunk_size, chunk_overlap=overlap)
        made.split_text("The first one loads all that is needed. So does 第二句。" * 100)
    finally:
        shutil.rmtree(copy)
    return made


def store(folder: str) -> ChromaVectorStore:
    """A persistent Chroma collection behind LlamaIndex's store."""
    import chromadb
    from llama_index.vector_stores.chroma import ChromaVectorStore

    collection = chromadb.PersistentClient(folder).get_or_create_collection("bench")
    return ChromaVectorStore(chroma_collection=collection)


def fake_model() -> BaseEmbedding:
    """The instantaneous embedding model, the same one that is measured with on our side."""
    from pipelines.components.embed_models import FakeModel

    return FakeModel(type="fake").build()

"""Searchask, with the settings that the stock side has."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from tests.bench.measure import Clock


def write_config(
    folder: Path, documents: Path, *, chunk_size: int = 512, overlap: int = 64, model: str = "fake"
) -> Path:
    """Write a config over a folder of documents, its storage beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "config.yaml"
    lines = [
        "storage: storage",
        f"loaders: {{files: {{type: folder, path: {os.path.relpath(documents, folder)}}}}}",
        f"node_parser: {{type: sentence, chunk_size: {chunk_size}, chunk_overlap: {overlap}}}",
        f"embed_model: {{type: {model}}}",
    ]
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


def warm(model: str = "fake") -> None:
    """Take in one small document, so that libraries, tables and models are loaded before time is taken."""
    with tempfile.TemporaryDirectory() as folder:
        documents = Path(folder) / "docs"
        documents.mkdir()
        (documents / "one.txt").write_text("The first document is small. 第一个文档很小。", encoding="utf-8")
        ingest(write_config(Path(folder) / "kb", documents, model=model))


def ingest(file: str | Path) -> dict[str, Any]:
    """Ingest a config: seconds of wall and CPU, and chunks written."""
    from pipelines.config import load_config
    from pipelines.ingestion.run import ingest as run

    clock = Clock()
    summary = run(load_config(file))
    spent = clock.read()
    assert summary.outcome == "done", summary.to_dict()
    return {**spent, "chunks": summary.written}


def fake_passages() -> None:
    """Let the `local` model, in this process, embed passages by the fake one in no time; questions stay real."""
    from pipelines.models import local
    from tests.bench.stock import fake_model

    fake = fake_model()
    local.LocalEmbedding._get_text_embeddings = (  # type: ignore[method-assign]
        lambda self, texts: [fake.get_text_embedding(text) for text in texts]
    )

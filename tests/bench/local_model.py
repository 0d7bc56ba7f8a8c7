"""With the `local` model: a whole ingestion, against embedding the same chunks alone."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from tests.bench.measure import Row, alternate, in_process, tell
from tests.bench.texts import english_folder

_FILES = 3


def both(file: str) -> dict[str, Any]:
    """Ingest, then embed the texts that were stored, by the same model in the same process."""
    from pipelines.catalog import Catalog
    from pipelines.config import load_config
    from pipelines.models.local import LocalEmbedding
    from tests.bench.ours import ingest, warm

    warm("local")
    whole = ingest(file)
    catalog = Catalog(load_config(file).storage)
    active = catalog.generations.active()
    assert active is not None
    texts = [text for row in catalog.documents(active.id) for _, text in catalog.nodes(row.id)]
    catalog.close()
    model = LocalEmbedding(model_name="multilingual-e5-small", embed_batch_size=32)
    began = time.perf_counter()
    model.get_text_embedding_batch(texts)
    return {"whole": whole["seconds"], "alone": time.perf_counter() - began, "chunks": len(texts)}


def rows(work: Path) -> list[Row]:
    """One row."""
    from tests.bench.ours import write_config

    tell("whole ingestion with the local model")
    documents = work / "local-docs"
    documents.mkdir()
    for source in sorted(english_folder(work / "english").iterdir())[:: 600 // _FILES]:
        (documents / source.name).write_bytes(source.read_bytes())

    def run(turn: int) -> dict[str, Any]:
        folder = work / f"local-{turn}"
        return in_process(both, write_config(folder, documents, chunk_size=128, overlap=16, model="local"))

    (measured,) = alternate(3, run)
    ratio = measured["whole"] / measured["alone"]
    return [
        Row(
            "whole ingestion, `local` model",
            f"{measured['whole']:.1f} s",
            f"{measured['alone']:.1f} s, embedding alone",
            f"{ratio:.2f}×",
            "≤ 1.1×",
            ratio <= 1.1,
            f"{measured['chunks']:,.0f} English chunks of up to 128 tokens; afterwards the same process embeds the "
            "same texts with the same model and nothing else. Median of 3.",
        )
    ]

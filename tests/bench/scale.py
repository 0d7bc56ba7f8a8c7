"""50,000 Chinese chunks: memory against 5,000, keyword queries, and whole retrieval."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Any

from tests.bench.measure import Row, in_process, p50, tell
from tests.bench.texts import chinese_folder, chinese_source, questions

_CHUNKS = 50_000
_CHARACTERS = 155
"""Of text for each chunk of 256 tokens with an overlap of 32."""


def write(folder: str, characters: int) -> dict[str, Any]:
    """Write documents, in a process of their own since drawing them takes memory."""
    chinese_folder(Path(folder), characters)
    return {}


def taken_in(file: str) -> dict[str, Any]:
    """Ingest with the `local` model, its passages faked."""
    from tests.bench.ours import fake_passages, ingest

    fake_passages()
    return ingest(file)


def keyword(file: str, asked: list[str]) -> dict[str, Any]:
    """p50 of a keyword query: of the index alone, and with texts and places from the catalog."""
    from pipelines.catalog import Catalog
    from pipelines.catalog.derived import open_keywords
    from pipelines.config import load_config
    from pipelines.querying.index import OpenIndex

    config = load_config(file)
    catalog = Catalog(config.storage)
    active = catalog.generations.active()
    assert active is not None
    index = open_keywords(config.spec, config.storage, active, writable=False)
    hits = [len(index.search(question, 20)) for question in asked]
    alone = p50(lambda question: index.search(question, 20), asked)
    opened = OpenIndex(config)
    p50(lambda question: opened.matching(question, 20), asked[:20])
    whole = p50(lambda question: opened.matching(question, 20), asked)
    return {"alone": alone, "whole": whole, "hits": statistics.median(hits), "count": index.count()}


def retrieval(file: str, asked: list[str]) -> dict[str, Any]:
    """p50 of embedding a question, and of the whole retrieval by fusion, in turn."""
    from pipelines.config import load_config
    from pipelines.models.local import LocalEmbedding
    from pipelines.querying.knowledge_base import KnowledgeBase

    model = LocalEmbedding(model_name="multilingual-e5-small")
    with KnowledgeBase(load_config(file)) as base:
        for question in asked[:5]:
            model.get_query_embedding(question)
            base.retrieve(question)
        alone, whole = [], []
        for question in asked[5:]:
            began = time.perf_counter()
            model.get_query_embedding(question)
            between = time.perf_counter()
            base.retrieve(question)
            alone.append((between - began) * 1000)
            whole.append((time.perf_counter() - between) * 1000)
    return {"alone": statistics.median(alone), "whole": statistics.median(whole)}


def rows(work: Path, names: set[str]) -> list[Row]:
    """Memory, keyword and retrieval, as far as they are asked for."""
    _, small = _ingested(work / "scale-few", _CHUNKS // 10)
    many, large = _ingested(work / "scale-many", _CHUNKS)
    found = []
    if "memory" in names:
        more = large["peak"] - small["peak"]
        found.append(
            Row(
                f"memory at {large['chunks']:,} chunks",
                f"{large['peak']:,.0f} MB, {more:+,.0f} MB over {small['chunks']:,} chunks",
                "–",
                "–",
                "≤ 200 MB more",
                more <= 200,
                "Peak memory of an ingestion process, fake embedding, against that of another with a tenth of the "
                f"documents ({large['chunks'] / large['seconds']:,.0f} chunks a second).",
            )
        )
    if "keyword" in names:
        found.append(_keyword(many))
    if "retrieval" in names:
        found.append(_retrieval(many))
    return found


def _ingested(folder: Path, chunks: int) -> tuple[Path, dict[str, Any]]:
    from tests.bench.ours import write_config

    tell(f"{chunks:,} Chinese chunks")
    in_process(write, folder / "docs", chunks * _CHARACTERS)
    file = write_config(folder / "kb", folder / "docs", chunk_size=256, overlap=32, model="local")
    return file, in_process(taken_in, file)


def _keyword(file: Path) -> Row:
    tell("keyword queries")
    asked = questions(file.parents[1] / "docs", 250)
    run = in_process(keyword, file, asked)
    return Row(
        f"keyword query, {run['count']:,} Chinese chunks",
        f"p50 {run['alone']:.2f} ms, {run['whole']:.2f} ms with texts from the catalog",
        "–",
        "–",
        "≤ 2 ms",
        run["alone"] <= 2,
        f"250 questions of 10 to 25 characters, 20 hits each, warm. The chunks are new sentences of words drawn from "
        f"{chinese_source()[0]} by their frequency, one word in ten a rare one.",
    )


def _retrieval(file: Path) -> Row:
    tell("whole retrieval")
    run = in_process(retrieval, file, questions(file.parents[1] / "docs", 55))
    ratio = run["whole"] / run["alone"]
    return Row(
        "whole retrieval, fusion, `local` model",
        f"p50 {run['whole']:.1f} ms",
        f"p50 {run['alone']:.1f} ms, embedding the question alone",
        f"{ratio:.2f}×",
        "≤ 1.5×",
        ratio <= 1.5,
        "50 different questions over the same chunks, whose vectors are fake: `retrieve` with the default retrievers "
        "against the model alone, in turn, warm.",
    )

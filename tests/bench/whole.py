"""Whole ingestion of 600 English files, 14 MB: ours, stock LlamaIndex, and txtai where it is asked for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.bench.measure import Clock, Row, alternate, disk, in_process, tell
from tests.bench.texts import english_folder

TXTAI = Path(tempfile.gettempdir()) / "searchask-bench-txtai"
"""Where the environment with txtai is made, once."""
_PACKAGES = ("txtai==9.14.*", "torch==2.13.0")


def ours(file: str) -> dict[str, Any]:
    """One ingestion."""
    from tests.bench.ours import ingest, warm

    warm()
    return {**ingest(file), "disk": disk(Path(file).parent / "storage") / 1e6}


def theirs(documents: str, folder: str) -> dict[str, Any]:
    """LlamaIndex's own pipeline, 50 documents at a time."""
    from llama_index.core import SimpleDirectoryReader
    from llama_index.core.ingestion import IngestionPipeline

    from tests.bench import stock

    transformations = [stock.splitter(512, 64), stock.fake_model()]

    def run(found: list[Any], where: str) -> int:
        pipeline = IngestionPipeline(transformations=transformations, vector_store=stock.store(where))
        return sum(len(pipeline.run(documents=found[at : at + 50])) for at in range(0, len(found), 50))

    run(SimpleDirectoryReader(input_files=[next(Path(documents).iterdir())]).load_data(), f"{folder}-warm")
    clock = Clock()
    chunks = run(SimpleDirectoryReader(documents).load_data(), folder)
    return {**clock.read(), "chunks": chunks, "disk": disk(folder) / 1e6}


def txtai(documents: str, folder: str) -> dict[str, Any]:
    """txtai in its own environment."""
    script = Path(__file__).with_name("txtai_side.py")
    done = subprocess.run(
        [TXTAI / "bin" / "python", script, documents, folder],
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"txtai failed:\n{done.stderr[-2000:]}")
    return {**json.loads(done.stdout.splitlines()[-1]), "disk": disk(folder) / 1e6}


def install_txtai() -> None:
    """Make the environment, unless it is there."""
    if not (TXTAI / "ready").exists():
        tell(f"installing {', '.join(_PACKAGES)} into {TXTAI}")
        subprocess.run([sys.executable, "-m", "venv", TXTAI], check=True)
        subprocess.run([TXTAI / "bin" / "pip", "install", "-q", *_PACKAGES], check=True)
        (TXTAI / "ready").touch()


def rows(work: Path, *, with_txtai: bool) -> list[Row]:
    """Against stock, and against txtai."""
    tell("whole ingestion")
    documents = english_folder(work / "english")

    def run_ours(turn: int) -> dict[str, Any]:
        from tests.bench.ours import write_config

        return in_process(ours, write_config(work / f"whole-ours-{turn}", documents))

    def run_stock(turn: int) -> dict[str, Any]:
        return in_process(theirs, documents, work / f"whole-stock-{turn}")

    def run_txtai(turn: int) -> dict[str, Any]:
        return txtai(str(documents), str(work / f"whole-txtai-{turn}"))

    if with_txtai:
        install_txtai()
        mine, stock, other = alternate(3, run_ours, run_stock, run_txtai)
    else:
        mine, stock = alternate(2, run_ours, run_stock)
        other = {}
    ratio = _rate(mine) / _rate(stock)
    found = [
        Row(
            "whole ingestion",
            _shown(mine),
            _shown(stock),
            f"{ratio:.2f}×",
            "≥ 4×",
            ratio >= 4,
            "600 English files, 14 MB, an instantaneous fake embedding of 384 dimensions, a persistent store, each "
            "in a process of its own after a small first document. Stock: `SimpleDirectoryReader`, then an "
            "`IngestionPipeline` of `SentenceSplitter` and `ChromaVectorStore`, 50 documents at a time. Ours "
            "writes the catalog, the embedding cache and the keyword index besides.",
        )
    ]
    how = (
        "The same files in txtai 9.14: paragraphs packed up to 2,200 characters, vectors (faiss), BM25 and content "
        "(SQLite), saved at the end. It commits nothing until then."
    )
    if other:
        ahead = _rate(mine) / _rate(other)
        found.append(
            Row("… against txtai", _shown(mine), _shown(other), f"{ahead:.2f}×", "> 1×", ahead > 1, how)
        )
    else:
        skipped = (
            "skipped: run `python -m tests.bench --txtai`, which installs txtai in an environment of its own"
        )
        found.append(Row("… against txtai", _shown(mine), skipped, "–", "> 1×", None, how))
    return found


def _rate(run: dict[str, Any]) -> float:
    return float(run["chunks"] / run["seconds"])


def _shown(run: dict[str, Any]) -> str:
    return (
        f"{_rate(run):,.0f} chunks a second ({run['chunks']:,.0f} in {run['seconds']:.1f} s, "
        f"{run['cpu']:.1f} s of CPU), {run['peak']:,.0f} MB memory, {run['disk']:,.0f} MB disk"
    )

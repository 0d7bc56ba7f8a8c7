"""The question sets, and the configs that they are asked with; indexes and runs are kept under storage/quality."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import yaml

from pipelines.config import Config, load_config
from pipelines.evaluation.indexes import indexed
from pipelines.evaluation.questions import Question, read_questions
from pipelines.evaluation.run import evaluate
from pipelines.evaluation.runs import Run
from pipelines.ingestion.events import Summary
from pipelines.ingestion.run import ingest

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
STORAGE = ROOT / "storage" / "quality"

OTHERS = {"graph": {"type": "graph", "of": "both"}, "summary": {"type": "summary", "top_k": 20}}
"""Retrievers that are measured beside those of the default config, over the same index."""
STOCK: dict[str, Any] = {
    "node_parser": {"type": "sentence", "chunk_size": 1024, "chunk_overlap": 20},
    "retrievers": {"stock": {"type": "vector", "top_k": 2}},
    "query_engines": {"answer": {"retriever": "stock", "postprocessors": []}},
}
"""LlamaIndex as it is when nobody sets anything, with the same embed model and the same writer of answers."""
WIDE: dict[str, dict[str, Any]] = {
    "window": {
        "node_parser": {"type": "sentence_window"},
        "retrievers": {"wide": {"type": "window", "of": "both"}, "both": {"top_k": 20}},
        "query_engines": {"answer": {"retriever": "wide"}},
    },
    "auto_merging": {
        "node_parser": {"type": "hierarchical"},
        "retrievers": {"wide": {"type": "auto_merging", "of": "both"}, "both": {"top_k": 20}},
        "query_engines": {"answer": {"retriever": "wide"}},
    },
}
"""Passages that are found small and given large; each needs an index of its own."""


def names() -> list[str]:
    """The sets that are here."""
    return sorted(folder.parent.name for folder in DATA.glob("*/questions.jsonl"))


def questions_of(name: str) -> list[Question]:
    """The questions of a set."""
    return read_questions(DATA / name / "questions.jsonl")


def ingested(name: str) -> Config:
    """A set as the default config would ingest it, with more engines to choose from."""
    STORAGE.mkdir(parents=True, exist_ok=True)
    loader: dict[str, object] = {"type": "folder", "path": str(DATA / name / "docs")}
    if importlib.util.find_spec("rapidocr_onnxruntime"):
        loader["ocr"] = True
    config = _written(
        name,
        {
            "extends": str(ROOT / "config" / "default.yaml"),
            "storage": name,
            "loaders": {"guides": None, "files": loader},
            "retrievers": OTHERS,
            "query_engines": {each: {"retriever": each} for each in OTHERS},
        },
    )
    _tell(name, ingest(config))
    return config


def variant(base: Config, name: str, changes: dict[str, Any]) -> Config:
    """The base with other values, over an index of its own where it needs one."""
    config = _written(f"{base.path.stem}.{name}", {"extends": base.path.name, **changes})
    return indexed(
        config, beside=base.storage, built=lambda folder, summary: _tell(config.path.stem, summary)
    )


def measured(config: Config, questions: list[Question], engine: str = "", *, kept: Path) -> Run:
    """All questions asked; a run that was killed goes on, one that is done is given again."""
    print(f"{config.path.stem} {engine}", file=sys.stderr, flush=True)
    return evaluate(config, questions, source=config.path.stem, engine=engine, kept=kept, again=False)


def _written(name: str, values: dict[str, Any]) -> Config:
    file = STORAGE / f"{name}.yaml"
    file.write_text(yaml.safe_dump(values, allow_unicode=True), encoding="utf-8")
    return load_config(file)


def _tell(name: str, summary: Summary) -> None:
    told = summary.to_dict()
    print(
        f"{name}: {summary.done} documents, {summary.spent.texts} texts embedded, {told['seconds']:.0f} s",
        file=sys.stderr,
        flush=True,
    )

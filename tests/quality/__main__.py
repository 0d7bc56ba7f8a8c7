"""`python -m tests.quality [SET …]`: retrieval and answers of `config/default.yaml` on sets of questions.

The sets are read from ../shared/data, where they are; indexes are kept under storage/quality, so that a second run
embeds only what a change made new.
"""

from __future__ import annotations

import importlib.util
import sys
import time
from pathlib import Path

import yaml

from pipelines.config import Config, load_config
from pipelines.ingestion.run import ingest
from pipelines.querying.index import OpenIndex
from tests.quality.measure import Quality, Recall, load_questions, measure, retrieved

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
STORAGE = ROOT / "storage" / "quality"
TOLERANCE = 0.005
"""How far fusion's R@1 may lie below the better of its parts."""
BASELINE = {
    "dev-crud-news-zh": 0.84,
    "dev-cmrc-wiki-zh": 0.69,
    "dev-xquad-zhq-endoc": 0.66,
    "dev-squad2-en": 0.89,
    "dev-hotpot-multihop-en": 0.51,
    "dev-mixed-files": 0.30,
}
"""Share of gold answers in the best two sentences, of the best of the baselines that came with the sets."""


HEAD = """\
| set | vector R@1 R@5 MRR | keyword | fusion | answer holds gold (baseline) | AUC | refused: answerable / not |
|---|---|---|---|---|---|---|
"""
OTHERS = {
    "linked": {"type": "graph", "of": "both"},
    "about": {"type": "summary", "top_k": 20},
}
"""Retrievers that are measured beside those of the default config."""
MORE = """\

R@1, R@5 and MRR@10 of further retrievers, and behind them the share of questions over two documents that find both
among the first 8 documents: `graph` over the fusion, and `summary`.

| set | fusion | graph | summary |
|---|---|---|---|
"""
PAGE = """\
# Quality

Written by `make quality`; not edited by hand. `config/default.yaml` on sets of questions over real documents, which
are not part of this repository. R@1, R@5 and MRR@10 are by document, over the questions that have an answer; `answer
holds gold` is the share of quoted answers (at most three sentences) that contain a gold answer, beside the best
baseline's two best sentences; AUC tells how well the top score separates questions with an answer from those without.

"""


def main() -> int:
    """Measure the sets that are named, or all; 1 where one falls below what it must reach."""
    known = sorted(folder.parent.name for folder in DATA.glob("*/questions.jsonl"))
    names = sys.argv[1:] or known
    if not names:
        print(f"skipped: no question sets in {DATA}")
        return 0
    print(HEAD, end="", flush=True)
    rows, more, missed = [], [], []
    for name in names:
        quality, others = evaluate(name)
        rows.append(row(name, quality))
        more.append(f"| {name} | {' | '.join(map(cell, others.values()))} |")
        print(rows[-1], flush=True)
        missed += [f"missed: {line}" for line in shortfalls(name, quality, others)]
    print(MORE + "\n".join(more), *missed, sep="\n")
    if names == known:
        tables = HEAD + "\n".join(rows) + "\n" + MORE + "\n".join(more) + "\n"
        page = PAGE + tables + "".join(f"\n{line}.\n" for line in missed)
        (ROOT / "docs" / "quality.md").write_text(page, encoding="utf-8")
    return 1 if missed else 0


Others = dict[str, tuple[Recall, float | None]]


def evaluate(name: str) -> tuple[Quality, Others]:
    """Ingest a set as the default config would, and ask its questions; of all, and by further retrievers."""
    config = ingested(name)
    index = OpenIndex(config)
    try:
        questions = load_questions(DATA / name / "questions.jsonl")
        others = {each: retrieved(config.spec, index, questions, each) for each in ("both", *OTHERS)}
        return measure(config.spec, index, questions), others
    finally:
        index.close()


def ingested(name: str) -> Config:
    """A set as the default config would ingest it."""
    STORAGE.mkdir(parents=True, exist_ok=True)
    loader: dict[str, object] = {"type": "folder", "path": str(DATA / name / "docs")}
    if importlib.util.find_spec("rapidocr_onnxruntime"):
        loader["ocr"] = True
    written = {
        "extends": str(ROOT / "config" / "default.yaml"),
        "storage": name,
        "loaders": {"guides": None, "files": loader},
        "retrievers": OTHERS,
    }
    file = STORAGE / f"{name}.yaml"
    file.write_text(yaml.safe_dump(written), encoding="utf-8")
    config = load_config(file)
    began = time.monotonic()
    summary = ingest(config)
    told = f"{name}: {summary.done} documents, {summary.spent.texts} texts embedded, {time.monotonic() - began:.0f} s"
    print(told, file=sys.stderr, flush=True)
    return config


def row(name: str, quality: Quality) -> str:
    """One line of the table."""
    recall = " | ".join(str(each) for each in quality.recall.values())
    auc = "–" if quality.auc is None else f"{quality.auc:.2f}"
    without = "–" if quality.true_refusals is None else f"{quality.true_refusals:.2f}"
    answered = f"{quality.answered:.2f} ({BASELINE.get(name, 0):.2f})"
    return f"| {name} | {recall} | {answered} | {auc} | {quality.false_refusals:.2f} / {without} |"


def cell(found: tuple[Recall, float | None]) -> str:
    """Recall, and the questions over two documents, where there are any."""
    recall, both = found
    return str(recall) if both is None else f"{recall} / {both:.2f}"


def shortfalls(name: str, quality: Quality, others: Others) -> list[str]:
    """What a set does not reach."""
    *parts, fusion = quality.recall.values()
    best = max(part.at_1 for part in parts)
    found = []
    if fusion.at_1 < best - TOLERANCE:
        found.append(f"{name}: fusion's R@1 {fusion.at_1:.3f} lies below {best:.3f}")
    linked, both = others["linked"][0].at_1, others["both"][0].at_1
    if linked < both - TOLERANCE:
        found.append(f"{name}: graph's R@1 {linked:.3f} lies below {both:.3f} of what it starts from")
    if quality.answered < BASELINE.get(name, 0):
        found.append(
            f"{name}: {quality.answered:.2f} of the answers hold the gold answer, baseline {BASELINE[name]:.2f}"
        )
    return found


if __name__ == "__main__":
    sys.exit(main())

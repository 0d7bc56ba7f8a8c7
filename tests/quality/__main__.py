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

from pipelines.config import load_config
from pipelines.ingestion.run import ingest
from pipelines.querying.index import OpenIndex
from tests.quality.measure import Quality, load_questions, measure

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
    rows, missed = [], []
    for name in names:
        quality = evaluate(name)
        rows.append(row(name, quality))
        print(rows[-1], flush=True)
        missed += [f"missed: {line}" for line in shortfalls(name, quality)]
    print(*missed, sep="\n")
    if names == known:
        page = PAGE + HEAD + "\n".join(rows) + "\n" + "".join(f"\n{line}.\n" for line in missed)
        (ROOT / "docs" / "quality.md").write_text(page, encoding="utf-8")
    return 1 if missed else 0


def evaluate(name: str) -> Quality:
    """Ingest a set as the default config would, and ask its questions."""
    STORAGE.mkdir(parents=True, exist_ok=True)
    loader: dict[str, object] = {"type": "folder", "path": str(DATA / name / "docs")}
    if importlib.util.find_spec("rapidocr_onnxruntime"):
        loader["ocr"] = True
    written = {
        "extends": str(ROOT / "config" / "default.yaml"),
        "storage": name,
        "loaders": {"guides": None, "files": loader},
    }
    file = STORAGE / f"{name}.yaml"
    file.write_text(yaml.safe_dump(written), encoding="utf-8")
    config = load_config(file)
    began = time.monotonic()
    summary = ingest(config)
    told = f"{name}: {summary.done} documents, {summary.spent.texts} texts embedded, {time.monotonic() - began:.0f} s"
    print(told, file=sys.stderr, flush=True)
    index = OpenIndex(config)
    try:
        return measure(config.spec, index, load_questions(DATA / name / "questions.jsonl"))
    finally:
        index.close()


def row(name: str, quality: Quality) -> str:
    """One line of the table."""
    recall = " | ".join(str(each) for each in quality.recall.values())
    auc = "–" if quality.auc is None else f"{quality.auc:.2f}"
    without = "–" if quality.true_refusals is None else f"{quality.true_refusals:.2f}"
    answered = f"{quality.answered:.2f} ({BASELINE.get(name, 0):.2f})"
    return f"| {name} | {recall} | {answered} | {auc} | {quality.false_refusals:.2f} / {without} |"


def shortfalls(name: str, quality: Quality) -> list[str]:
    """What a set does not reach."""
    *parts, fusion = quality.recall.values()
    best = max(part.at_1 for part in parts)
    found = []
    if fusion.at_1 < best - TOLERANCE:
        found.append(f"{name}: fusion's R@1 {fusion.at_1:.3f} lies below {best:.3f}")
    if quality.answered < BASELINE.get(name, 0):
        found.append(
            f"{name}: {quality.answered:.2f} of the answers hold the gold answer, baseline {BASELINE[name]:.2f}"
        )
    return found


if __name__ == "__main__":
    sys.exit(main())

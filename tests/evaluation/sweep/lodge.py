"""A small knowledge base with a commented config, a question set and a file of experiments."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.corpus import TEXTS

CONFIG = """\
# The handbook of the house.
storage: storage
loaders:
  files: {type: folder, path: docs}   # all of it

# How texts are cut.
node_parser:
  type: sentence
  chunk_size: 32      # tokens
  chunk_overlap: 8
embed_model: {type: fake}
retrievers:
  meaning: {type: vector}
  words: {type: keyword}
  both:
    type: fusion
    of: [meaning, words]   # in this order
    top_k: 6   # passages
query_engines:
  answer:
    retriever: both
    postprocessors:
      - type: evidence
        # the usual gate
"""
GRID = """\
base: handbook.yaml
questions: q.jsonl
split: train
metric: contains
experiments:
  node_parser.chunk_size: [32, 64]
  retrievers.both.top_k: [2, 6]
"""
QUESTIONS = (
    ("How many days of annual leave do staff get?", "15 days", "leave.md"),
    ("员工有多少天年假？", "十五天", "年假.md"),
    ("What is the price of part R123-78?", "12.50", "parts.md"),
    ("How long do cats sleep?", "sixteen hours", "cats.md"),
    ("住宿标准是多少？", "四百元", "报销.md"),
    ("What is the daily allowance?", "40 euros", "travel.md"),
)


class Lodge:
    """The files of a sweep in one folder."""

    def __init__(self, root: Path) -> None:
        self.root, self.base, self.file = root, root / "handbook.yaml", root / "sweep.yaml"
        self.questions, self.storage = root / "q.jsonl", root / "storage"
        (root / "docs").mkdir(parents=True)
        for name, text in TEXTS.items():
            (root / "docs" / name).write_text(text * 3, "utf-8")
        self.base.write_text(CONFIG, "utf-8")
        self.file.write_text(GRID, "utf-8")
        lines = [
            {
                "id": f"q{n}",
                "question": q,
                "answers": [a],
                "documents": [d],
                "split": ("train", "test")[n % 2],
            }
            for n, (q, a, d) in enumerate(QUESTIONS)
        ]
        self.questions.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")

    def experiments(self, *lines: str, head: str = "base: handbook.yaml\nquestions: q.jsonl\n") -> Path:
        """Write other experiments."""
        self.file.write_text(head + "experiments:\n" + "".join(f"  {line}\n" for line in lines), "utf-8")
        return self.file

    @property
    def runs(self) -> list[Path]:
        """The folders of all runs."""
        return sorted(file.parent for file in self.storage.glob("evaluations/*/run.json"))

    @property
    def indexes(self) -> list[Path]:
        """The folders of all indexes that were built for comparisons."""
        return sorted(self.storage.glob("compared/*"))

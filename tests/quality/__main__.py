"""`python -m tests.quality [SET …]`: the default config on sets of questions, measured by `eval` and `compare`.

The sets are read from ../shared/data, where they are; indexes and runs are kept under storage/quality, so that a
second run embeds and asks only what a change made new.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field

from pipelines.evaluation.compare import Comparison, compare
from pipelines.evaluation.metrics import summary
from pipelines.evaluation.runs import Run
from tests.quality.sets import (
    DATA,
    OTHERS,
    ROOT,
    STOCK,
    WIDE,
    ingested,
    measured,
    names,
    questions_of,
    variant,
)
from tests.quality.tables import cell, found_at_5, mean, number, paired_rows, parts, ranked_by, recall

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
WIDE_SETS = ("dev-squad2-en",)
"""Sets that are embedded sentence by sentence as well."""
PAGE = """\
# Quality

Written by `make quality` with `searchask eval` and `compare`; not edited by hand. `config/default.yaml` on sets of
questions over real documents, which are not part of this repository. [metrics.md](en/metrics.md) says what each metric
is. R@1, R@5 and MRR@10 are by document, over the questions that have an answer; `answer holds gold` is the share of
quoted answers (at most three sentences) that contain a gold answer, beside the best baseline's two best sentences; AUC
tells how well the top score separates questions with an answer from those without.

| set | {parts} | answer holds gold (baseline) | AUC | refused: answerable / not |
|---|---|---|---|---|---|---|
{main}

## Against LlamaIndex as it is

The same questions asked of an index as LlamaIndex makes it when nobody sets anything (chunks of 1,024 tokens with an
overlap of 20, vectors only, the two closest passages), with the same embed model and the same writer of answers; it
refuses nothing. Question by question: the difference with its 95% confidence interval, and p corrected for the number
of metrics (Holm).

| set | metric | questions | LlamaIndex | Searchask | difference | 95% interval | p |
|---|---|---|---|---|---|---|---|
{stock}

## Further retrievers

R@1, R@5 and MRR@10, and behind them the share of questions over two documents that find both among the first 8
documents: `graph` over the fusion, and `summary`.

| set | fusion | graph | summary |
|---|---|---|---|
{others}

Passages that are found small and given large: the share of gold answers that stand in the first 5 passages (at most 6
are given).

| set | default | window | auto_merging |
|---|---|---|---|
{wide}
{useless}
`translate` needs a model that translates, and none runs here; questions across languages rest on the multilingual
vectors: on dev-xquad-zhq-endoc (Chinese questions, English documents) they find what keyword search can't.
{missed}"""


@dataclass(slots=True)
class Measured:
    """The runs of one set."""

    name: str
    default: Run
    stock: Comparison
    others: dict[str, Run] = field(default_factory=dict)
    wide: dict[str, Run] = field(default_factory=dict)


def main() -> int:
    """Measure the sets that are named, or all; 1 where one falls below what it must reach."""
    wanted = sys.argv[1:] or names()
    if not wanted:
        print(f"skipped: no question sets in {DATA}")
        return 0
    sets = [measure(name) for name in wanted]
    missed = [line for each in sets for line in shortfalls(each)]
    page = written(sets, missed)
    print(page)
    if wanted == names():
        (ROOT / "docs" / "quality.md").write_text(page, encoding="utf-8")
    return 1 if missed else 0


def measure(name: str) -> Measured:
    """Ingest a set as the default config would, and ask its questions in every way."""
    questions, config = questions_of(name), ingested(name)
    kept = config.storage
    default = measured(config, questions, "answer", kept=kept)
    stock = measured(variant(config, "stock", STOCK), questions, "answer", kept=kept)
    found = Measured(name, default, compare([stock, default], ["LlamaIndex", "Searchask"]))
    found.others = {each: measured(config, questions, each, kept=kept) for each in OTHERS}
    if name in WIDE_SETS:
        found.wide = {
            each: measured(variant(config, each, changes), questions, "answer", kept=kept)
            for each, changes in WIDE.items()
        }
    return found


def useless(sets: list[Measured]) -> str:
    """Which of the wide engines gain nothing on any set, in a sentence."""
    gained: dict[str, bool] = {}
    for each in sets:
        for name, run in each.wide.items():
            gained[name] = gained.get(name, False) or found_at_5(run) > found_at_5(each.default)
    found = [f"`{name}`" for name, gains in gained.items() if not gains]
    return f"\nWithout a gain here: {', '.join(found)}.\n" if found else ""


def written(sets: list[Measured], missed: list[str]) -> str:
    """The page."""
    return PAGE.format(
        parts=" | ".join(f"{name} R@1 R@5 MRR" for name in parts(sets[0].default)),
        main="\n".join(map(row, sets)),
        stock="\n".join(line for each in sets for line in paired_rows(each.name, each.stock)),
        others="\n".join(
            f"| {each.name} | {cell(each.default)} | {' | '.join(map(cell, each.others.values()))} |"
            for each in sets
        ),
        wide="\n".join(
            f"| {each.name} | {found_at_5(each.default):.3f} | "
            f"{' | '.join(f'{found_at_5(run):.3f}' for run in each.wide.values())} |"
            for each in sets
            if each.wide
        ),
        useless=useless(sets),
        missed="".join(f"\nmissed: {line}.\n" for line in missed),
    )


def row(measured: Measured) -> str:
    """One line of the first table."""
    pairs, found = measured.default.pairs, summary(measured.default.pairs)
    ranks = " | ".join(recall(ranked_by(pairs, name)) for name in parts(measured.default))
    refusals = found.refusals
    return (
        f"| {measured.name} | {ranks} | {mean(found, 'contains'):.2f} ({BASELINE.get(measured.name, 0):.2f}) | "
        f"{number(refusals.auc)} | {number(refusals.false_refusals)} / {number(refusals.recall)} |"
    )


def shortfalls(measured: Measured) -> list[str]:
    """What a set does not reach."""
    name, pairs = measured.name, measured.default.pairs
    *sides, fusion = (mean(summary(ranked_by(pairs, each)), "recall@1") for each in parts(measured.default))
    graph = mean(summary(measured.others["graph"].pairs), "recall@1")
    holds = mean(summary(pairs), "contains")
    found = []
    if fusion < max(sides) - TOLERANCE:
        found.append(f"{name}: fusion's R@1 {fusion:.3f} lies below {max(sides):.3f}")
    if graph < fusion - TOLERANCE:
        found.append(f"{name}: graph's R@1 {graph:.3f} lies below {fusion:.3f} of what it starts from")
    if holds < BASELINE.get(name, 0):
        found.append(
            f"{name}: {holds:.2f} of the answers hold the gold answer, baseline {BASELINE[name]:.2f}"
        )
    return found


if __name__ == "__main__":
    sys.exit(main())

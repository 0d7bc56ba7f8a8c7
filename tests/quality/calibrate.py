"""`python -m tests.quality.calibrate`: the calibration that `config/default.yaml` ships with, from the question sets.

All sets together, so that no one of them decides; what each gains or loses is printed.
"""

from __future__ import annotations

import sys
from datetime import date
from statistics import fmean

from pipelines.components.postprocessors import Evidence
from pipelines.config import load_config
from pipelines.config.calibration import Calibration, write_calibration
from pipelines.evaluation.calibration import Seen, fitted, observer, seen_of
from pipelines.querying.index import OpenIndex
from tests.quality.sets import ROOT, ingested, questions_of

SETS = ("dev-crud-news-zh", "dev-cmrc-wiki-zh", "dev-xquad-zhq-endoc", "dev-squad2-en", "dev-mixed-files")
ENGINE = "answer"


def main() -> int:
    """Measure all sets and write `config/calibration/default.yaml`."""
    seen = {name: _seen(name) for name in SETS}
    return write(seen)


def _seen(name: str) -> list[Seen]:
    config = ingested(name)
    index = OpenIndex(config)
    try:
        asked = [(each.text, each.answerable) for each in questions_of(name)]
        return seen_of(observer(config.spec, index, ENGINE), asked)
    finally:
        index.close()


def write(seen: dict[str, list[Seen]]) -> int:
    """Fit on what was seen, and print how often each set's questions are refused: rightly, and wrongly."""
    spec = load_config(ROOT / "config" / "default.yaml").spec
    found = fitted(spec, ENGINE, [each for some in seen.values() for each in some])
    counts = ", ".join(f"{name} ({len(some)})" for name, some in seen.items())
    how = f"python -m tests.quality.calibrate, {date.today()}, on questions of {counts}"
    write_calibration(
        ROOT / "config" / "calibration" / "default.yaml", Calibration(how=how, engines={ENGINE: found})
    )
    usual, ours = Evidence(type="evidence"), Evidence(type="evidence", **found.evidence.model_dump())
    print("| set | default: right / wrong | calibrated: right / wrong |\n|---|---|---|")
    for name, some in seen.items():
        print(f"| {name} | {_shares(usual, some)} | {_shares(ours, some)} |")
    return 0


def _shares(gate: Evidence, seen: list[Seen]) -> str:
    numbers = {name: getattr(gate, name) for name in ("words", "stands_out", "across_languages")}
    refused = [(each.answerable, not each.signs.enough(**numbers)) for each in seen]
    right, wrong = (fmean(no for kind, no in refused if kind is answerable) for answerable in (False, True))
    return f"{right:.3f} / {wrong:.3f}"


if __name__ == "__main__":
    sys.exit(main())

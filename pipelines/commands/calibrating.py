"""`searchask calibrate`: measure thresholds on questions, and write them where a config can name them."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path

from pipelines.commands.terminal import printable, say, say_json, table, warn
from pipelines.config import Config, load_config
from pipelines.config.calibration import Calibration, EngineCalibration, read_calibration, write_calibration
from pipelines.errors import SearchaskError
from pipelines.evaluation.calibration import fitted, observer, seen_of
from pipelines.evaluation.questions import read_questions
from pipelines.querying.index import OpenIndex


def calibrate_command(args: argparse.Namespace) -> int:
    """Ask all questions, find the thresholds, and write them."""
    if not 0 <= args.most_refused <= 1:
        raise SearchaskError("--most-refused must be between 0 and 1")
    config = load_config(args.file)
    questions = [(each.text, each.answerable) for each in read_questions(args.questions)]
    names = [args.engine] if args.engine else list(config.spec.query_engines)
    index = OpenIndex(config)
    try:
        found = {}
        for name in names:
            look = observer(config.spec, index, name)
            seen = seen_of(look, questions)
            found[name] = fitted(config.spec, name, seen, most_refused=args.most_refused)
    finally:
        index.close()
    file, how = target(config), f"{Path(args.questions).name}, {len(questions)} questions, {date.today()}"
    before = read_calibration(file).engines if file.exists() else {}
    try:
        write_calibration(file, Calibration(how=how, engines={**before, **found}))
    except OSError as error:
        raise SearchaskError(f"{file} can't be written: {error.strerror}") from None
    if args.json:
        say_json({"file": str(file), "engines": {name: each.model_dump() for name, each in found.items()}})
    else:
        _show(found)
        say(f"written to {printable(str(file))}")
        _tell_how_to_use(config, file)
    return 0


def target(config: Config) -> Path:
    """The file that the config names, or one beside it."""
    if config.spec.calibration:
        return config.resolve("calibration")
    return config.path.resolve().parent / "calibration" / f"{config.path.stem}.yaml"


def _show(found: dict[str, EngineCalibration]) -> None:
    rows = []
    for name, each in found.items():
        numbers = each.evidence
        told = ", ".join(f"{key} {value:g}" for key, value in numbers.model_dump().items())
        for rule, value, refused in (
            ("evidence", told, each.by_evidence),
            ("evidence, default numbers", "", each.by_default),
            ("cutoff of the top score", f"{each.cutoff:.4f}", each.by_cutoff),
        ):
            shares = (f"{refused.right:.0%}", f"{refused.wrong:.1%}", f"{refused.balanced_accuracy:.3f}")
            rows.append((name, rule, value, *shares))
        say(
            f"{printable(name)}: {each.answerable} questions that the documents answer, {each.unanswerable} that they "
            f"don't; AUC of the top score {each.auc:.2f}"
        )
        if each.auc < 0.6:
            warn(
                f"{printable(name)}: the top score hardly tells these questions apart; expect little of a cutoff"
            )
    head = ["engine", "rule", "numbers", "refused rightly", "wrongly", "balanced accuracy"]
    table(head, rows, right=(3, 4, 5))
    say("shares are of questions that were left out when the numbers were chosen (5 folds)")


def _tell_how_to_use(config: Config, file: Path) -> None:
    if not config.spec.calibration:
        beside = file.relative_to(config.path.resolve().parent)
        say(f"name it in the config: `calibration: {beside}`, and `{{type: evidence, calibrated: true}}`")

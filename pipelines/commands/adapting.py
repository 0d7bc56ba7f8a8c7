"""`searchask finetune embedding`: train an adapter of the embed model, and write it where it helps."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from pipelines.commands.terminal import printable, say, say_json, table, warn
from pipelines.config import Config, load_config
from pipelines.errors import Refused, SearchaskError
from pipelines.evaluation.adapting import CONFIDENCE, METRICS, Gain, Trial, tried
from pipelines.evaluation.questions import read_questions
from pipelines.models.adapter import write_adapter


def adapt_command(args: argparse.Namespace) -> int:
    """Train and measure, show what is gained, and write the adapter; raises Refused where it does not help."""
    out = Path(args.out)
    if out.suffix != ".npz":
        raise SearchaskError(f"--out {out}: the file of an adapter ends in .npz")
    config = load_config(args.file)
    questions = read_questions(args.questions)
    trial = tried(config, questions, args.retriever, source=Path(args.questions).name, tell=_tell)
    if trial.adapter is not None:
        write_adapter(out, trial.adapter)
    if args.json:
        say_json({**trial.to_dict(), "file": str(out) if trial.adapter else None})
    else:
        _show(trial)
    if trial.adapter is None:
        raise Refused(f"the adapter does not help, and nothing was written: {trial.refused}")
    if not args.json:
        say(f"learnt from {trial.learnt_from} questions; written to {printable(str(out))}")
        _tell_how_to_use(config, out)
    return 0


def _tell(line: str) -> None:
    warn(printable(line))


def _show(trial: Trial) -> None:
    for note in trial.notes:
        say(printable(note))
    say(f"{trial.held_out} questions, each held out with its documents from what the adapter learnt from")
    head = ["retriever", *METRICS, "gain in MRR", f"{CONFIDENCE:.0%} sure of"]
    table(head, [_row(gain) for gain in trial.gains], right=(1, 2, 3, 4, 5))


def _row(gain: Gain) -> list[str]:
    pairs = [f"{gain.before[name]:.3f} → {gain.after[name]:.3f}" for name in METRICS]
    change = gain.after["mrr@10"] - gain.before["mrr@10"]
    return [gain.retriever, *pairs, f"{change:+.3f}", f"{gain.least:+.3f}"]


def _tell_how_to_use(config: Config, out: Path) -> None:
    if config.spec.embed_model.adapter and config.resolve("embed_model", "adapter") == out.resolve():
        return
    path = os.path.relpath(out.resolve(), config.base_of("embed_model"))
    say(f"name it under `embed_model`: `adapter: {printable(path)}`; nothing is embedded again")
    if config.spec.calibration:
        say("then calibrate again: scores are others with it")

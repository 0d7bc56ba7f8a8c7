"""`searchask eval`."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipelines.commands.asked import Shown, chosen, stopped
from pipelines.commands.terminal import moment, printable, say, say_json, table, warn
from pipelines.config import Config, load_config
from pipelines.evaluation import runs
from pipelines.evaluation.metrics import METRICS, Summary, summary
from pipelines.evaluation.report import write_report
from pipelines.evaluation.run import evaluate
from pipelines.evaluation.runs import Run

_SHOWN = 5
"""Questions that failed, listed for people."""


def eval_command(args: argparse.Namespace) -> int:
    """Ask all questions of a set and measure; 1 where some failed, 130 where it was stopped."""
    config = load_config(args.file)
    if args.list:
        return _list(config)
    if args.show is not None:
        return _tell(runs.find_run(config.storage, args.show), args)
    questions = chosen(args)
    with Shown(quiet=args.json) as shown:
        run = evaluate(
            config,
            questions,
            source=args.questions,
            engine=args.engine,
            judge=not args.no_judge,
            workers=args.workers,
            fresh=args.fresh,
            report=shown.report,
        )
    return _tell(run, args)


def _tell(run: Run, args: argparse.Namespace) -> int:
    """Print what a run measured, and write its report."""
    if run.header.state != "done" and not run.pairs:
        return stopped(run, fresh=args.fresh)
    found = summary(run.pairs)
    report = Path(args.report) if args.report else run.folder / "report.html"
    write_report(run, report)
    if args.json:
        say_json({"run": run.header.model_dump(mode="json"), **found.to_dict(), "report": str(report)})
    else:
        _show(run, found)
        say(f"report: {printable(str(report))}")
    if run.header.state != "done":
        return stopped(run, fresh=args.fresh)
    return 1 if found.failed else 0


def _show(run: Run, found: Summary) -> None:
    header = run.header
    for note in header.notes.get("en", ()):
        warn(f"note: {printable(note)}")
    over = "no documents" if header.alone else f"{header.documents} documents in {header.chunks:,} chunks"
    say(
        f"{printable(header.config)}, engine {printable(header.engine)}: {found.questions} questions over {over}; "
        f"run {header.id}"
    )
    say(", ".join(f"{count} {name}" for name, count in found.outcomes.items() if count))
    rows = [
        (name, f"{mean.mean:.4g}", mean.count, METRICS[name].says) for name, mean in found.metrics.items()
    ]
    table(["metric", "mean", "questions", "what it says"], rows, right=(1, 2))
    refused = found.refusals
    if refused.precision is not None or refused.recall is not None:
        say(
            f"refusals: precision {_share(refused.precision)}, recall {_share(refused.recall)}; "
            f"answerable questions refused: {_share(refused.false_refusals)}; "
            f"AUC of the top score {_share(refused.auc)}"
        )
    if found.seconds:
        say(f"time to the whole answer: p50 {found.seconds['p50']:.3f} s, p95 {found.seconds['p95']:.3f} s")
    for name, each in found.stages.items():
        say(f"  {printable(name)}: p50 {each['p50']:.1f} ms, p95 {each['p95']:.1f} ms")
    judge = f", judge {found.judge_tokens:,}" if found.judge_tokens else ""
    money = "" if found.money is None else f"; money {found.money:.4f}"
    say(f"tokens {found.tokens:,}{judge}{money}")
    if found.judge_nonsense:
        warn(f"{found.judge_nonsense} replies of the judge were neither yes nor no; they count for nothing")
    failed = [each for _, each in run.pairs if each.outcome == "failed"]
    unjudged = [each for _, each in run.pairs if each.error and each.outcome != "failed"]
    for kind, outcomes in (("failed", failed), ("not judged", unjudged)):
        for outcome in outcomes[:_SHOWN]:
            warn(f"{kind}: {printable(outcome.id)}: {printable(outcome.error)}")
        if len(outcomes) > _SHOWN:
            warn(f"{kind}: {len(outcomes) - _SHOWN} more")


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _list(config: Config) -> int:
    rows = [
        (each.id, moment(each.started), each.engine, each.questions, each.count, each.state)
        for each in runs.headers(config.storage)
    ]
    if rows:
        table(["run", "started", "engine", "question set", "questions", "state"], rows, right=(4,))
    else:
        say("nothing was evaluated yet")
    return 0

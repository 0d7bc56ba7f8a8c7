"""`searchask sweep`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.commands.asked import Shown, chosen, stopped
from pipelines.commands.terminal import confirmed, printable, say, say_json, table, warn
from pipelines.errors import Refused, SearchaskError
from pipelines.evaluation import runs
from pipelines.evaluation.questions import Question, read_questions
from pipelines.evaluation.report import write_sweep
from pipelines.evaluation.report.page import spoken
from pipelines.evaluation.run import Progress, Report
from pipelines.evaluation.statistics import Paired
from pipelines.evaluation.sweep.experiments import Experiments, read_experiments
from pipelines.evaluation.sweep.notes import notes
from pipelines.evaluation.sweep.plan import Estimate, estimate
from pipelines.evaluation.sweep.result import Ranked, Ranking, held_out, ranking
from pipelines.evaluation.sweep.run import HELD_OUT, Built, How, Outcome, Shows, Sweep
from pipelines.evaluation.sweep.variants import BASE, Variant, variants
from pipelines.evaluation.sweep.winner import place_of, write_winner
from pipelines.ingestion.events import Summary


def sweep_command(args: argparse.Namespace) -> int:
    """Measure variants of a config and write the best one; 1 where one could not be measured, 130 interrupted."""
    experiments = read_experiments(args.file)
    found = variants(experiments)
    if args.list:
        return _list(found, args)
    named = args.questions or (str(experiments.questions) if experiments.questions else "")
    questions = chosen(argparse.Namespace(questions=named, split=experiments.split))
    kept = _kept_apart(experiments, named)
    out = place_of(experiments, args.out)
    planned = estimate(found)
    _agreed(args, experiments, planned, questions, kept)
    how = How(named, experiments.engine, experiments.metric, not args.no_judge, args.workers, args.fresh)
    sweep = Sweep(experiments.base, how, _shows(quiet=args.json), _built(quiet=args.json))
    outcome = sweep.go(found, questions, experiments.budget)
    if outcome.stopped is not None:
        return stopped(outcome.stopped)
    ranked = ranking(outcome.measured, experiments.metric)
    winner = next(each.variant for each in outcome.measured if each.variant.name == ranked.rows[0].name)
    tested = None
    if kept and winner.name != BASE:
        ran = [sweep.again(each, kept) for each in (found[0], winner)]
        unfinished = next((run for run in ran if run.header.state != "done"), None)
        if unfinished is not None:
            return stopped(unfinished)
        tested = held_out(ran[0], ran[1], experiments.metric)
    return _tell(args, experiments, planned, outcome, ranked, tested, winner, out)


def _kept_apart(experiments: Experiments, file: str) -> list[Question]:
    """Questions on which the winner is measured afterwards."""
    if experiments.split in ("", HELD_OUT):
        return []
    return [question for question in read_questions(file) if question.split == HELD_OUT]


def _list(found: list[Variant], args: argparse.Namespace) -> int:
    if args.json:
        say_json([{"name": each.name, "changes": each.changes, "index": each.index} for each in found])
        return 0
    order = list(dict.fromkeys(each.index for each in found))
    table(["variant", "index"], [(each.name, order.index(each.index) + 1) for each in found], right=(1,))
    return 0


def _agreed(
    args: argparse.Namespace,
    experiments: Experiments,
    planned: Estimate,
    questions: list[Question],
    kept: list[Question],
) -> None:
    """Show what it will take, and ask on a terminal; raises Refused where the answer is no."""
    if args.json:
        return
    money = "" if not planned.money else f", {planned.money:.4f} by its price"
    say(
        f"{planned.variants} variants and the base, {len(questions)} questions each, "
        f"engine {printable(experiments.engine)}, ranked by {experiments.metric}"
    )
    say(
        f"{planned.indexes} indexes, {planned.to_build} to build: about {planned.tokens:,} tokens to embed{money}, "
        "less what the caches hold"
    )
    if planned.calls:
        say(f"about {planned.calls:,} calls of the llm for graphs")
    if kept:
        say(f"then the base and the winner on {len(kept)} questions of the split {HELD_OUT}")
    if sys.stdin.isatty() and sys.stdout.isatty() and not args.yes and not confirmed():
        raise Refused("nothing was done")


def _shows(*, quiet: bool) -> Shows:
    @contextmanager
    def shows(name: str) -> Iterator[Report]:
        told: list[Progress] = []
        with Shown(quiet=quiet, name=printable(name)) as shown:

            def report(progress: Progress) -> None:
                told.append(progress)
                shown.report(progress)

            yield report
        if not told and not quiet:
            warn(f"{printable(name)}: measured before")

    return shows


def _built(*, quiet: bool) -> Built:
    def told(name: str, done: Summary) -> None:
        if not quiet:
            warn(
                f"{printable(name)}: index built: {done.done} documents, {done.spent.texts} texts embedded, "
                f"{done.spent.from_cache} from the cache"
            )

    return told


def _tell(
    args: argparse.Namespace,
    experiments: Experiments,
    planned: Estimate,
    outcome: Outcome,
    ranked: Ranking,
    tested: Paired | None,
    winner: Variant,
    out: Path,
) -> int:
    """Print what came of it, write the report, and the winner where it is not the base."""
    folder = experiments.base.storage / runs.FOLDER
    report = Path(args.report) if args.report else folder / f"sweep-{experiments.file.stem}.html"
    language = spoken(ranked.base.run.questions)
    shown = list(notes(ranked, outcome, tested, language))
    write_sweep(ranked, experiments.file.name, shown, report, language)
    told = list(notes(ranked, outcome, tested))
    if not args.json:
        _show(ranked)
        for note in told:
            warn(f"note: {printable(note)}")
        say(f"report: {printable(str(report))}")
    error = ""
    if winner.name != BASE:
        try:
            write_winner(experiments, winner, out)
        except SearchaskError as failed:
            error = str(failed)
            warn(printable(error))
    written = str(out) if winner.name != BASE and not error else None
    if args.json:
        say_json(
            {
                "metric": ranked.metric,
                "cost": ranked.cost,
                "plan": planned.to_dict(),
                "variants": [row.to_dict() for row in ranked.rows],
                "broken": [{"name": each.name, "why": why} for each, why in outcome.broken],
                "left": [each.name for each in outcome.left],
                "why_left": outcome.why_left,
                "built": outcome.built,
                "embedded": outcome.embedded,
                "money": outcome.money,
                "held_out": tested and tested.to_dict(),
                "winner": {"name": winner.name, "file": written},
                "notes": told,
                "report": str(report),
            }
        )
    elif written:
        say(f"winner: {printable(winner.name)}, written to {printable(written)}")
    return 1 if outcome.broken or error else 0


def _show(ranked: Ranking) -> None:
    head = ["", "variant", ranked.metric, "95% interval", "difference", "95% interval", "p", "contains", "f1"]
    head += ["refused", "seconds p50 / p95", "tokens", "money", "tokens of index"]
    rows = [_cells(place, row) for place, row in enumerate(ranked.rows, 1)]
    table(head, rows, right=(0, *range(2, len(head))))
    say(
        f"* no other is as good and cheaper, by {ranked.cost} a question; p values are corrected for the number of "
        "variants (Holm)"
    )


def _cells(place: int, row: Ranked) -> tuple[str, ...]:
    pair = row.against
    return (
        f"{'*' if row.efficient else ''}{place}",
        row.name,
        f"{row.mean:.4f}",
        "–" if row.interval is None else "{:.3f} … {:.3f}".format(*row.interval),
        "–" if pair is None else f"{pair.difference:+.4f}",
        "–" if pair is None or pair.low is None else f"{pair.low:+.3f} … {pair.high:+.3f}",
        "–" if row.corrected is None else f"{row.corrected:.3f}",
        _number(row.figure("contains")),
        _number(row.figure("f1")),
        str(row.summary.outcomes["refused"]),
        " / ".join(f"{value:.3f}" for value in row.summary.seconds.values()) or "–",
        f"{row.figure('tokens') or 0:.0f}",
        "–" if (money := row.figure("money")) is None else f"{money:.6f}".rstrip("0").rstrip("."),
        f"{row.set_up.tokens:,}",
    )


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"

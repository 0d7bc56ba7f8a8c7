"""`searchask compare`."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipelines.commands.asked import Shown, chosen, stopped
from pipelines.commands.terminal import duration, printable, say, say_json, table, warn
from pipelines.config import Config, load_config
from pipelines.errors import SearchaskError
from pipelines.evaluation import compare as comparing
from pipelines.evaluation import indexes
from pipelines.evaluation.compare import Comparison
from pipelines.evaluation.gates import parse_gate
from pipelines.evaluation.report import write_comparison
from pipelines.evaluation.run import evaluate
from pipelines.evaluation.setup import SetUp, set_ups
from pipelines.ingestion.events import Summary

_SHOWN = 20
"""Questions that flipped, listed for people; `--json` lists all."""


def compare_command(args: argparse.Namespace) -> int:
    """The same for several configs, side by side; 1 where a condition of `--fail-if` holds."""
    gates = [parse_gate(each) for each in args.fail_if]
    if len(args.files) < 2:
        raise SearchaskError("compare what? searchask compare A.yaml B.yaml --questions Q.jsonl")
    configs = [load_config(file) for file in args.files]
    engines = [_engine(config, args.engine) for config in configs]
    questions = chosen(args)
    beside = configs[0].storage
    over = [indexes.indexed(each, beside=beside, built=_built(each, quiet=args.json)) for each in configs]
    done = []
    for there, engine in zip(over, engines, strict=True):
        with Shown(quiet=args.json, name=there.path.name) as shown:
            run = evaluate(
                there,
                questions,
                source=args.questions,
                engine=engine,
                judge=not args.no_judge,
                workers=args.workers,
                fresh=args.fresh,
                kept=beside,
                again=False,
                report=shown.report,
            )
        if run.header.state != "done":
            return stopped(run, fresh=args.fresh)
        done.append(run)
    compared = comparing.compare(done, [config.path.stem for config in configs])
    costs = set_ups(over, [config.storage for config in configs])
    report = Path(args.report) if args.report else done[-1].folder / "comparison.html"
    write_comparison(compared, report, set_ups=costs)
    failing = [line for gate in gates for line in gate.failing(compared)]
    if args.json:
        say_json(
            {
                **compared.to_dict(),
                "set_up": [each.to_dict() for each in costs],
                "report": str(report),
                "failing": failing,
            }
        )
    else:
        _show_comparison(compared)
        _show_costs(compared, costs)
        say(f"report: {printable(str(report))}")
    for line in failing:
        warn(f"failed: {line}")
    return 1 if failing else 0


def _engine(config: Config, name: str) -> str:
    """The engine that is asked; the name need not be one of a config in which the model answers alone."""
    engines = config.spec.query_engines
    if not name or name in engines:
        return name
    if config.spec.loaders:
        raise SearchaskError(
            f"{config.path}: no query engine is called {name!r}; it has {', '.join(engines)}"
        )
    return ""


def _built(config: Config, *, quiet: bool) -> indexes.Built:
    def told(folder: Path, done: Summary) -> None:
        if done.outcome == "interrupted":
            raise KeyboardInterrupt
        name = printable(config.path.name)
        if not quiet and (done.written or done.removed):  # else it was in step already
            warn(
                f"{name}: index built in {printable(str(folder))}: {done.done} documents, "
                f"{done.spent.texts} texts embedded, {done.spent.from_cache} from the cache"
            )
        if done.failed:
            warn(f"{name}: {done.failed} documents failed and are not in its index")

    return told


def _show_comparison(compared: Comparison) -> None:
    notes = dict.fromkeys(note for run in compared.runs for note in run.header.notes.get("en", ()))
    for note in notes:
        warn(f"note: {printable(note)}")
    for key, values in compared.differing.items():
        say(f"{printable(key)}: " + " | ".join(printable(value)[:60] for value in values))
    say()
    first, *others = compared.names
    head = ["metric", "questions", first]
    for name in others:
        head += [name, "difference", "95% interval", "p"]
    rows: list[list[str]] = []
    for row in compared.metrics.values():
        cells = [
            row.metric,
            _number(max((pair.n for pair in row.against if pair), default=None)),
            _number(row.means[0]),
        ]
        for mean, pair, corrected in zip(row.means[1:], row.against, row.corrected, strict=True):
            if pair is None:
                cells += [_number(mean), "–", "–", "–"]
                continue
            between = "–" if pair.low is None else f"{pair.low:+.3f} … {pair.high:+.3f}"
            cells += [
                _number(mean),
                f"{pair.difference:+.4f}",
                between,
                "" if corrected is None else f"{corrected:.3f}",
            ]
        rows.append(cells)
    table(head, rows, right=tuple(range(1, len(head))))
    say("p values are corrected for the number of metrics (Holm)")
    _show_flips(compared)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def _show_flips(compared: Comparison) -> None:
    for better in (True, False):
        flips = [flip for flip in compared.flips if flip.better is better]
        say(f"\n{len(flips)} questions {'better' if better else 'worse'}")
        for flip in flips[:_SHOWN]:
            say(
                f"  {printable(compared.names[flip.run])}: {', '.join(flip.metrics)}: {printable(flip.question.text)}"
            )
            for name, outcome in (("before", flip.before), ("after", flip.after)):
                said = " ".join(outcome.text.split()) or outcome.outcome
                say(f"    {name}: {printable(said)[:160]}")
        if len(flips) > _SHOWN:
            say(f"  … and {len(flips) - _SHOWN} more (--json, or the report)")


def _show_costs(compared: Comparison, costs: list[SetUp]) -> None:
    """The table of embedding against fine-tuning: what it gives, and what it takes."""
    rows = []
    for name, found, cost in zip(compared.names, compared.summaries, costs, strict=True):
        quality = {
            each: found.metrics[each].mean for each in ("contains", "f1", "grounded") if each in found.metrics
        }
        money = found.metrics.get("money")
        rows.append(
            (
                name,
                cost.way,
                " ".join(f"{each} {value:.3f}" for each, value in quality.items()) or "–",
                " / ".join(f"{value:.2f}" for value in found.seconds.values()) or "–",
                "–" if money is None else f"{money.mean:.6f}",
                f"{cost.tokens:,}",
                "–" if cost.money is None else f"{cost.money:.4f}",
                "–" if cost.seconds is None else duration(cost.seconds),
                "–" if cost.update_seconds is None else duration(cost.update_seconds),
            )
        )
    say()
    head = ["", "set up by", "quality", "seconds p50 / p95", "money a question"]
    head += ["tokens to set up", "money", "time", "one document more"]
    table(head, rows, right=(3, 4, 5, 6, 7, 8))

"""`searchask questions make`, `add` and `check`."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from pipelines.catalog import Catalog
from pipelines.catalog.answers import flagged
from pipelines.commands.asked import Shown
from pipelines.commands.terminal import block, printable, say, say_json, table, warn
from pipelines.config import load_config
from pipelines.errors import SearchaskError
from pipelines.evaluation.flagged import questions_of
from pipelines.evaluation.gold import Gold
from pipelines.evaluation.making.make import Made, Order, checked, make
from pipelines.evaluation.questions import Question, read_questions, write_questions
from pipelines.evaluation.run import Progress
from pipelines.ingestion.run import stop_on_signals


def make_command(args: argparse.Namespace) -> int:
    """Write a set; 1 where it has fewer questions than wanted, 130 where it was stopped."""
    order = Order(
        count=args.count,
        language=args.language or "",
        llm=not args.no_llm,
        seed=args.seed,
        unanswerable=args.unanswerable,
        test_share=args.test_share,
        removed=tuple(map(Path, args.removed)),
    )
    checked(order)
    config, out = load_config(args.file), Path(args.out)
    if out.exists():
        raise SearchaskError(f"{out} exists already; name another file, or remove it")
    with Shown(quiet=args.json) as shown, stop_on_signals() as stopped:
        made = make(
            config,
            order,
            report=lambda done, wanted: shown.report(Progress(done, wanted, 0, 0)),
            keep=lambda questions: write_questions(out, questions),
            stopped=stopped,
        )
        interrupted = stopped()
    if made.questions:
        write_questions(out, made.questions)
    if args.json:
        say_json(_as_json(made, out))
    else:
        _show(made, out, args.count)
    return 130 if interrupted else int(len(made.questions) < args.count)


def add_command(args: argparse.Namespace) -> int:
    """Add the questions that people flagged to a set, none twice."""
    if not args.flagged:
        raise SearchaskError("add what? `--flagged` adds the questions that people gave a thumb")
    config, to = load_config(args.file), Path(args.to)
    catalog = Catalog(config.storage, config.catalog_url)
    try:
        found = questions_of(flagged(catalog.engine))
    finally:
        catalog.close()
    known = read_questions(to) if to.exists() and to.stat().st_size else []
    ids = {question.id for question in known}
    fresh = [question for question in found if question.id not in ids]
    if fresh:
        write_questions(to, [*known, *fresh])
    gold = sum(question.gold for question in fresh)
    say(
        f"{len(fresh)} questions added to {printable(str(to))}: {gold} with gold, {len(fresh) - gold} to review"
    )
    if len(found) > len(fresh):
        say(f"{len(found) - len(fresh)} were there already")
    if len(fresh) > gold:
        say(f"next: searchask questions review {printable(str(to))}")
    return 0


def check_command(args: argparse.Namespace) -> int:
    """Say how a set fits the index; 1 where documents or evidence of it are gone."""
    config, questions = load_config(args.file), read_questions(args.questions)
    catalog = Catalog(config.storage, config.catalog_url)
    try:
        drift = Gold(catalog).drift(questions)
    finally:
        catalog.close()
    _counts(questions)
    say(f"evidence: {drift.evidence - drift.gone} of {drift.evidence} pieces are in the documents")
    for line in drift.told():
        warn(block(line))
    return int(bool(drift.gone or drift.unknown))


def _show(made: Made, out: Path, wanted: int) -> None:
    _counts(made.questions)
    say(f"asked of {made.covered} of {made.documents} documents")
    if made.dropped:
        told = ", ".join(f"{count} ({why})" for why, count in made.dropped.most_common())
        say(f"dropped: {told}")
    if made.spent:
        say(made.spent)
    if len(made.questions) < wanted:
        warn(f"{len(made.questions)} questions instead of {wanted}")
    for line in made.why:
        warn(block(line))
    if made.questions:
        name = printable(str(out))
        say(f"written to {name}; next: searchask questions review {name}")


def _counts(questions: Sequence[Question]) -> None:
    """A table of how questions were made, by language."""
    rows: dict[str, Counter[str]] = {}
    for question in questions:
        made = str(question.more.get("made") or "")
        kind = f"{made} (unanswerable)".strip() if not question.answerable else made or "-"
        rows.setdefault(kind, Counter())[question.language] += 1
    total = sum(rows.values(), Counter())
    lines = [(kind, each["en"], each["zh"], each.total()) for kind, each in sorted(rows.items())]
    table(
        ["made", "en", "zh", "questions"],
        [*lines, ("total", total["en"], total["zh"], total.total())],
        right=(1, 2, 3),
    )
    splits = Counter(question.split for question in questions if question.split)
    if splits:
        say(", ".join(f"{count} {name}" for name, count in sorted(splits.items())))


def _as_json(made: Made, out: Path) -> dict[str, object]:
    kinds = Counter(str(each.more.get("made", "")) for each in made.questions)
    return {
        "file": str(out),
        "questions": len(made.questions),
        "made": dict(kinds),
        "languages": dict(Counter(each.language for each in made.questions)),
        "unanswerable": sum(not each.answerable for each in made.questions),
        "splits": dict(Counter(each.split for each in made.questions)),
        "dropped": dict(made.dropped),
        "documents": made.documents,
        "covered": made.covered,
        "why": made.why,
    }

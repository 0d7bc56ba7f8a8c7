"""`searchask finetune export`, `submit`, `status` and `cancel`."""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.commands.terminal import moment, printable, say, say_json, table, warn
from pipelines.config import load_config
from pipelines.errors import SearchaskError
from pipelines.evaluation.finetuning.examples import LEAST, read_examples
from pipelines.evaluation.finetuning.export import Export, Wish, examples_of, write
from pipelines.evaluation.questions import read_questions
from pipelines.models.endpoint import shown
from pipelines.text.tokens import encoding_name

if TYPE_CHECKING:
    from pipelines.config import Config
    from pipelines.evaluation.finetuning.endpoint import Event, State
    from pipelines.evaluation.finetuning.jobs import Job, Order

LONGEST_SUFFIX = 64
"""Characters, by OpenAI's API."""
_JOB = re.compile(r"[\w:.-]{1,200}")
_EVERY = 5.0
"""Seconds between two lines that tell how far an export is."""


def export_command(args: argparse.Namespace) -> int:
    """Make examples of a question set, and write them."""
    from pipelines.querying.knowledge_base import KnowledgeBase

    if not 0 <= args.validation <= 0.5:
        raise SearchaskError("--validation must be between 0 and 0.5")
    for name in ("epochs", "longest"):
        if getattr(args, name) < 1:
            raise SearchaskError(f"--{name} must be at least 1")
    questions = read_questions(args.questions)
    wish = Wish(args.engine, args.validation, args.epochs, args.longest, args.refusals)
    with KnowledgeBase(load_config(args.file)) as base:
        found = examples_of(base, questions, wish, _Teller(len(questions)))
    files = [str(file) for file in write(Path(args.out), found)]
    if args.json:
        say_json({**found.to_dict(), "files": files})
    else:
        _show(found, files)
    return 0


class _Teller:
    """Says on standard error now and then how many questions are done."""

    def __init__(self, total: int) -> None:
        self._total, self._said = total, time.monotonic()

    def __call__(self, done: int) -> None:
        if time.monotonic() - self._said >= _EVERY and sys.stderr is not None:
            self._said = time.monotonic()
            warn(f"{done} of {self._total} questions")


def _show(found: Export, files: list[str]) -> None:
    told = found.to_dict()
    rows = []
    for name in ("train", "validation"):
        part = told[name]
        counts = [part["languages"].get(language, 0) for language in ("zh", "en")]
        sizes = [f"{part[key]:,}" for key in ("tokens", "shortest", "median", "longest")]
        rows.append((name, part["examples"], part["documents"], *counts, *sizes))
    head = ["", "examples", "documents", "zh", "en", "tokens", "shortest", "median", "longest"]
    table(head, rows, right=range(1, len(head)))
    say("answers: " + ", ".join(f"{number} {source}" for source, number in told["answers"].items()))
    for reason, number in found.left_out.items():
        say(f"left out: {number} of {found.questions}, {printable(reason)}")
    for error, number in found.errors.most_common(5):
        warn(f"{number} × {printable(error)}")
    if not found.validation and len(found.train):
        say("nothing to validate with: none was wanted, or all questions hang together by their documents")
    say(_cost(sum(each.tokens for each in found.train), found.epochs, found.price) + f", by {found.table}")
    say(f"written: {', '.join(map(printable, files))}")


def _cost(tokens: int, epochs: int | None, price: float | None) -> str:
    """What training costs, in words."""
    if price is None:
        return f"{tokens:,} tokens an epoch; set `training_price` in the price of `llm` to see the cost"
    one = tokens * price / 1e6
    if epochs is None:
        return f"{tokens:,} tokens, {one:.4f} an epoch; the endpoint chooses how many (--epochs)"
    return f"{tokens:,} tokens, {one:.4f} an epoch × {epochs} = {one * epochs:.4f}"


def submit_command(args: argparse.Namespace) -> int:
    """Check files, upload them and start a job."""
    from pipelines.evaluation.finetuning.jobs import Desk

    config = load_config(args.file)
    desk, order = Desk(config), _order(args, config)
    price = getattr(getattr(config.spec.llm, "price", None), "training_price", None)
    warn(f"{order.train.examples} examples for {desk.url}: {_cost(order.train.tokens, order.epochs, price)}")
    job = desk.submit(order, again=args.again)
    if args.json:
        say_json(job.model_dump())
    else:
        say(f"job {printable(job.id)}: {printable(job.status)}")
        say(f"`searchask finetune status {printable(args.file)}` shows what becomes of it")
    return 0


def _order(args: argparse.Namespace, config: Config) -> Order:
    from pipelines.evaluation.finetuning.jobs import Order

    model = args.model or str(getattr(config.spec.llm, "model", ""))
    if args.epochs is not None and args.epochs < 1:
        raise SearchaskError("--epochs must be at least 1")
    if len(args.suffix) > LONGEST_SUFFIX:
        raise SearchaskError(f"--suffix has at most {LONGEST_SUFFIX} characters")
    counted = encoding_name(model)
    train = read_examples(args.train, counted, LEAST)
    validation = read_examples(args.validation, counted) if args.validation else None
    if validation:
        known = set(train.content.splitlines())
        if both := sum(line in known for line in validation.content.splitlines() if line.strip()):
            raise SearchaskError(
                f"{args.validation}: {both} examples stand in {args.train} as well; what was learned by heart "
                "validates nothing"
            )
    return Order(train, validation, model, args.epochs, args.suffix)


def status_command(args: argparse.Namespace) -> int:
    """Show all jobs of the storage, or one with its events; 1 where that one failed."""
    from pipelines.evaluation.finetuning.jobs import Desk

    config = load_config(args.file)
    desk = Desk(config)
    if args.job is None:
        jobs, errors = desk.jobs()
        if args.json:
            say_json([{**job.model_dump(), "problem": errors.get(job.id, "")} for job in jobs])
        else:
            _list(config, jobs, errors)
        return 0
    known, state, events = desk.look(_job(args.job))
    if args.json:
        told = {"events": [event.model_dump() for event in events], "remembered": known is not None}
        say_json({**state.model_dump(), **told})
    else:
        _one(config, state, events)
    return int(state.status == "failed")


def cancel_command(args: argparse.Namespace) -> int:
    """Stop a job."""
    from pipelines.evaluation.finetuning.jobs import Desk

    state = Desk(load_config(args.file)).cancel(_job(args.job))
    if args.json:
        say_json(state.model_dump())
    else:
        say(f"job {printable(state.id)}: {printable(state.status)}")
    return 0


def _job(name: str) -> str:
    if not _JOB.fullmatch(name):
        raise SearchaskError(f"{name!r} is no id of a job, such as ftjob-abc123")
    return name


def _list(config: Config, jobs: list[Job], errors: dict[str, str]) -> None:
    if not jobs:
        say("no job was submitted yet: searchask finetune submit FILE --train train.jsonl")
        return
    rows = [
        (
            job.id or "?",
            job.status,
            job.model,
            Path(job.train).name,
            moment(job.submitted),
            "" if job.tokens is None else f"{job.tokens:,}",
        )
        for job in jobs
    ]
    table(["job", "status", "model", "trained on", "submitted", "tokens paid"], rows, right=(5,))
    for job in jobs:
        if problem := errors.get(job.id) or job.error:
            warn(f"{printable(job.id)}: {printable(problem)}")
        if job.tuned:
            _tell_how_to_use(config, job.tuned)


def _one(config: Config, state: State, events: list[Event]) -> None:
    say(f"job {printable(state.id)}: {printable(state.status)}")
    if state.trained_tokens is not None:
        say(f"{state.trained_tokens:,} tokens paid")
    for event in reversed(events):
        say(f"{moment(event.created_at)}  {printable(event.message)}")
    if state.error and state.error.message:
        warn(printable(state.error.message))
    if state.fine_tuned_model:
        _tell_how_to_use(config, state.fine_tuned_model)


def _tell_how_to_use(config: Config, model: str) -> None:
    """The line of a config that asks the new model."""
    llm: Any = config.spec.llm
    place = f", base_url: {json.dumps(shown(llm.base_url))}" if llm.base_url else ""
    key = "  # with its api_key as before" if llm.api_key else ""
    say(f"in a config: {printable(f'llm: {{type: {llm.type}, model: {json.dumps(model)}{place}}}')}{key}")

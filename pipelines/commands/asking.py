"""`searchask ask` and `searchask retrieve`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from pipelines.commands.terminal import block, printable, say, say_json, table, warn
from pipelines.config import load_config
from pipelines.errors import SearchaskError
from pipelines.evaluation.questions import read_questions
from pipelines.filters import Filters, parse
from pipelines.querying.answer import Answer, Citation, Retrieval
from pipelines.querying.knowledge_base import KnowledgeBase
from pipelines.querying.trace import Candidate, Trace
from pipelines.text.language import answered_in

_SNIPPET = 60


def ask_command(args: argparse.Namespace) -> int:
    """Answer a question, or every question of a file."""
    filters = parse(args.filter, answered_in(args.question or ""))
    with KnowledgeBase(load_config(args.file)) as base:
        if args.questions:
            return _reply_to_all(args, base.ask, filters)
        question = _required(args.question)
        if args.json:
            say_json(base.ask(question, args.engine, filters=filters).to_dict())
            return 0
        streamed = False
        for piece in base.stream(question, args.engine, filters=filters):
            if isinstance(piece, str):
                streamed = sys.stdout.isatty()
                if streamed:
                    sys.stdout.write(block(piece))
                    sys.stdout.flush()
            elif isinstance(piece, Answer):
                show_answer(piece, streamed=streamed)
                if args.show_trace:
                    show_trace(piece.trace)
                elif piece.outcome == "refused":  # the notes may say why
                    for note in piece.trace.notes:
                        warn(f"note: {printable(note)}")
    return 0


def retrieve_command(args: argparse.Namespace) -> int:
    """Show every candidate for a question with its ranks, and what became of it."""
    filters = parse(args.filter, answered_in(args.question or ""))
    with KnowledgeBase(load_config(args.file)) as base:
        if args.questions:
            return _reply_to_all(args, base.retrieve, filters)
        retrieval = base.retrieve(_required(args.question), args.engine, filters=filters)
    if args.json:
        say_json(retrieval.to_dict())
    else:
        _candidates(retrieval)
    return 0


def _reply_to_all(
    args: argparse.Namespace, reply: Callable[..., Answer | Retrieval], filters: Filters
) -> int:
    """One JSON result a line, in the order of the questions."""
    for question in read_questions(args.questions, least=0):
        say_json(reply(question.text, args.engine, filters=filters).to_dict(), line=True)
    return 0


def _required(question: str | None) -> str:
    if question is None:
        raise SearchaskError('ask what? searchask ask FILE "question", or --questions FILE.jsonl')
    return question


def show_answer(answer: Answer, *, streamed: bool) -> None:
    """Print an answer, its label before it and its sources behind; `streamed`: after its draft."""
    if streamed:
        say("\n")  # what was streamed is the draft; the checked answer follows
    if answer.label:
        say(f"[{block(answer.label)}]")
    say(block(answer.text))
    if answer.citations:
        say()
        for citation in answer.citations:
            cite(citation)


def cite(citation: Citation) -> None:
    """Print a source with its place and its words."""
    place = [printable(citation.document)]
    place += [f"p. {citation.page}"] if citation.page else []
    place += [printable(citation.heading)] if citation.heading else []
    say(f"[{citation.number}] " + " · ".join(place))
    for line in block(citation.quote).splitlines():
        say(f"    {line}")


def show_trace(trace: Trace) -> None:
    """Print the time of each stage, then the candidates."""
    say()
    stages = [
        (each.name, f"{each.milliseconds:.1f}", each.tokens_in or "", each.tokens_out or "")
        for each in trace.stages
    ]
    table(["stage", "ms", "tokens in", "tokens out"], stages, right=(1, 2, 3))
    for note in trace.notes:
        say(f"note: {printable(note)}")
    say()
    _candidate_table(trace)


def _candidates(retrieval: Retrieval) -> None:
    if not retrieval.candidates:
        say("no passage was found")
        return
    _candidate_table(retrieval.trace)


def _fate(candidate: Candidate) -> str:
    """What became of a candidate, and whether its text seems to give orders to a model."""
    return f"{candidate.fate}, suspicious" if candidate.suspicious else candidate.fate


def _candidate_table(trace: Trace) -> None:
    retrievers = list(dict.fromkeys(name for each in trace.candidates for name in each.by))
    rows = []
    for each in trace.candidates:
        ranks = [
            f"{each.by[name]['rank']:.0f} ({each.by[name]['score']:.3f})" if name in each.by else "-"
            for name in retrievers
        ]
        place = each.document + (f" p. {each.page}" if each.page else "")
        snippet = " ".join(each.text.split())[:_SNIPPET]
        rows.append((each.rank, place, *ranks, " ".join(each.terms), _fate(each), snippet))
    table(["rank", "document", *retrievers, "terms", "fate", "text"], rows, right=(0,))

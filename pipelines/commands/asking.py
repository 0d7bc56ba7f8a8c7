"""`searchask ask` and `searchask retrieve`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator

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
        answer = show_stream(base.stream(question, args.engine, filters=filters))
        if args.show_trace:
            show_trace(answer.trace)
        elif answer.outcome == "refused":  # the notes may say why
            for note in answer.trace.notes:
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


def show_stream(pieces: Iterator[Retrieval | str | Answer]) -> Answer:
    """Print an answer as it is written, on a terminal, and then as it holds; raises what the stream raises."""
    draft = False
    answer = None
    try:
        for piece in pieces:
            if isinstance(piece, Answer):
                answer = piece
            elif isinstance(piece, str) and sys.stdout.isatty():
                draft = True
                sys.stdout.write(block(piece))
                sys.stdout.flush()
    except SearchaskError:
        if draft:
            say()
        raise
    assert answer is not None  # every stream ends with one
    if draft:
        say("\n")
    _show_answer(answer)
    return answer


def _show_answer(answer: Answer) -> None:
    """Its label before it, its sources behind it."""
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

"""`searchask ask` and `searchask retrieve`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from pipelines.commands.terminal import block, printable, say, say_json, table
from pipelines.config import load_config
from pipelines.errors import SearchaskError
from pipelines.querying.answer import Answer, Citation, Retrieval
from pipelines.querying.knowledge_base import KnowledgeBase
from pipelines.querying.trace import Trace

_SNIPPET = 60


def ask_command(args: argparse.Namespace) -> int:
    """Answer a question, or every question of a file."""
    with KnowledgeBase(load_config(args.file)) as base:
        if args.questions:
            return _reply_to_all(args, base.ask)
        question = _required(args.question)
        if args.json:
            say_json(base.ask(question, args.engine).to_dict())
            return 0
        streamed = False
        for piece in base.stream(question, args.engine):
            if isinstance(piece, str):
                streamed = sys.stdout.isatty()
                if streamed:
                    sys.stdout.write(block(piece))
                    sys.stdout.flush()
            elif isinstance(piece, Answer):
                _show(piece, streamed=streamed)
                if args.show_trace:
                    show_trace(piece.trace)
    return 0


def retrieve_command(args: argparse.Namespace) -> int:
    """Show every candidate for a question with its ranks, and what became of it."""
    with KnowledgeBase(load_config(args.file)) as base:
        if args.questions:
            return _reply_to_all(args, base.retrieve)
        retrieval = base.retrieve(_required(args.question), args.engine)
    if args.json:
        say_json(retrieval.to_dict())
    else:
        _candidates(retrieval)
    return 0


def _reply_to_all(args: argparse.Namespace, reply: Callable[[str, str], Answer | Retrieval]) -> int:
    """One JSON result a line, in the order of the questions."""
    for question in read_questions(args.questions):
        say_json(reply(question, args.engine).to_dict(), line=True)
    return 0


def read_questions(file: str) -> list[str]:
    """The questions of a JSONL file, one object with `question` a line; raises SearchaskError with the line."""
    try:
        lines = Path(file).read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SearchaskError(f"{file}: can't be read as UTF-8: {error}") from None
    questions = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            question = json.loads(line)["question"]
        except (ValueError, KeyError, TypeError):
            question = None
        if not isinstance(question, str) or not question.strip():
            raise SearchaskError(f'{file}:{number}: each line must be an object with a text "question"')
        questions.append(question)
    return questions


def _required(question: str | None) -> str:
    if question is None:
        raise SearchaskError('ask what? searchask ask FILE "question", or --questions FILE.jsonl')
    return question


def _show(answer: Answer, *, streamed: bool) -> None:
    if streamed:
        say("\n")  # what was streamed is the draft; the checked answer follows
    say(block(answer.text))
    if answer.citations:
        say()
        for citation in answer.citations:
            _cite(citation)


def _cite(citation: Citation) -> None:
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
        rows.append((each.rank, place, *ranks, " ".join(each.terms), each.fate, snippet))
    table(["rank", "document", *retrievers, "terms", "fate", "text"], rows, right=(0,))

"""`searchask chat`."""

from __future__ import annotations

import argparse
import io
import sys
from contextlib import closing, suppress

from pipelines.commands.asking import cite, show_stream
from pipelines.commands.terminal import block, say, warn
from pipelines.config import load_config
from pipelines.errors import SearchaskError
from pipelines.querying.answer import Answer
from pipelines.querying.chat import Session
from pipelines.querying.knowledge_base import KnowledgeBase

HELP = "/new begins anew, /sources shows the last answer's sources, Ctrl-C stops an answer, Ctrl-D ends"


def chat_command(args: argparse.Namespace) -> int:
    """Ask question after question, each of which may refer to those before."""
    with suppress(ImportError):
        import readline  # noqa: F401 - input() edits lines with it
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")
    with KnowledgeBase(load_config(args.file)) as base:
        session = Session(base, base.engine(args.engine).name)
        if sys.stdin.isatty():
            say(HELP)
        while _next(session):
            pass
    return 0


def _next(session: Session) -> bool:
    """Read a line and answer it; False at the end of the input."""
    asking = False
    try:
        line = input("> " if sys.stdin.isatty() else "")
        asking = True
        _turn(session, line.strip())
    except KeyboardInterrupt:
        say("\n(stopped)" if asking else "")
    except EOFError:
        if sys.stdin.isatty():
            say()
        return False
    return True


def _turn(session: Session, line: str) -> None:
    if not line:
        return
    if line == "/new":
        session.clear()
        say("begun anew")
    elif line == "/sources":
        _sources(session.last)
    elif line.startswith("/") and " " not in line:
        say(HELP)
    else:
        _reply(session, line)


def _sources(answer: Answer | None) -> None:
    if answer is None or not answer.citations:
        say("no sources")
        return
    for citation in answer.citations:
        cite(citation)


def _reply(session: Session, question: str) -> None:
    """One answer; what goes wrong ends it and not the chat."""
    try:
        with closing(session.stream(question)) as pieces:
            show_stream(pieces)
        sys.stdout.flush()
    except SearchaskError as error:
        warn(block(str(error)))

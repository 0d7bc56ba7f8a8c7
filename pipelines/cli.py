"""The command line: `searchask VERB …`. Each verb is a plain function in `pipelines/commands/`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from pipelines.commands.terminal import block, warn
from pipelines.errors import SearchaskError

Command = Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 done, 1 something failed, 2 refused or wrong, 130 interrupted."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by who started us
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8"))
        # A name that the terminal's encoding can't show is shown escaped, instead of ending the program.
        getattr(sys, name).reconfigure(errors="backslashreplace")
    args = _parsed(argv)
    command: Command = args.run
    try:
        code = command(args)
        sys.stdout.flush()
        return code
    except SearchaskError as error:
        warn(block(str(error)))
        return 2
    except KeyboardInterrupt:
        warn("interrupted")
        return 130
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        _mute()
        return 0
    except OSError as error:
        _mute()
        warn(block(str(error)))
        return 2


def _mute() -> None:
    """Let what is still to be printed go nowhere: the output takes no more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parsed(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line; an optional word such as a question may also stand behind the options.

    argparse takes the places of all positionals at the first of them, so one that comes later is left over.
    """
    parser = _parser()
    args, left = parser.parse_known_args(argv)
    late = getattr(args, "late", None)
    if late and len(left) == 1 and not left[0].startswith("-") and getattr(args, late[0]) is None:
        try:
            setattr(args, late[0], late[1](left[0]))
            return args
        except ValueError:
            parser.error(f"{late[0]}: not a valid value: {left[0]}")
    if left:
        parser.error(f"unrecognized arguments: {' '.join(left)}")
    return args


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="searchask", description="Ask your own documents, in Chinese and in English."
    )
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    _config_verbs(verbs)
    _ingestion_verbs(verbs)
    _question_verbs(verbs)
    _storage_verbs(verbs)
    _page_verbs(verbs)
    return parser


Verbs = argparse._SubParsersAction  # argparse has no public name for what it returns


def _verb(
    verbs: Verbs[argparse.ArgumentParser], name: str, text: str, run: Command
) -> argparse.ArgumentParser:
    verb = verbs.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    verb.set_defaults(run=run)
    return verb


def _config_verbs(verbs: Verbs[argparse.ArgumentParser]) -> None:
    check = _verb(verbs, "check", "report every error of config files", _check)
    check.add_argument("files", nargs="*", metavar="FILE", help="default: config/*.yaml")
    explain = _verb(verbs, "explain", "print what is in effect, and where each value comes from", _explain)
    explain.add_argument("file", metavar="FILE")
    explain.add_argument("key", nargs="?", metavar="KEY", help="such as retrievers or embed_model.type")
    components = _verb(verbs, "components", "list every type that a config can name", _components)
    components.add_argument("family", nargs="?", metavar="FAMILY", help="such as loaders or node_parser")
    init = _verb(verbs, "init", "write a commented starter config for a folder of documents", _init)
    init.add_argument("directory", metavar="DIR")


def _ingestion_verbs(verbs: Verbs[argparse.ArgumentParser]) -> None:
    plan = _verb(verbs, "plan", "print what an ingestion would do, and why", _plan)
    ingest = _verb(verbs, "ingest", "bring the index in step with the documents", _ingest)
    for verb in (plan, ingest):
        verb.add_argument("file", metavar="FILE")
        verb.add_argument("--json", action="store_true", help="print JSON for other programs")
        verb.add_argument("--retry-failed", action="store_true", help="try quarantined documents again")
    plan.add_argument("--all", action="store_true", help="list every document that changes")
    ingest.add_argument("--yes", action="store_true", help="do not ask before starting")
    ingest.add_argument("--allow-vanish", action="store_true", help="let many documents, or all, be removed")
    ingest.add_argument("--rebuild", action="store_true", help="build both indexes anew from the catalog")
    ingest.add_argument("--watch", action="store_true", help="ingest again whenever documents change")
    ingest.add_argument("--every", type=float, default=5.0, metavar="SECONDS", help="how often --watch looks")


def _question_verbs(verbs: Verbs[argparse.ArgumentParser]) -> None:
    ask = _verb(verbs, "ask", "answer a question from the documents", _ask)
    retrieve = _verb(verbs, "retrieve", "show every candidate for a question", _retrieve)
    for verb in (ask, retrieve):
        verb.add_argument("file", metavar="FILE")
        verb.add_argument("question", nargs="?", metavar="QUESTION")
        verb.set_defaults(late=("question", str))
        verb.add_argument("--engine", default="", metavar="NAME", help="query engine; default: the first")
        verb.add_argument("--json", action="store_true", help="print JSON for other programs")
        verb.add_argument("--questions", metavar="FILE.jsonl", help="many questions, one JSON result a line")
        verb.add_argument(
            "--filter",
            action="append",
            default=[],
            metavar="FIELD=VALUE",
            help="search only where document, folder, type, date, language or heading is VALUE; repeatable",
        )
    chat = _verb(verbs, "chat", "ask question after question, each of which may refer to those before", _chat)
    chat.add_argument("file", metavar="FILE")
    chat.add_argument("--engine", default="", metavar="NAME", help="query engine; default: the first")
    calibrate = _verb(
        verbs, "calibrate", "find the thresholds that tell when the documents hold no answer", _calibrate
    )
    calibrate.add_argument("file", metavar="FILE")
    calibrate.add_argument(
        "--questions",
        required=True,
        metavar="FILE.jsonl",
        help='one {"question": …, "answerable": true|false} a line',
    )
    calibrate.add_argument("--engine", default="", metavar="NAME", help="query engine; default: all of them")
    calibrate.add_argument(
        "--most-refused",
        type=float,
        default=0.02,
        metavar="SHARE",
        help="share of answerable questions that may be refused; default: 0.02",
    )
    calibrate.add_argument("--json", action="store_true", help="print JSON for other programs")
    ask.add_argument("--show-trace", action="store_true", help="show stages and candidates too")


def _storage_verbs(verbs: Verbs[argparse.ArgumentParser]) -> None:
    usage = _verb(verbs, "usage", "sum the tokens and the money that models took", _usage)
    usage.add_argument("file", metavar="FILE")
    usage.add_argument(
        "--days", type=int, default=30, metavar="N", help="today and the days before; default: 30"
    )
    usage.add_argument("--json", action="store_true", help="print JSON for other programs")
    jobs = _verb(verbs, "jobs", "list ingestions, or show one", _jobs)
    documents = _verb(verbs, "documents", "list the documents of the index", _documents)
    chunks = _verb(verbs, "chunks", "show what was cut where in a document", _chunks)
    prune = _verb(verbs, "prune", "drop old indexes and what is no longer used", _prune)
    doctor = _verb(verbs, "doctor", "check storage, models and endpoints", _doctor)
    for verb in (jobs, documents, chunks, prune, doctor):
        verb.add_argument("file", metavar="FILE")
    jobs.add_argument("id", nargs="?", type=int, metavar="ID")
    jobs.set_defaults(late=("id", int))
    jobs.add_argument("--limit", type=int, default=20, metavar="N", help="how many to list")
    documents.add_argument("--json", action="store_true", help="print JSON for other programs")
    chunks.add_argument("document", metavar="DOC", help="path relative to its loader, or the end of it")


def _page_verbs(verbs: Verbs[argparse.ArgumentParser]) -> None:
    ui = _verb(verbs, "ui", "serve the page", _ui)
    ui.add_argument("place", nargs="?", default="config", metavar="FILE|DIR", help="default: config/")
    ui.add_argument(
        "--host", default="127.0.0.1", metavar="ADDRESS", help="another than 127.0.0.1 needs --auth"
    )
    ui.add_argument("--port", type=int, default=7860, metavar="N", help="default: 7860")
    ui.add_argument(
        "--host-name", action="append", default=[], metavar="NAME", help="a name it is reached by"
    )
    ui.add_argument("--auth", metavar="USERS.yaml", help="who may log in; see `searchask user`")
    ui.add_argument("--edit", action="store_true", help="let people edit configs")
    ui.add_argument(
        "--mcp", action="store_true", help="offer ask, retrieve and list_documents to MCP clients"
    )
    user = _verb(verbs, "user", "add, remove or list people who may log in to the page", _user)
    user.add_argument("action", choices=["add", "remove", "list"])
    user.add_argument("file", metavar="USERS.yaml")
    user.add_argument("name", nargs="?", metavar="NAME")


# Each verb imports its code when it runs: `check` must not wait for a database, nor `jobs` for a model.


def _check(args: argparse.Namespace) -> int:
    from pipelines.commands.config_commands import check

    return check(args.files)


def _explain(args: argparse.Namespace) -> int:
    from pipelines.commands.config_commands import explain

    return explain(args.file, args.key)


def _components(args: argparse.Namespace) -> int:
    from pipelines.commands.config_commands import components

    return components(args.family)


def _init(args: argparse.Namespace) -> int:
    from pipelines.commands.config_commands import init

    return init(args.directory)


def _plan(args: argparse.Namespace) -> int:
    from pipelines.commands.ingesting import plan_command

    return plan_command(args)


def _ingest(args: argparse.Namespace) -> int:
    from pipelines.commands.ingesting import ingest_command

    return ingest_command(args)


def _ask(args: argparse.Namespace) -> int:
    from pipelines.commands.asking import ask_command

    return ask_command(args)


def _retrieve(args: argparse.Namespace) -> int:
    from pipelines.commands.asking import retrieve_command

    return retrieve_command(args)


def _chat(args: argparse.Namespace) -> int:
    from pipelines.commands.chatting import chat_command

    return chat_command(args)


def _calibrate(args: argparse.Namespace) -> int:
    from pipelines.commands.calibrating import calibrate_command

    return calibrate_command(args)


def _usage(args: argparse.Namespace) -> int:
    from pipelines.commands.usage import usage_command

    return usage_command(args)


def _jobs(args: argparse.Namespace) -> int:
    from pipelines.commands.inspecting import jobs_command

    return jobs_command(args)


def _documents(args: argparse.Namespace) -> int:
    from pipelines.commands.inspecting import documents_command

    return documents_command(args)


def _chunks(args: argparse.Namespace) -> int:
    from pipelines.commands.inspecting import chunks_command

    return chunks_command(args)


def _prune(args: argparse.Namespace) -> int:
    from pipelines.commands.inspecting import prune_command

    return prune_command(args)


def _doctor(args: argparse.Namespace) -> int:
    from pipelines.commands.inspecting import doctor_command

    return doctor_command(args)


def _ui(args: argparse.Namespace) -> int:
    from pipelines.commands.serving import ui_command

    return ui_command(args)


def _user(args: argparse.Namespace) -> int:
    from pipelines.commands.users import user_command

    return user_command(args)

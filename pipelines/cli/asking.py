"""Verbs that ask questions, and the page."""

from __future__ import annotations

from pipelines.cli.verbs import Verbs, verb


def add(verbs: Verbs) -> None:
    """Add them."""
    _question_verbs(verbs)
    _page_verbs(verbs)


def _question_verbs(verbs: Verbs) -> None:
    ask = verb(verbs, "ask", "answer a question from the documents", "asking:ask_command")
    retrieve = verb(verbs, "retrieve", "show every candidate for a question", "asking:retrieve_command")
    for each in (ask, retrieve):
        each.add_argument("file", metavar="FILE")
        each.add_argument("question", nargs="?", metavar="QUESTION")
        each.set_defaults(late=("question", str))
        each.add_argument("--engine", default="", metavar="NAME", help="query engine; default: the first")
        each.add_argument("--json", action="store_true", help="print JSON for other programs")
        each.add_argument("--questions", metavar="FILE.jsonl", help="many questions, one JSON result a line")
        each.add_argument(
            "--filter",
            action="append",
            default=[],
            metavar="FIELD=VALUE",
            help="search only where document, folder, type, date, language or heading is VALUE; repeatable",
        )
    chat = verb(
        verbs,
        "chat",
        "ask question after question, each of which may refer to those before",
        "chatting:chat_command",
    )
    chat.add_argument("file", metavar="FILE")
    chat.add_argument("--engine", default="", metavar="NAME", help="query engine; default: the first")
    calibrate = verb(
        verbs,
        "calibrate",
        "find the thresholds that tell when the documents hold no answer",
        "calibrating:calibrate_command",
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
    similarity = verb(
        verbs, "similarity", "show how similar texts are to the embed model", "similarity:similarity_command"
    )
    similarity.add_argument("file", metavar="FILE")
    similarity.add_argument("texts", nargs="*", metavar="TEXT")
    similarity.set_defaults(late=("texts", str))
    similarity.add_argument("--file", dest="texts_file", metavar="TEXTS.txt", help="more texts, one a line")
    similarity.add_argument("--json", action="store_true", help="print JSON for other programs")


def _page_verbs(verbs: Verbs) -> None:
    ui = verb(verbs, "ui", "serve the page", "serving:ui_command")
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
    user = verb(verbs, "user", "add, remove or list people who may log in to the page", "users:user_command")
    user.add_argument("action", choices=["add", "remove", "list"])
    user.add_argument("file", metavar="USERS.yaml")
    user.add_argument("name", nargs="?", metavar="NAME")

"""Verbs that measure answers, and those that train a model on them."""

from __future__ import annotations

from pipelines.cli.verbs import Verbs, group, verb


def add(verbs: Verbs) -> None:
    """Add them."""
    _set_verbs(verbs)
    _evaluation_verbs(verbs)
    _finetune_verbs(verbs)


def _set_verbs(verbs: Verbs) -> None:
    steps = group(verbs, "questions", "make a question set from the documents, and look after it")
    make = verb(steps, "make", "make questions from the documents of an index", "questions:make_command")
    review = verb(steps, "review", "keep, edit or drop questions, one by one", "reviewing:review_command")
    add = verb(steps, "add", "add questions that people flagged in use", "questions:add_command")
    check = verb(
        steps, "check", "say how a set fits the documents as they are now", "questions:check_command"
    )
    for step in (make, add, check):
        step.add_argument("file", metavar="FILE")
    make.add_argument("--count", type=int, default=100, metavar="N", help="default: 100")
    make.add_argument("--out", required=True, metavar="Q.jsonl", help="must not exist yet")
    make.add_argument("--language", choices=["zh", "en"], help="default: both, as the documents have them")
    make.add_argument("--no-llm", action="store_true", help="by rules, even where the config has an llm")
    make.add_argument("--seed", type=int, default=0, metavar="N", help="another seed, another choice")
    make.add_argument(
        "--unanswerable",
        type=float,
        default=0.2,
        metavar="SHARE",
        help="share that the documents do not answer; default: 0.2",
    )
    make.add_argument(
        "--removed",
        action="append",
        default=[],
        metavar="PLACE",
        help="folder, file or config with documents that the index lacks, for unanswerable ones; repeatable",
    )
    make.add_argument(
        "--test-share",
        type=float,
        default=0.5,
        metavar="SHARE",
        help="share of documents whose questions are for testing, the others for training; default: 0.5",
    )
    make.add_argument("--json", action="store_true", help="print JSON for other programs")
    review.add_argument("questions", metavar="Q.jsonl")
    review.add_argument("--documents", metavar="FILE", help="config whose index shows evidence in its place")
    add.add_argument("--flagged", action="store_true", help="those that were given a thumb, up or down")
    add.add_argument("--to", required=True, metavar="Q.jsonl", help="the set; made where there is none")
    check.add_argument("--questions", required=True, metavar="Q.jsonl", help="the set")


def _evaluation_verbs(verbs: Verbs) -> None:
    evaluate = verb(verbs, "eval", "ask a question set, and measure the answers", "evaluating:eval_command")
    evaluate.add_argument("file", metavar="FILE")
    compare = verb(
        verbs, "compare", "ask a question set of several configs, side by side", "comparing:compare_command"
    )
    compare.add_argument("files", nargs="+", metavar="FILE")
    for each in (evaluate, compare):
        each.add_argument("--questions", metavar="FILE.jsonl", help="a question set")
        each.add_argument("--split", default="", metavar="NAME", help="only questions of this split")
        each.add_argument("--engine", default="", metavar="NAME", help="query engine; default: the first")
        each.add_argument("--no-judge", action="store_true", help="do not let the llm judge answers")
        each.add_argument("--workers", type=int, default=0, metavar="N", help="questions at once")
        each.add_argument("--fresh", action="store_true", help="begin anew what was begun or measured before")
        each.add_argument("--report", metavar="FILE.html", help="default: beside the run, under the storage")
        each.add_argument("--json", action="store_true", help="print JSON for other programs")
    evaluate.add_argument("--list", action="store_true", help="list the runs so far")
    evaluate.add_argument(
        "--show", nargs="?", const="", metavar="RUN", help="show a run again; default: the newest"
    )
    sweep = verb(
        verbs,
        "sweep",
        "try variants of a config on a question set, and keep the best",
        "sweeping:sweep_command",
    )
    sweep.add_argument("file", metavar="EXPERIMENTS.yaml")
    sweep.add_argument("--questions", metavar="FILE.jsonl", help="instead of the set that the file names")
    sweep.add_argument("--list", action="store_true", help="list the variants, and stop")
    sweep.add_argument("--yes", action="store_true", help="do not ask before starting")
    sweep.add_argument("--out", metavar="WINNER.yaml", help="default: BASE.best.yaml beside EXPERIMENTS.yaml")
    sweep.add_argument("--no-judge", action="store_true", help="do not let the llm judge answers")
    sweep.add_argument("--workers", type=int, default=0, metavar="N", help="questions at once")
    sweep.add_argument("--fresh", action="store_true", help="begin anew what was begun or measured before")
    sweep.add_argument("--report", metavar="FILE.html", help="default: beside the runs, under the storage")
    sweep.add_argument("--json", action="store_true", help="print JSON for other programs")
    compare.add_argument(
        "--fail-if",
        action="append",
        default=[],
        metavar="CONDITION",
        help='exit with 1 where a metric differs so from the first: "mrr < -0.01"; repeatable',
    )


def _finetune_verbs(verbs: Verbs) -> None:
    steps = group(verbs, "finetune", "train a model on questions about the documents")
    export = verb(steps, "export", "write examples for fine-tuning a chat model", "finetuning:export_command")
    submit = verb(steps, "submit", "upload examples and start a fine-tuning job", "finetuning:submit_command")
    status = verb(
        steps, "status", "show fine-tuning jobs, or what became of one", "finetuning:status_command"
    )
    cancel = verb(steps, "cancel", "stop a fine-tuning job", "finetuning:cancel_command")
    for step in (export, submit, status, cancel):
        step.add_argument("file", metavar="FILE")
        step.add_argument("--json", action="store_true", help="print JSON for other programs")
    export.add_argument("--questions", required=True, metavar="FILE.jsonl", help="a question set")
    export.add_argument(
        "--out", required=True, metavar="DIR", help="folder for train.jsonl, validation.jsonl"
    )
    export.add_argument("--engine", default="", metavar="NAME", help="answers what has no gold answer")
    export.add_argument(
        "--validation", type=float, default=0.1, metavar="SHARE", help="share kept apart; default: 0.1"
    )
    export.add_argument("--epochs", type=int, default=3, metavar="N", help="for the cost; default: 3")
    export.add_argument(
        "--longest",
        type=int,
        default=16_385,
        metavar="TOKENS",
        help="longer examples are left out; default: 16385",
    )
    export.add_argument(
        "--refusals", action="store_true", help="unanswerable questions too, refused as the policy does"
    )
    submit.add_argument("--train", required=True, metavar="TRAIN.jsonl", help="examples in chat format")
    submit.add_argument("--validation", metavar="VALIDATION.jsonl", help="examples that measure the training")
    submit.add_argument("--model", default="", metavar="NAME", help="model to train; default: that of llm")
    submit.add_argument("--suffix", default="", metavar="NAME", help="becomes part of the new model's name")
    submit.add_argument("--epochs", type=int, metavar="N", help="default: the endpoint chooses")
    submit.add_argument("--again", action="store_true", help="even where the same was submitted before")
    status.add_argument("job", nargs="?", metavar="JOB")
    status.set_defaults(late=("job", str))
    cancel.add_argument("job", metavar="JOB")
    embedding = verb(
        steps, "embedding", "train an adapter of the embed model, if it helps", "adapting:adapt_command"
    )
    embedding.add_argument("file", metavar="FILE")
    embedding.add_argument("--questions", required=True, metavar="FILE.jsonl", help="a question set")
    embedding.add_argument("--out", required=True, metavar="ADAPTER.npz", help="written only where it helps")
    embedding.add_argument(
        "--retriever",
        default="",
        metavar="NAME",
        help="whose ranking must gain; default: the first engine's",
    )
    embedding.add_argument("--json", action="store_true", help="print JSON for other programs")

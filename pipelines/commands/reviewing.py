"""`searchask questions review`: keep, edit or drop the questions of a set, one by one."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from pipelines.catalog import Catalog
from pipelines.commands.terminal import block, printable, say
from pipelines.config import load_config
from pipelines.errors import SearchaskError
from pipelines.evaluation.gold import Gold
from pipelines.evaluation.questions import Evidence, Question
from pipelines.evaluation.review import Review

_KEYS = "[k]eep  [e]dit  [d]rop  [b]ack  [q]uit"
_AROUND = 200
"""Characters shown before and after the evidence."""

Place = Callable[[Evidence], tuple[str, str]]
"""The text before and after a piece of evidence."""


def review_command(args: argparse.Namespace) -> int:
    """Show each question that nobody has seen, and do what is typed; all is saved at once."""
    if not sys.stdin.isatty():
        raise SearchaskError(
            "review asks at a terminal: run it in one, or edit the file and add "
            '"reviewed": true to the lines that are right'
        )
    with suppress(ImportError):
        import readline  # noqa: F401 - input() edits lines with it
    review = Review(Path(args.questions))
    catalog, place = _places(args.documents)
    try:
        while (question := review.current) is not None:
            _show(question, review.left, place)
            if not _turn(review, question):
                break
    except (EOFError, KeyboardInterrupt):
        say()
    finally:
        if catalog is not None:
            catalog.close()
    say(f"{review.kept} reviewed, {review.left} left in {printable(args.questions)}")
    return 0


def _turn(review: Review, question: Question) -> bool:
    """Do what a person types; False to quit."""
    match input(f"{_KEYS} > ").strip().lower():
        case "k" | "":
            review.keep()
        case "e":
            review.keep(_edited(question))
        case "d":
            review.drop()
        case "b":
            if not review.back():
                say("this is the first of this review")
        case "q":
            return False
        case _:
            say(f"type one of {_KEYS}; Enter keeps")
    return True


def _edited(question: Question) -> Question:
    """The question with what is typed anew; an empty line leaves a part as it is."""
    say("Enter leaves a part as it is; several answers with | between; - takes the answers away")
    text = input("question: ").strip() or question.text
    typed = input("answers: ").strip()
    answers = question.answers
    if typed:
        answers = () if typed == "-" else tuple(part.strip() for part in typed.split("|") if part.strip())
    answerable = question.answerable
    asked = input(f"do the documents answer it? [{'yes' if answerable else 'no'}] ").strip().lower()
    if asked:
        answerable = asked.startswith(("y", "是"))
    return replace(question, text=text, answers=answers, answerable=answerable)


def _show(question: Question, left: int, place: Place | None) -> None:
    say()
    made = printable(str(question.more.get("made") or ""))
    kind = made if question.answerable else f"{made}, unanswerable"
    say(f"{left} left · {printable(question.id)} · {kind}")
    say(f"  question: {printable(question.text)}")
    for answer in question.answers:
        say(f"  answer:   {printable(answer)}")
    for evidence in question.evidence:
        say(f"  evidence: {printable(evidence.document)}")
        before, after = place(evidence) if place else ("", "")
        for line in block(f"{before}»{evidence.quote}«{after}").splitlines():
            say(f"    {line}")
    for name in set(question.documents) - {each.document for each in question.evidence}:
        say(f"  document: {printable(name)}")
    for name in ("comment", "of", "suggested"):
        if question.more.get(name):
            say(f"  {name}: {printable(str(question.more[name]))}")


def _places(config: str | None) -> tuple[Catalog | None, Place | None]:
    """What shows evidence in its place, where the config of the documents is given."""
    if config is None:
        return None, None
    loaded = load_config(config)
    catalog = Catalog(loaded.storage, loaded.catalog_url)
    gold = Gold(catalog)
    active = catalog.generations.active()
    loads = {row.path: row.load for row in (catalog.documents(active.id) if active else ())}

    def place(evidence: Evidence) -> tuple[str, str]:
        spans, _ = gold.spans(Question("", "", evidence=(evidence,)))
        held = catalog.text(loads[evidence.document]) if spans else None
        if held is None:
            return "", "  (not in the documents any more)"
        start, end = spans[0].start, spans[0].end
        return held.text[max(0, start - _AROUND) : start], held.text[end : end + _AROUND]

    return catalog, place

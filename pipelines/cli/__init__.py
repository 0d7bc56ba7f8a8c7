"""The command line: `searchask VERB …`. Each verb is a plain function in `pipelines/commands/`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from pipelines.cli import asking, evaluation, knowledge
from pipelines.cli.verbs import command
from pipelines.commands.terminal import block, warn
from pipelines.errors import SearchaskError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 done, 1 something failed, 2 refused or wrong, 130 interrupted."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by who started us
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8"))
        # A name that the terminal's encoding can't show is shown escaped, instead of ending the program.
        getattr(sys, name).reconfigure(errors="backslashreplace")
    args = _parsed(argv)
    try:
        code = command(args.run)(args)
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
    """The command line; an optional word such as a question, or words, may also stand behind the options.

    argparse takes the places of all positionals at the first of them, so one that comes later is left over.
    """
    whole = parser()
    args, left = whole.parse_known_args(argv)
    late = getattr(args, "late", None)
    words = bool(left) and not any(word.startswith("-") for word in left)
    if late and words and isinstance(given := getattr(args, late[0]), list):
        setattr(args, late[0], [*given, *left])
        return args
    if late and words and len(left) == 1 and getattr(args, late[0]) is None:
        try:
            setattr(args, late[0], late[1](left[0]))
            return args
        except ValueError:
            whole.error(f"{late[0]}: not a valid value: {left[0]}")
    if left:
        whole.error(f"unrecognized arguments: {' '.join(left)}")
    return args


def parser() -> argparse.ArgumentParser:
    """All verbs with their options."""
    whole = argparse.ArgumentParser(
        prog="searchask", description="Ask your own documents, in Chinese and in English."
    )
    verbs = whole.add_subparsers(metavar="VERB", required=True)
    for part in (knowledge, asking, evaluation):
        part.add(verbs)
    return whole

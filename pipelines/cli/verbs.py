"""How a verb is declared: its words, and the function that runs it."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib import import_module
from typing import TypeAlias

Command = Callable[[argparse.Namespace], int]
Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
"""What `add_subparsers` returns: argparse has no public name for it."""


def verb(verbs: Verbs, name: str, text: str, run: str) -> argparse.ArgumentParser:
    """A verb that is run by `run`, a `module:function` under `pipelines.commands`."""
    added = verbs.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    added.set_defaults(run=run)
    return added


def group(verbs: Verbs, name: str, text: str) -> Verbs:
    """A verb that has steps of its own."""
    added = verbs.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    return added.add_subparsers(metavar="STEP", required=True)


def command(run: str) -> Command:
    """The function of a verb, imported when it runs: `check` must not wait for a database, nor `jobs` for a model."""
    module, _, name = run.partition(":")
    found: Command = getattr(import_module(f"pipelines.commands.{module}"), name)
    return found

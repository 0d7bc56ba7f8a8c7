"""`check`, `explain`, `components` and `init`: a config, before anything is done with it.

Each prints to standard output, errors to standard error, and returns the exit code: 0 fine, 2 bad config.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import textwrap
from pathlib import Path

from pipelines.commands.terminal import block
from pipelines.config import load_config
from pipelines.errors import SearchaskError


def check_command(args: argparse.Namespace) -> int:
    """As `check`."""
    return check(args.files)


def explain_command(args: argparse.Namespace) -> int:
    """As `explain`."""
    return explain(args.file, args.key)


def components_command(args: argparse.Namespace) -> int:
    """As `components`."""
    return components(args.family)


def init_command(args: argparse.Namespace) -> int:
    """As `init`."""
    return init(args.directory)


def check(files: list[str]) -> int:
    """Report every error of each file; without files, of all in `config/`."""
    found = files or sorted(str(path) for path in Path("config").glob("*.yaml"))
    if not found:
        return _fail("there is no config/*.yaml here: name a file, or write one with searchask init")
    code = 0
    for file in found:
        try:
            load_config(file)
            _say(f"{file}: ok")
        except SearchaskError as error:
            code = _fail(str(error))
    return code


def explain(file: str, key: str | None = None) -> int:
    """Print what is in effect, each value with the file and line it came from."""
    from pipelines import describe

    try:
        rows = describe.explain(load_config(file), key)
    except SearchaskError as error:
        return _fail(str(error))
    width = max(len(row.origin) for row in rows)
    for row in rows:
        _say(f"{row.origin.ljust(width)}  {row.key}: {row.value}")
    return 0


def components(family: str | None = None) -> int:
    """Print every type that a config can name, with its fields."""
    from pipelines import describe

    try:
        found = describe.components(family)
    except SearchaskError as error:
        return _fail(str(error))
    before = ""
    for component in found:
        if component.family != before:
            _say(f"{before and chr(10)}{component.family}:")
            before = component.family
        _say(f"  {component.type}  ({component.where})")
        _wrapped(component.summary, indent=4)
        for field in component.fields:
            default = field.default if field.default == "required" else f"default {field.default}"
            _say(f"      {field.name}: {field.type}, {default}")
            _wrapped(field.help, indent=10)
    return 0


def init(directory: str) -> int:
    """Write a starter config for a folder of documents into the current folder."""
    from pipelines.starter import write_starter

    try:
        file = write_starter(Path(directory), Path())
    except SearchaskError as error:
        return _fail(str(error))
    _say(f"{file}: written; next: searchask plan {shlex.quote(str(file))}")
    return 0


def _say(text: str) -> None:
    sys.stdout.write(f"{block(text)}\n")


def _wrapped(text: str, *, indent: int) -> None:
    blank = " " * indent
    for line in textwrap.wrap(text, 100, initial_indent=blank, subsequent_indent=blank):
        _say(line)


def _fail(message: str) -> int:
    sys.stderr.write(f"{block(message)}\n")
    return 2

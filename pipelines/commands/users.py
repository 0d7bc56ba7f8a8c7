"""`searchask user add`, `remove` and `list`: who may log in to the page."""

from __future__ import annotations

import argparse
import sys
from getpass import getpass
from pathlib import Path

from pipelines.commands.terminal import printable, say
from pipelines.errors import SearchaskError
from pipelines.page.users import read_users, remove_user, set_user


def user_command(args: argparse.Namespace) -> int:
    """Add, remove or list, as `args.action` says; raises SearchaskError where a name is missing."""
    if args.action == "list":
        return user_list_command(args)
    if args.name is None:
        raise SearchaskError(f"who? searchask user {args.action} {args.file} NAME")
    return user_add_command(args) if args.action == "add" else user_remove_command(args)


def user_add_command(args: argparse.Namespace) -> int:
    """Add a user, or give one another password."""
    new = set_user(Path(args.file), args.name, _password())
    say(f"{printable(args.file)}: {printable(args.name)} {'can log in' if new else 'has a new password'}")
    return 0


def user_remove_command(args: argparse.Namespace) -> int:
    """Remove a user."""
    remove_user(Path(args.file), args.name)
    say(f"{printable(args.file)}: {printable(args.name)} is removed")
    return 0


def user_list_command(args: argparse.Namespace) -> int:
    """Print the names, one a line."""
    for name in read_users(Path(args.file)):
        say(printable(name))
    return 0


def _password() -> str:
    """A password typed twice at a terminal, or the first line of standard input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass("Password: ")
    if getpass("Again: ") != password:
        raise SearchaskError("the two passwords differ; nothing was changed")
    return password

"""Writing to a terminal: names and texts from outside are data, whatever control characters they hold."""

from __future__ import annotations

import json
import sys
import time
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any


def printable(text: str) -> str:
    """A text on one line, with everything escaped that could steer a terminal."""
    return "".join(char if _harmless(char) else ascii(char)[1:-1] for char in text)


def _harmless(char: str) -> bool:
    return char.isprintable() or unicodedata.category(char) == "Zs"  # such as the wide space of Chinese text


def block(text: str) -> str:
    """A text of several lines, with everything escaped that could steer a terminal."""
    return "\n".join(printable(line.replace("\t", "    ")) for line in text.split("\n"))


def say(text: str = "") -> None:
    """Print a line to standard output."""
    sys.stdout.write(text + "\n")


def warn(text: str) -> None:
    """Print a line to standard error."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def say_json(value: Any, *, line: bool = False) -> None:
    """Print a value as JSON, readable or on one line; what could steer a terminal is escaped as JSON does it."""
    unicode = (sys.stdout.encoding or "").lower().startswith("utf")
    text = json.dumps(value, ensure_ascii=not unicode, indent=None if line else 2)
    say("".join(char if char == "\n" or _harmless(char) else json.dumps(char)[1:-1] for char in text))
    sys.stdout.flush()


def table(head: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[int] = ()) -> None:
    """Print rows in columns that are right for wide Chinese characters; `right` lists columns of numbers."""
    from rich.cells import cell_len

    lines = [list(head), *([printable(str(cell)) for cell in row] for row in rows)]
    widths = [max(cell_len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        cells = []
        for column, cell in enumerate(line):
            fill = " " * (widths[column] - cell_len(cell))
            cells.append(fill + cell if column in right else cell + fill)
        say("  ".join(cells).rstrip())


def moment(seconds: float | None) -> str:
    """A time of day as people here write it."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds)) if seconds else ""


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def confirmed() -> bool:
    """Ask on the terminal; anything but a yes is a no."""
    sys.stdout.write("go on? [Y/n] ")
    sys.stdout.flush()
    answer = sys.stdin.readline()
    return answer.strip().lower() in ("", "y", "yes", "是", "好") and answer != ""

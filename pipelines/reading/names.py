"""File names as text that any store can hold, and back.

A name on disk is bytes. Where they are UTF-8 the path is the name as it is, newlines and emoji included. A byte that
is not UTF-8 is written `%` and two upper-case digits (`%80` to `%FF`); a `%` that would read as such an escape is
written `%25`.
"""

from __future__ import annotations

import os
import re

_ESCAPED = re.compile("%(25|[89A-F][0-9A-F])")
_TO_ESCAPE = re.compile("%(?=25|[89A-F][0-9A-F])|[\udc80-\udcff]")


def portable(name: str) -> str:
    """A name from the operating system as text that can be encoded in UTF-8."""
    if name.isascii() and "%" not in name:
        return name
    # From the bytes, not as the locale reads them: a document is the same one whatever LC_ALL says.
    name = os.fsencode(name).decode("utf-8", "surrogateescape")
    return _TO_ESCAPE.sub(lambda match: f"%{ord(match.group()) & 0xFF:02X}", name)


def native(path: str) -> str:
    """The operating system's name back from its portable form."""
    return os.fsdecode(_ESCAPED.sub(_byte, path).encode("utf-8", "surrogateescape"))


def _byte(match: re.Match[str]) -> str:
    value = int(match.group(1), 16)
    return chr(value if value < 0x80 else 0xDC00 + value)

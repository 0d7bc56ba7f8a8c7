"""Texts from outside as Markdown that shows just these texts."""

from __future__ import annotations

import html
import re

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|~>=])")


def escaped(text: str) -> str:
    """Text from outside as Markdown that shows just this text: no markup, no links, its own line breaks."""
    return lines(inert(text))


def inert(text: str) -> str:
    """A piece of a text in which nothing is markup, within its lines; `lines` makes the whole of such pieces."""
    # A lone surrogate, as half of a cut emoji is one, can't be sent to a browser.
    whole = text.encode("utf-8", "replace").decode()
    safe = _SPECIAL.sub(r"\\\1", html.escape(whole, quote=False).replace("&gt;", ">"))
    return (
        safe.replace(":", "&#58;").replace("@", "&#64;").replace("www\\.", "www&#46;").replace("$", "&#36;")
    )


def lines(markdown: str) -> str:
    """Each line break as one, and no indented line read as code."""
    split = re.split(r"\r\n|\r|\n", markdown)
    return "  \n".join(
        "&nbsp;" * (len(line) - len(line.lstrip(" \t"))) + line.lstrip(" \t") for line in split
    )

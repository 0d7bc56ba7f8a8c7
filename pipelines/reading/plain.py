"""Text, Markdown and source code -> Document."""

from __future__ import annotations

import re

from pipelines.documents import Document
from pipelines.reading.encodings import decode
from pipelines.reading.options import ReadOptions
from pipelines.reading.wraps import unwrapped

_EMBEDDED = re.compile(r"!\[([^\]\n]*)\]\(\s*<?data:[^)\s]*\)", re.I)
_EMBEDDED_DEFINITION = re.compile(r"^\[[^\]\n]+\]:\s*<?data:\S*$", re.I | re.M)


def read(content: bytes, options: ReadOptions) -> Document:
    """The text as it stands, but for wrapped lines, which are joined, and images embedded in Markdown, which go."""
    decoded = decode(content, encoding=options.encoding)
    text = decoded.text
    if options.format == "markdown":
        text = without_embedded_images(text)
    if options.format in ("text", "markdown", "rst"):
        text = unwrapped(text)
    return Document(
        text=text,
        format=options.format,
        markdown=options.format == "markdown",
        encoding=decoded.encoding,
        notes=decoded.notes,
    )


def without_embedded_images(text: str) -> str:
    """Markdown without images that are written into it as base64."""
    return _EMBEDDED_DEFINITION.sub("", _EMBEDDED.sub(r"\1", text))

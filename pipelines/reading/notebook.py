"""Jupyter notebook -> Markdown: text, code, and what the code printed."""

from __future__ import annotations

import json
from typing import Any

from pipelines.documents import Document
from pipelines.errors import Quarantined
from pipelines.reading.characters import clean, garbage
from pipelines.reading.options import ReadOptions
from pipelines.reading.plain import without_embedded_images

_OUTPUT = 4_000
"""Characters kept of one output; logs of training runs are no text to search."""


def read(content: bytes, options: ReadOptions) -> Document:
    """Cells in order; images are left out."""
    try:
        notebook = json.loads(content.decode(options.encoding or "utf-8-sig"))
        metadata = notebook.get("metadata", {})
        cells = notebook["cells"] if "cells" in notebook else notebook["worksheets"][0]["cells"]
        language = str(metadata.get("kernelspec", {}).get("language", "python"))
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        raise Quarantined("not a readable Jupyter notebook: its JSON is damaged") from None
    blocks = [block for cell in cells if isinstance(cell, dict) for block in _cell(cell, language)]
    text = clean("\n\n".join(blocks)) + "\n"
    if why := garbage(text):
        raise Quarantined(why)
    return Document(text=text, format="ipynb", markdown=True)


def _cell(cell: dict[str, Any], language: str) -> list[str]:
    """The blocks of one cell."""
    source = _text(cell.get("source", cell.get("input", ""))).strip("\n")
    if cell.get("cell_type") != "code":
        return [without_embedded_images(source)] if source.strip() else []
    blocks = [f"```{language}\n{source}\n```"] if source.strip() else []
    for output in cell.get("outputs", []):
        data = output.get("data", output)
        shown = _text(output.get("text", data.get("text/plain", ""))).strip("\n")
        if shown.strip():
            blocks.append(f"```\n{shown[:_OUTPUT]}\n```")
    return blocks


def _text(value: Any) -> str:
    """Notebook text: a string, or a list of lines."""
    return "".join(map(str, value)) if isinstance(value, list) else str(value)

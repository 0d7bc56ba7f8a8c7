"""A first config for a folder of documents, with comments."""

from __future__ import annotations

import glob
import json
import os
from collections import Counter
from pathlib import Path

from pipelines.config import load_config
from pipelines.errors import SearchaskError
from pipelines.reading.formats import format_of

SCHEMA = Path(__file__).resolve().parent.parent / "config" / "schema.json"
MAX_FILES = 20_000
"""Files to look at before the count is good enough."""


def write_starter(folder: Path, into: Path) -> Path:
    """Write a config for the documents in `folder` into another folder, and check that it loads.

    The file has the name of the folder; raises `SearchaskError` where there is no folder or the file exists.
    """
    if not folder.is_dir():
        raise SearchaskError(f"there is no folder {folder}")
    name = folder.resolve().name or "documents"
    file = into / f"{name}.yaml"
    try:
        content = starter(folder, into).encode("utf-8")
        with file.open("xb") as out:
            out.write(content)
    except FileExistsError:
        raise SearchaskError(f"{file} exists already; nothing was written") from None
    except UnicodeError:
        raise SearchaskError(f"the name of the folder {folder!a} is not UTF-8") from None
    except OSError as error:
        raise SearchaskError(f"{file} can't be written: {error.strerror}") from None
    load_config(file)
    return file


def starter(folder: Path, into: Path | None = None) -> str:
    """The text of a config for the documents in `folder`; the config will lie in `into`, else beside the folder."""
    folder = folder.resolve()
    into = (into or folder.parent).resolve()
    name = folder.name or "documents"
    counts = _formats(folder)
    path = os.path.relpath(folder, into)
    inside = into.is_relative_to(folder)
    own = os.path.relpath(into / f"{name}.yaml", folder)
    lines = [
        f"# Documents in {_plain(name)}: {_found(counts)}.",
        f"# Next: searchask plan {_plain(name)}.yaml, then searchask ingest and searchask ask.",
        "# Every key and type: searchask components. What is in effect: searchask explain.",
        f"description: {_text(name)}",
        "",
        "# The catalog and both indexes; paths are relative to this file.",
        f"storage: {_text(f'.searchask/{name}' if inside else f'storage/{name}')}",
        "",
        "loaders:",
        "  documents:",
        "    type: folder",
        f"    path: {_text(path)}",
        '    # include: ["**/*.md", "**/*.pdf"]   # left out: every format that can be read',
        f"    exclude: [{_text(glob.escape(own))}]" if inside else '    # exclude: ["drafts/**"]',
        *(
            ['    # ocr: true   # read images and scanned pages: pip install "searchask[ocr]"']
            * _scans(counts)
        ),
        "",
        "# How documents are cut. An edit here cuts again, and embeds only text that is new.",
        "# node_parser: {type: sentence, chunk_size: 256, chunk_overlap: 32}",
        "",
        "# Which model finds by meaning. local: bundled, Chinese and English, no key, no download.",
        "embed_model: {type: local}",
        "",
        "# Which model writes answers. Left out, answers are quoted word for word, offline.",
        '# llm: {type: openai, model: gpt-4o-mini, api_key: "${OPENAI_API_KEY:?set it to have answers written}"}',
        "",
        "# Words that keyword search must keep whole: product names, terms of the trade.",
        "# keyword: {dictionary: [产品名, Searchask]}",
        "",
    ]
    head = [f"# yaml-language-server: $schema={os.path.relpath(SCHEMA, into)}"] if SCHEMA.exists() else []
    return "\n".join(head + lines)


def _formats(folder: Path) -> Counter[str]:
    """How many files of each format lie in a folder; hidden ones don't count, unknown ones count as ``."""
    counts: Counter[str] = Counter()
    for _, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for file in files:
            if not file.startswith("."):
                found = format_of(file)
                counts[found.name if found else ""] += 1
        if counts.total() > MAX_FILES:
            break
    return counts


def _found(counts: Counter[str]) -> str:
    known = [f"{count} {name}" for name, count in counts.most_common() if name]
    unknown = [f"{counts['']} of unknown format"] if counts[""] else []
    return ", ".join(known + unknown) or "no file yet"


def _scans(counts: Counter[str]) -> int:
    return int(bool(counts["pdf"] or counts["image"]))


def _text(text: str) -> str:
    """A text as a quoted YAML value that no variable is read into."""
    return json.dumps(text.replace("$", "$$"), ensure_ascii=False)


def _plain(text: str) -> str:
    """A text as it may stand in a comment."""
    return "".join(c if c.isprintable() else "?" for c in text)

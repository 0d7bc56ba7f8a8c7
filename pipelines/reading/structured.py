"""JSON and JSON lines -> text that can be searched: escapes resolved, one value a line."""

from __future__ import annotations

import json
import re

from pipelines.documents import Document
from pipelines.errors import Quarantined
from pipelines.reading.characters import clean
from pipelines.reading.encodings import decode
from pipelines.reading.options import ReadOptions

_LONG_LINE = 2_000
"""Characters of a line above which JSON counts as minified."""

_ESCAPES = re.compile(r"(?<!\\)((?:\\\\)*)((?:\\u[0-9a-fA-F]{4})+)")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+', re.S)


def read(content: bytes, options: ReadOptions) -> Document:
    """The text as it stands, numbers and order untouched; broken JSON is quarantined."""
    decoded = decode(content, encoding=options.encoding)
    text = decoded.text.strip() + "\n"
    lines = [line for line in text.split("\n") if line.strip()] if options.format == "jsonl" else [text]
    for number, line in enumerate(lines, 1):
        try:
            json.loads(line)
        except json.JSONDecodeError as error:
            place = f"line {number}" if options.format == "jsonl" else f"line {error.lineno}"
            raise Quarantined(f"not valid JSON: {error.msg} ({place})") from None
        except RecursionError:
            raise Quarantined("the JSON is nested too deeply to be read") from None
        except ValueError:  # a number too long to convert: the text is still fine
            continue
    text = _ESCAPES.sub(_unescaped, text)
    if options.format == "json" and max(map(len, text.split("\n"))) > _LONG_LINE:
        text = _laid_out(text)
    return Document(text=clean(text), format=options.format, encoding=decoded.encoding, notes=decoded.notes)


def _unescaped(match: re.Match[str]) -> str:
    """`\\u5e74` as the character; controls, quotes and halves of pairs stay escaped."""
    try:
        text: str = json.loads(f'"{match.group(2)}"')
        text.encode("utf-8")
    except (ValueError, UnicodeEncodeError):
        return match.group()
    if any(character < " " or character in '"\\' for character in text):
        return match.group()
    return match.group(1) + text


def _laid_out(text: str) -> str:
    """Minified JSON with a line for each member."""
    parts: list[str] = []
    depth = 0
    for token in _TOKEN.findall(text):
        if token in "{[":
            depth += 1
            parts.append(token + "\n" + " " * depth)
        elif token in "}]":
            depth -= 1
            parts.append("\n" + " " * depth + token)
        elif token == ",":
            parts.append(",\n" + " " * depth)
        else:
            parts.append(": " if token == ":" else token)
    return "".join(parts) + "\n"

"""The `llama_index` loader: any LlamaIndex reader as a loader."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.documents import Document, Source
from pipelines.errors import DocumentError, Quarantined, SearchaskError
from pipelines.reading.characters import sound
from pipelines.reading.formats import format_of
from pipelines.reading.names import portable
from pipelines.reading.read import as_seen

_NAMES = ("file_path", "file_name", "path", "filename", "url", "source", "id", "doc_id", "title")
"""Metadata keys that name a document, the best first."""

_RANDOM = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def reader(found: Any, name: str, args: Mapping[str, Any]) -> Any:
    """The reader itself; raises `SearchaskError` where the class is none or refuses its arguments."""
    if not callable(getattr(found, "load_data", None)):
        raise SearchaskError(f"class {name!r} is no reader: it has no load_data")
    try:
        return found(**args)
    except Exception as error:  # any constructor may fail in any way
        raise SearchaskError(f"class {name!r} can't be made: {_short(error)}") from error


@dataclass(frozen=True)
class LlamaIndexLoader:
    """Calls the reader at each scan and keeps its texts until the next."""

    reader: Any
    load_args: Mapping[str, Any]
    base: Path
    _texts: dict[str, str] = field(default_factory=dict)

    def scan(self) -> Iterator[Source]:
        """What the reader gives, named by its metadata; raises `SearchaskError` where the reader fails."""
        try:
            documents = self.reader.load_data(**self.load_args)
        except Exception as error:  # any reader may fail in any way
            raise SearchaskError(f"{type(self.reader).__name__} failed: {_short(error)}") from error
        self._texts.clear()
        taken: dict[str, int] = {}
        for number, document in enumerate(documents, 1):
            name = self._name(document, number)
            taken[name] = taken.get(name, 0) + 1
            path = name if taken[name] == 1 else f"{name}#{taken[name]}"
            text = str(document.get_content() if hasattr(document, "get_content") else document.text)
            self._texts[path] = text
            yield Source(path, len(text.encode("utf-8", "replace")))

    def fetch(self, source: Source) -> bytes:
        """The text in UTF-8; raises `DocumentError` where the last scan had no such document."""
        if source.path not in self._texts:
            raise DocumentError("the reader does not give it any more")
        return self._texts[source.path].encode("utf-8", "replace")

    def read(self, source: Source, content: bytes) -> Document:
        """The text as the reader gave it."""
        text = sound(content.decode("utf-8"))
        found = format_of(source.path.partition("#")[0])
        name = found.name if found and found.reader == "plain" else "text"
        document = as_seen(Document(text=text, format=name, markdown=name == "markdown", encoding="utf-8"))
        if not document.text.strip():
            raise Quarantined("no text was found in it")
        return document

    def _name(self, document: Any, number: int) -> str:
        """A name that is the same at the next scan: from the metadata, else the id, else the order."""
        metadata = document.metadata or {}
        value = next((str(metadata[key]) for key in _NAMES if metadata.get(key)), "")
        if not value:
            identifier = str(getattr(document, "id_", "") or "")
            value = f"document-{number}" if _RANDOM.fullmatch(identifier) else identifier
        if Path(value).is_absolute():
            base = os.path.realpath(self.base)
            value = os.path.relpath(os.path.realpath(value), base)
        page = metadata.get("page_label")
        return portable(value) + (f"#page={page}" if page else "")


def _short(error: Exception) -> str:
    line = " ".join((str(error).strip().splitlines() or [""])[0].split())[:200]
    return f"{type(error).__name__}: {line}" if line else type(error).__name__

"""Documents that the index does not hold: a folder, a file, or another config with its index."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipelines.catalog import Catalog
from pipelines.components.loaders import FilesLoader, FolderLoader
from pipelines.config import load_config
from pipelines.documents import Document, Loader
from pipelines.errors import DocumentError, SearchaskError
from pipelines.evaluation.making.chunks import Chunk, Source, read, rows, source_of
from pipelines.text.language import language_of
from pipelines.text.outline import Outline
from pipelines.text.packing import pack

_CHUNK = 512
"""Tokens of a chunk, about."""


def sources(place: Path, seed: int) -> Iterator[Source]:
    """The documents of a place; one that can't be read is left out. Raises SearchaskError where there is none."""
    if place.suffix.lower() in (".yaml", ".yml"):
        config = load_config(place)
        catalog = Catalog(config.storage, config.catalog_url)
        try:
            for row in rows(catalog, seed):
                if (source := read(catalog, row)) is not None:
                    yield source
        finally:
            catalog.close()
        return
    loader: Loader
    if place.is_dir():
        loader = FolderLoader(type="folder", path=str(place.resolve())).build(base=Path())
    elif place.is_file():
        loader = FilesLoader(type="files", paths=[str(place.resolve())]).build(base=Path())
    else:
        raise SearchaskError(f"--removed {place}: there is no such folder, file or config")
    for listed in loader.scan():
        if listed.problem:
            continue
        try:
            document = loader.read(listed, loader.fetch(listed))
        except DocumentError:
            continue
        yield _cut(listed.path, document)


def _cut(path: str, document: Document) -> Source:
    text = document.text
    outline = Outline(text) if document.markdown else None
    chunks = [
        Chunk(
            "",
            text[each.start : each.end],
            each.start,
            outline.heading_at(each.start) if outline else "",
            outline.table_header_at(each.start) if outline else "",
            language_of(text[each.start : each.end]),
        )
        for each in pack(text, _CHUNK, 0, markdown=document.markdown)
    ]
    return source_of(path, document, tuple(chunks))

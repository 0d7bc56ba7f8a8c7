"""The `files` loader: an explicit list; and how any file's bytes are read safely."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipelines.documents import Document, Source
from pipelines.errors import DocumentError, SearchaskError
from pipelines.reading.formats import format_of, unsupported
from pipelines.reading.options import ReadOptions


@dataclass(frozen=True)
class FilesLoader:
    """Lists and reads the files that the config names."""

    files: Mapping[str, Path]
    """Path as written in the config -> place on disk."""
    max_size: int
    options: ReadOptions

    def scan(self) -> Iterator[Source]:
        """The files in the order of the list; raises `SearchaskError` that names each missing one."""
        missing = [written for written, path in self.files.items() if not path.exists()]
        if missing:
            raise SearchaskError("no such file: " + ", ".join(missing))
        for written, path in self.files.items():
            status = path.stat()
            problem = too_large(status.st_size, self.max_size)
            if not stat.S_ISREG(status.st_mode):
                is_folder = stat.S_ISDIR(status.st_mode)
                problem = "it is a folder: use type: folder" if is_folder else "it is not a regular file"
            elif not problem and format_of(written) is None:
                problem = unsupported(written)
            yield Source(written, status.st_size, status.st_mtime_ns, problem)

    def fetch(self, source: Source) -> bytes:
        """The file's bytes."""
        if source.path not in self.files:
            raise DocumentError("it is not in the list any more")
        return read_bytes(self.files[source.path], self.max_size)

    def read(self, source: Source, content: bytes) -> Document:
        """The file's text."""
        from pipelines.reading.read import read_document

        return read_document(source.path, content, self.options)


def too_large(size: int, limit: int) -> str:
    """Why a file of this size is not read; empty where it may be."""
    if size <= limit:
        return ""
    return f"too large: {size / 1e6:,.1f} MB, and max_file_size is {limit / 1e6:,.1f} MB"


def read_bytes(path: Path, limit: int) -> bytes:
    """A regular file's bytes; never waits on a pipe and never reads past the limit."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    except FileNotFoundError:
        raise
    except OSError as error:
        raise DocumentError(f"can't be opened: {error.strerror}") from None
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise DocumentError("it is not a regular file")
        if problem := too_large(status.st_size, limit):
            raise DocumentError(problem)
        try:
            return file.read()
        except OSError as error:
            raise DocumentError(f"can't be read: {error.strerror}") from None

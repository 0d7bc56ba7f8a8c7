"""The `folder` loader: a tree of files, listed without opening one."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipelines.documents import Document, Source
from pipelines.errors import DocumentError, SearchaskError
from pipelines.reading.files import read_bytes, too_large
from pipelines.reading.formats import format_of, unsupported
from pipelines.reading.globs import Matcher
from pipelines.reading.names import native, portable
from pipelines.reading.options import ReadOptions


@dataclass(frozen=True)
class FolderLoader:
    """Lists and reads the files under one folder."""

    root: Path
    include: Matcher | None
    """None: every file of a known format (images only with OCR)."""
    exclude: Matcher
    hidden: bool
    follow_symlinks: bool
    max_size: int
    options: ReadOptions

    def scan(self) -> Iterator[Source]:
        """Every wanted file in the order of its path; raises `SearchaskError` where a folder can't be listed."""
        if not self.root.is_dir():
            raise SearchaskError(f"there is no folder {self.root}")
        self_real = os.path.realpath(self.root)
        yield from self._scan(str(self.root), "", (self_real,))

    def fetch(self, source: Source) -> bytes:
        """The file's bytes, once it is sure that they still lie under the folder."""
        path = self.root / native(source.path)
        root = os.path.realpath(self.root)
        if not os.path.realpath(path).startswith(root.rstrip("/") + "/"):
            raise DocumentError("it lies outside the folder")
        return read_bytes(path, self.max_size)

    def read(self, source: Source, content: bytes) -> Document:
        """The file's text."""
        from pipelines.reading.read import read_document

        return read_document(source.path, content, self.options)

    def takes(self, name: str) -> bool:
        """Whether a file of this name directly in the folder would be listed, and read."""
        seen = self.hidden or not name.startswith(".")
        return seen and not self.exclude(name) and self._wanted(name) and format_of(name) is not None

    def _scan(self, folder: str, prefix: str, trail: tuple[str, ...]) -> Iterator[Source]:
        """One folder, then its folders; `trail` holds the real paths from the root down, to see loops."""
        try:
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except FileNotFoundError:
            if prefix:
                return
            raise SearchaskError(f"there is no folder {folder}") from None
        except OSError as error:
            # To go on would make everything below look deleted.
            raise SearchaskError(f"the folder {portable(folder)} can't be listed: {error.strerror}") from None
        for entry in entries:
            if entry.name.startswith(".") and not self.hidden:
                continue
            path = prefix + portable(entry.name)
            if self.exclude(path):
                continue
            if entry.is_symlink():
                yield from self._link(entry, path, trail)
            elif entry.is_dir(follow_symlinks=False):
                if not self.exclude(path + "/"):
                    yield from self._scan(entry.path, path + "/", (*trail, entry.path))
            elif self._wanted(path):
                yield from self._file(entry, path)

    def _wanted(self, path: str) -> bool:
        if self.include is not None:
            return self.include(path)
        found = format_of(path)
        return found is not None and (self.options.ocr or not found.needs_ocr)

    def _file(self, entry: os.DirEntry[str], path: str) -> Iterator[Source]:
        """A regular file as a source; pipes, sockets and devices are passed over."""
        try:
            status = entry.stat()
        except OSError:
            return
        if not stat.S_ISREG(status.st_mode):
            return
        problem = too_large(status.st_size, self.max_size)
        if not problem and format_of(path) is None:
            problem = unsupported(path)
        yield Source(path, status.st_size, status.st_mtime_ns, problem)

    def _link(self, entry: os.DirEntry[str], path: str, trail: tuple[str, ...]) -> Iterator[Source]:
        """A symbolic link: what it means for the listing depends on where it leads."""
        target = os.path.realpath(entry.path)
        is_folder = Path(target).is_dir()
        if not is_folder and not self._wanted(path):
            return
        root = trail[0].rstrip("/") + "/"
        if not (target + "/").startswith(root):
            yield Source(path, problem="a symbolic link to a place outside the folder is not followed")
        elif not Path(target).exists():
            yield Source(path, problem="a symbolic link that leads nowhere, or in a circle")
        elif not self.follow_symlinks:
            return
        elif not is_folder:
            yield from self._file(entry, path)
        elif any(os.path.realpath(above) == target or target in root for above in trail):
            yield Source(path, problem="a symbolic link to a folder it lies in is not followed")
        else:
            yield from self._scan(entry.path, path + "/", (*trail, entry.path))

"""Files that people add to a folder loader, and remove from it, through the page.

Names and contents are untrusted: a name is reduced to one that lies in the folder itself, nothing is ever replaced,
and all is done relative to the opened folder, so that no link can lead out of it.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pipelines.components import loaders as specs
from pipelines.config import Config
from pipelines.errors import DocumentError, Refused, StorageError
from pipelines.reading.archives import opened
from pipelines.reading.encodings import decode
from pipelines.reading.files import read_bytes, too_large
from pipelines.reading.folder import FolderLoader
from pipelines.reading.formats import FORMATS, Format, format_of
from pipelines.reading.names import native, portable

_NAME_BYTES = 240
"""Bytes of a file name; file systems end at 255."""
_TEXT = frozenset(("plain", "delimited", "structured", "html", "notebook"))
"""Readers of text in some encoding."""
_ZIPPED = frozenset(("docx", "pptx", "xlsx", "epub"))
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"BM", b"RIFF")
_STEERING = frozenset((".py", ".yaml", ".yml"))
"""What this program or its server would load from the folders that it lives in."""
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Removed:
    """A file that is gone from its folder; its document vanishes with the next ingestion."""

    loader: str
    path: str
    size: int


def upload_loaders(config: Config) -> list[str]:
    """The names of the loaders whose files people may add and remove."""
    found = config.spec.loaders.items()
    return [name for name, spec in found if isinstance(spec, specs.FolderLoader) and spec.upload]


def accepted(config: Config, loader: str) -> str:
    """Which files a loader takes, in a few words: its patterns, or the endings of the known formats."""
    spec, runtime = _loader(config, loader)
    if spec.include:
        return ", ".join(spec.include)
    endings = (ending for entry in FORMATS for ending in entry.extensions if entry.name != "code")
    return ", ".join(ending for ending in endings if runtime.takes(f"file.{ending}"))


def add(config: Config, loader: str, name: str, source: str | Path) -> str:
    """Copy an uploaded file into a loader's folder; its path in the loader.

    Raises Refused where the loader takes no uploads, the name or content is not one it takes, it is too large, or
    a file of that name is there.
    """
    spec, runtime = _loader(config, loader)
    clean = safe_name(name)
    path = portable(clean)
    if not runtime.takes(path):
        raise Refused(f"{clean}: {loader} does not take it; it takes {accepted(config, loader)}")
    if Path(clean).suffix.lower() in _STEERING and _is_home(runtime.root, config):
        raise Refused(
            f"{clean}: this folder holds the program or its configs, and such a file could change them"
        )
    try:
        size = Path(source).stat().st_size
        if problem := too_large(size, runtime.max_size):
            raise Refused(f"{clean}: {problem}")
        content = read_bytes(Path(source), runtime.max_size)
        _check(clean, content, spec.encoding or "")
    except DocumentError as error:
        raise Refused(f"{clean}: {error}") from None
    except OSError as error:
        raise Refused(f"{clean}: the upload can't be read: {error.strerror}") from None
    with _explained(clean, runtime.root), _opened(runtime.root) as folder:
        _write(folder, clean, content)
    return path


def remove(config: Config, loader: str, path: str) -> Removed:
    """Delete a file that a loader lists, for good; raises Refused where it is none that may be deleted."""
    _, runtime = _loader(config, loader)
    if not any(source.path == path for source in runtime.scan()):
        raise Refused(f"{path}: {loader} lists no such document")
    *above, name = native(path).split("/")
    with _explained(path, runtime.root), _opened(runtime.root, *above) as folder:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if not stat.S_ISREG(status.st_mode):
            raise Refused(f"{path}: it is not a regular file in the folder; remove it by hand")
        os.unlink(name, dir_fd=folder)
    return Removed(loader, path, status.st_size)


def safe_name(name: str) -> str:
    """A name from outside as that of a file directly in a folder, in NFC; raises Refused where nothing is left."""
    # Control and format characters go, such as those that turn the direction of writing and hide an ending.
    plain = "".join(char for char in name if unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp"))
    plain = unicodedata.normalize("NFC", plain).replace("\\", "/").rpartition("/")[2]
    plain = plain.strip().lstrip(". ").rstrip(". ")
    if not plain:
        raise Refused("the file has no usable name: rename it")
    if (length := len(plain.encode())) > _NAME_BYTES:
        raise Refused(f"{plain[:20]}…: the name has {length} bytes, {_NAME_BYTES} at most: shorten it")
    return plain


def _loader(config: Config, name: str) -> tuple[specs.FolderLoader, FolderLoader]:
    """A loader that takes uploads, as written and as it runs; raises Refused for any other."""
    spec = config.spec.loaders.get(name)
    if not isinstance(spec, specs.FolderLoader) or not spec.upload:
        raise Refused(
            f"{name}: its files can't be changed here; a folder loader with `upload: true` allows it"
        )
    runtime = spec.build(base=config.base_of("loaders", name))
    assert isinstance(runtime, FolderLoader)
    return spec, runtime


def _is_home(root: Path, config: Config) -> bool:
    """Whether this program loads modules or configs from a folder."""
    homes = {config.path.resolve().parent, Path.cwd(), *(Path(each).resolve() for each in sys.path)}
    return root.resolve() in homes


def _check(name: str, content: bytes, encoding: str) -> None:
    """Whether a content can be of the format that its name says, so far as a look tells; raises DocumentError."""
    found = format_of(name)
    assert found is not None
    if not content:
        raise DocumentError("the file is empty")
    if found.reader in _ZIPPED:
        opened(content, found.title).close()
    elif found.reader in _TEXT:
        decode(content, encoding=encoding)
    elif not _begins_well(found, content):
        raise DocumentError(f"it is not a {found.title} file, whatever its name says")


def _begins_well(found: Format, content: bytes) -> bool:
    if found.name == "pdf":
        return b"%PDF-" in content[:1024]
    return found.name != "image" or content.startswith(_PICTURES)


@contextmanager
def _opened(root: Path, *above: str) -> Iterator[int]:
    """The descriptor of a folder under the root; no link below the root is followed."""
    folder = os.open(root, _FOLDER)
    try:
        for name in above:
            inner = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)
            os.close(folder)
            folder = inner
        yield folder
    finally:
        os.close(folder)


def _write(folder: int, name: str, content: bytes) -> None:
    """Put a file into an opened folder, whole or not at all, in nobody's place."""
    # Hidden, and of no known format: no loader reads it, whatever its options are.
    fresh = f".{secrets.token_hex(8)}.part"
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666, dir_fd=folder)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        try:
            os.link(fresh, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK):
                raise
            # A file system without hard links: take the name first, then fill it.
            os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666, dir_fd=folder))
            os.replace(fresh, name, src_dir_fd=folder, dst_dir_fd=folder)
        os.fsync(folder)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(fresh, dir_fd=folder)


@contextmanager
def _explained(name: str, root: Path) -> Iterator[None]:
    """What the operating system says about a file, as a sentence."""
    try:
        yield
    except FileExistsError:
        raise Refused(
            f"{name}: there is a file of that name already; remove it first, or rename yours"
        ) from None
    except FileNotFoundError:
        raise Refused(f"{name}: it is gone already") from None
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise Refused(f"{name}: it lies behind a symbolic link; remove it by hand") from None
        raise StorageError(f"{name}: {root} can't be written to: {error.strerror}") from None

"""`loaders`: where documents come from."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import ByteSize, Field, IPvAnyNetwork, PositiveFloat, WithJsonSchema, field_validator
from pydantic_core import PydanticCustomError

from pipelines import documents
from pipelines.errors import MissingExtra, SearchaskError
from pipelines.extras import llama_index_class
from pipelines.spec import Spec

Size = Annotated[
    ByteSize,
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1},
                {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*([kKmMgG][iI]?)?[bB]?\s*$"},
            ]
        }
    ),
    Field(gt=0),
]
"""Bytes, as a number or with a unit: `50MB`, `1.5GiB`."""

MEGABYTE = 1_000_000


class Decoding(Spec):
    """What every loader of text has: how bytes become characters."""

    encoding: str | None = None
    """Text encoding of the files; left out, each file's own is recognised."""
    max_file_size: Size = ByteSize(50 * MEGABYTE)
    """Larger files are reported, not read."""

    @field_validator("encoding")
    @classmethod
    def _encoding_exists(cls, encoding: str | None) -> str | None:
        """Refuse a name that Python has no codec for."""
        try:
            "".encode(encoding or "utf-8")
        except LookupError:
            raise PydanticCustomError(
                "encoding", "there is no encoding '{name}': try utf-8 or gb18030", {"name": encoding}
            ) from None
        return encoding


class Reading(Decoding):
    """What every loader of files has: how bytes become text."""

    ocr: bool = False
    """Recognise text in images and in scanned PDF pages (needs `searchask[ocr]`)."""

    def _options(self) -> Any:
        """The runtime's form of these fields; raises `MissingExtra` where OCR isn't installed."""
        from pipelines.reading.options import ReadOptions

        if self.ocr and importlib.util.find_spec("rapidocr_onnxruntime") is None:
            raise MissingExtra("ocr: true", "ocr")
        return ReadOptions(ocr=self.ocr, encoding=self.encoding or "")


class FolderLoader(Reading):
    """All files under a folder that have a known format."""

    operational: ClassVar[frozenset[str]] = frozenset(
        ("path", "include", "exclude", "hidden", "follow_symlinks", "upload", "max_file_size")
    )

    type: Literal["folder"]
    path: str
    """The folder, relative to the config file."""
    include: list[str] = Field(default_factory=list)
    """Globs such as `**/*.md`, relative to the folder; empty takes every known format (images only with `ocr`)."""
    exclude: list[str] = Field(default_factory=list)
    """Globs of files and folders to leave out; they win over `include`."""
    hidden: bool = False
    """Take files and folders whose names begin with a dot."""
    follow_symlinks: bool = False
    """Follow symbolic links that stay inside the folder; others are never followed."""
    upload: bool = False
    """Let people add and remove files through the page."""

    def build(self, *, base: Path) -> documents.Loader:
        """A loader of the folder; raises `SearchaskError` where there is none."""
        from pipelines.reading import folder, globs

        root = base / Path(self.path).expanduser()
        if not root.is_dir():
            raise SearchaskError(f"there is no folder {root}")
        return folder.FolderLoader(
            root=root,
            include=globs.matcher(self.include) if self.include else None,
            exclude=globs.matcher(self.exclude),
            hidden=self.hidden,
            follow_symlinks=self.follow_symlinks,
            max_size=self.max_file_size,
            options=self._options(),
        )


class FilesLoader(Reading):
    """The files that are listed here, and no others."""

    operational: ClassVar[frozenset[str]] = frozenset(("paths", "max_file_size"))

    type: Literal["files"]
    paths: Annotated[list[str], Field(min_length=1)]
    """The files, relative to the config file; a missing one is an error."""

    @field_validator("paths")
    @classmethod
    def _no_repeats(cls, paths: list[str]) -> list[str]:
        """A path is its document's identity."""
        return _unique(paths)

    def build(self, *, base: Path) -> documents.Loader:
        """A loader of the listed files; raises `SearchaskError` that names the missing ones."""
        from pipelines.reading import files

        found = _existing(self.paths, base)
        return files.FilesLoader(files=found, max_size=self.max_file_size, options=self._options())


class FaqLoader(Decoding):
    """Questions with their answers, from CSV, JSON lines, JSON or YAML; each pair is one document.

    The question is the heading of its answer: questions are matched with it, and the answer is what is quoted.
    """

    operational: ClassVar[frozenset[str]] = frozenset(("paths", "max_file_size"))

    type: Literal["faq"]
    paths: Annotated[list[str], Field(min_length=1)]
    """The files, relative to the config file: `.csv`, `.tsv`, `.jsonl`, `.json`, `.yaml`."""
    question: str = ""
    """Name of the question's column or key; left out: `question`, `q`, `问题`, `标准问`, …"""
    answer: str = ""
    """Name of the answer's column or key; left out: `answer`, `a`, `答案`, `回答`, …"""

    @field_validator("paths")
    @classmethod
    def _known_endings(cls, paths: list[str]) -> list[str]:
        """Refuse a file that no pairs can be read from."""
        from pipelines.reading.faq import ENDINGS

        for path in paths:
            if not path.lower().endswith(ENDINGS):
                raise PydanticCustomError("faq", "'{path}' is none of " + ", ".join(ENDINGS), {"path": path})
        return _unique(paths)

    def build(self, *, base: Path) -> documents.Loader:
        """A loader of the pairs; raises `SearchaskError` that names missing files."""
        from pipelines.reading import faq

        return faq.FaqLoader(
            files=_existing(self.paths, base),
            question=self.question,
            answer=self.answer,
            encoding=self.encoding or "",
            max_size=self.max_file_size,
        )


class WebLoader(Reading):
    """Pages and files at the addresses that are listed here; links are not followed."""

    operational: ClassVar[frozenset[str]] = frozenset(
        ("urls", "timeout", "max_redirects", "max_file_size", "allow_private", "allow_networks")
    )

    type: Literal["web"]
    urls: Annotated[list[str], Field(min_length=1)]
    """http and https addresses."""
    timeout: PositiveFloat = 30.0
    """Seconds for one document, all redirects included."""
    max_redirects: Annotated[int, Field(ge=0, le=20)] = 5
    """Redirects followed for one document."""
    allow_private: bool = False
    """Allow private, loopback and link-local addresses, as of an intranet."""
    allow_networks: list[IPvAnyNetwork] = Field(default_factory=list)
    """Private networks to allow, such as `10.20.0.0/16`, while all others stay refused."""

    @field_validator("urls")
    @classmethod
    def _http_only(cls, urls: list[str]) -> list[str]:
        """Refuse what is no plain web address; a password in one would end up in every citation."""
        for url in urls:
            try:
                parts = urlsplit(url)
                usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
            except ValueError:
                usable = False
            if not usable:
                raise PydanticCustomError("url", "an http:// or https:// address is needed here")
            if parts.username or parts.password:
                raise PydanticCustomError("url", "a user name or password in an address is refused")
        return _unique(urls)

    def build(self, *, base: Path) -> documents.Loader:
        """A loader of the pages."""
        from pipelines.reading import web

        return web.WebLoader(
            urls=tuple(self.urls),
            client=web.Client(
                timeout=self.timeout,
                max_redirects=self.max_redirects,
                max_size=self.max_file_size,
                allow_private=self.allow_private,
                allow_networks=tuple(self.allow_networks),
            ),
            options=self._options(),
        )


class LlamaIndexLoader(Spec):
    """Any LlamaIndex reader: `load_data` is called at each scan, and each of its documents is one document."""

    type: Literal["llama_index"]
    class_: Annotated[str, Field(alias="class")]
    """Dotted path of the reader's class, under `llama_index.`."""
    args: dict[str, Any] = Field(default_factory=dict)
    """Arguments of its constructor."""
    load_args: dict[str, Any] = Field(default_factory=dict)
    """Arguments of its `load_data`."""

    def build(self, *, base: Path) -> documents.Loader:
        """A loader around the reader; raises `SearchaskError` where it can't be made."""
        from pipelines.reading import llama_index

        return llama_index.LlamaIndexLoader(
            reader=llama_index.reader(llama_index_class(self.class_), self.class_, self.args),
            load_args=self.load_args,
            base=base,
        )


def _existing(paths: list[str], base: Path) -> dict[str, Path]:
    """Where listed files are; raises `SearchaskError` that names the missing ones."""
    found = {path: base / Path(path).expanduser() for path in paths}
    missing = [str(path) for path in found.values() if not path.exists()]
    if missing:
        raise SearchaskError("no such file: " + ", ".join(missing))
    return found


def _unique(values: list[str]) -> list[str]:
    """The list itself, unless a value stands in it twice."""
    repeated = next((value for place, value in enumerate(values) if value in values[:place]), None)
    if repeated is not None:
        raise PydanticCustomError("repeated", "'{value}' is listed twice", {"value": repeated})
    return values


Loader = Annotated[
    FolderLoader | FilesLoader | FaqLoader | WebLoader | LlamaIndexLoader,
    Field(discriminator="type"),
]

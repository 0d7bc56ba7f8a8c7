"""Bytes and a name -> Document: picks the reader, and makes every failure one clear line."""

from __future__ import annotations

import dataclasses
import importlib

from pipelines.documents import Document
from pipelines.errors import Quarantined, SearchaskError
from pipelines.reading.formats import BY_FORMAT, Format, format_of, unsupported
from pipelines.reading.options import ReadOptions
from pipelines.text.invisible import visible


def read_document(path: str, content: bytes, options: ReadOptions) -> Document:
    """The text of one file or page; raises `Quarantined` where its bytes are unusable."""
    if not content:
        raise Quarantined("the file is empty")
    found = sniffed(path, content)
    if found is None:
        raise Quarantined(unsupported(path))
    reader = importlib.import_module(f"pipelines.reading.{found.reader}")
    try:
        document: Document = reader.read(content, dataclasses.replace(options, format=found.name))
    except SearchaskError:
        raise
    except RecursionError:
        raise Quarantined(f"the {found.title} file is nested too deeply to be read") from None
    except MemoryError:
        raise Quarantined(f"the {found.title} file needs more memory than there is") from None
    except Exception as error:  # any parser may fail in any way on broken bytes, and the others must go on
        raise Quarantined(f"not a readable {found.title} file: {reason(error)}") from error
    document = as_seen(document)
    if not document.text.strip():
        raise Quarantined("no text was found in it")
    return document


def as_seen(document: Document) -> Document:
    """A document without invisible characters, with a note where there were some."""
    seen = visible(document.text)
    if seen.text == document.text:
        return document
    note = (f"{seen.removed} invisible characters were removed",) if seen.removed else ()
    return dataclasses.replace(
        document,
        text=seen.text,
        pages=tuple(map(seen.offset, document.pages)),
        notes=document.notes + note,
    )


def reason(error: Exception) -> str:
    """The first line of an exception, short, with its kind where it says nothing."""
    line = " ".join((str(error).strip().splitlines() or [""])[0].split())[:160]
    return f"{type(error).__name__}: {line}" if line else type(error).__name__


def sniffed(path: str, content: bytes) -> Format | None:
    """The format that the name says, unless the bytes plainly are another's."""
    named = format_of(path)
    start = content[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    is_html = start.startswith((b"<!doctype html", b"<html"))
    if named is None and "://" not in path:
        return None
    if named is None:
        return BY_FORMAT[sniffed_page(content, is_html)]
    if is_html and named.reader == "plain" and "://" in path:
        return BY_FORMAT["html"]
    return named


def sniffed_page(content: bytes, is_html: bool) -> str:
    """The format of a web page whose address has no extension."""
    if content.startswith(b"%PDF"):
        return "pdf"
    if content.startswith((b"\x89PNG", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"BM")):
        return "image"
    if content.startswith(b"PK\x03\x04"):
        head = content[:200_000]
        for marker, name in ((b"word/", "docx"), (b"ppt/", "pptx"), (b"xl/", "xlsx"), (b"epub", "epub")):
            if marker in head:
                return name
    return "html" if is_html or b"</" in content[:100_000] else "text"

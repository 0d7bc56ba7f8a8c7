"""What a person may set about reading, as one value that travels with the bytes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How bytes become text."""

    ocr: bool = False
    """Recognise scanned pages and images."""
    encoding: str = ""
    """Text encoding to use instead of recognising one."""
    format: str = ""
    """Name of the format in hand; set by `read_document`."""

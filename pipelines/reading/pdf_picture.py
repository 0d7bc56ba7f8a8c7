"""A page of a PDF as a picture."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from pipelines.errors import DocumentError
from pipelines.reading.pdf import PDFIUM

if TYPE_CHECKING:
    from PIL.Image import Image

WIDTH = 1000
"""Pixels from left to right, where the page is not too tall for that."""
MOST_PIXELS = 3_000_000
"""Of one picture: 9 MB while it is drawn."""
_PATIENCE = 30.0
"""Seconds to wait for another PDF that is being read: pdfium does one thing at a time."""


def page_picture(content: bytes, page: int, *, width: int = WIDTH) -> bytes:
    """A page, counted from 1, as a PNG; raises `DocumentError` where it can't be drawn."""
    if not PDFIUM.acquire(timeout=_PATIENCE):
        raise DocumentError("another PDF is being read just now: try again in a minute")
    try:
        picture = _drawn(content, page, width)
    finally:
        PDFIUM.release()
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def _drawn(content: bytes, number: int, width: int) -> Image:
    """A page as pixels; the caller holds the lock."""
    import pypdfium2  # type: ignore[import-untyped]

    try:
        pdf = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError:
        raise DocumentError("it is encrypted, damaged or no PDF") from None
    try:
        if not 1 <= number <= len(pdf):
            raise DocumentError(f"there is no page {number}: it has {len(pdf)}")
        page = pdf[number - 1]
        try:
            return _pixels(page, width)
        finally:
            page.close()
    except pypdfium2.PdfiumError:
        raise DocumentError(f"page {number} is damaged") from None
    finally:
        pdf.close()


def _pixels(page: Any, width: int) -> Image:
    across, down = (max(1.0, float(side)) for side in page.get_size())
    scale = min(width / across, (MOST_PIXELS / (across * down)) ** 0.5, MOST_PIXELS / max(across, down))
    bitmap = page.render(scale=scale)
    try:
        # A copy: the bitmap's memory is given back below, while the lock is held.
        picture: Image = bitmap.to_pil().copy()
        return picture
    finally:
        bitmap.close()

"""Images -> text by OCR."""

from __future__ import annotations

import io

from pipelines.documents import Document
from pipelines.errors import Quarantined
from pipelines.reading import ocr
from pipelines.reading.options import ReadOptions
from pipelines.reading.pdf import compose

MAX_PIXELS = 80_000_000


def read(content: bytes, options: ReadOptions) -> Document:
    """The text of all frames (a TIFF may hold several pages)."""
    if not options.ocr:
        raise Quarantined('an image: set `ocr: true`, which needs pip install "searchask[ocr]"')
    import numpy
    from PIL import Image, ImageOps, ImageSequence

    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    pages = []
    try:
        with Image.open(io.BytesIO(content)) as image:
            for frame in ImageSequence.Iterator(image):
                if frame.width * frame.height > MAX_PIXELS:
                    raise Quarantined(f"the image is too large: {frame.width} × {frame.height}")
                upright = ImageOps.exif_transpose(frame).convert("RGB")
                pages.append(ocr.recognise(numpy.asarray(upright)[:, :, ::-1], 1.0))
    except Image.DecompressionBombError:
        raise Quarantined("the image is too large") from None
    text, offsets = compose(pages)
    return Document(text=text, format="image", markdown=True, pages=offsets if len(pages) > 1 else ())

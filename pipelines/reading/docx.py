"""Word -> Markdown."""

from __future__ import annotations

import io

from pipelines.documents import Document
from pipelines.errors import Quarantined
from pipelines.reading.archives import opened
from pipelines.reading.html import to_markdown
from pipelines.reading.options import ReadOptions

_STYLES = """
p[style-name='Title'] => h1:fresh
p[style-name='Subtitle'] => p:fresh
p[style-name='heading 7'] => h6:fresh
"""


def read(content: bytes, options: ReadOptions) -> Document:
    """Headings, lists, tables, text boxes and footnotes; no images."""
    import mammoth  # type: ignore[import-untyped]

    with opened(content, "Word") as archive:
        if "word/document.xml" not in archive.namelist():
            raise Quarantined("not a readable Word file: it has no document in it")
    result = mammoth.convert_to_html(
        io.BytesIO(content),
        style_map=_STYLES,
        convert_image=lambda image: [],
        external_file_access=False,
    )
    text, notes = to_markdown(result.value, boilerplate=True)
    return Document(text=text, format="docx", markdown=True, notes=notes)

"""EPUB -> Markdown, its chapters in reading order."""

from __future__ import annotations

import posixpath
import zipfile
from urllib.parse import unquote

from pipelines.documents import Document
from pipelines.errors import Quarantined
from pipelines.reading.archives import opened
from pipelines.reading.encodings import decode
from pipelines.reading.html import to_markdown
from pipelines.reading.options import ReadOptions

_PAGES = ("application/xhtml+xml", "text/html", "application/x-dtbook+xml")


def read(content: bytes, options: ReadOptions) -> Document:
    """All chapters of the spine; the table of contents is left out."""
    with opened(content, "EPUB") as archive:
        chapters: list[str] = []
        for name in _spine(archive):
            source = decode(archive.read(name), encoding=options.encoding).text
            text, _ = to_markdown(source, boilerplate=True)
            if text.strip():
                chapters.append(text.strip("\n"))
    return Document(text="\n\n".join(chapters) + "\n", format="epub", markdown=True)


def _spine(archive: zipfile.ZipFile) -> list[str]:
    """The member names of the chapters, in reading order."""
    from lxml import etree  # type: ignore[import-untyped]

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, recover=True)
    members = set(archive.namelist())
    if "META-INF/encryption.xml" in members and b"EncryptedData" in archive.read("META-INF/encryption.xml"):
        fonts_only = all(b".otf" in line or b".ttf" in line for line in _ciphers(archive))
        if not fonts_only:
            raise Quarantined("the EPUB is protected (DRM) and can't be read")
    container = etree.fromstring(archive.read("META-INF/container.xml"), parser)
    root = container.xpath("//*[local-name()='rootfile']/@full-path")[0]
    package = etree.fromstring(archive.read(root), parser)
    items = {
        item.get("id"): item
        for item in package.xpath("//*[local-name()='manifest']/*[local-name()='item']")
        if item.get("media-type") in _PAGES and "nav" not in (item.get("properties") or "").split()
    }
    order = package.xpath("//*[local-name()='spine']/*[local-name()='itemref']/@idref")
    base = posixpath.dirname(root)
    names = [
        posixpath.normpath(posixpath.join(base, unquote(items[key].get("href", ""))))
        for key in order
        if key in items
    ]
    return [name for name in names if name in members]


def _ciphers(archive: zipfile.ZipFile) -> list[bytes]:
    """The references to encrypted members."""
    return [
        part
        for part in archive.read("META-INF/encryption.xml").split(b"CipherReference")[1:]
        if b"URI" in part
    ]

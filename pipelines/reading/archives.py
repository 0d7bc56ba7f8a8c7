"""Zip containers (Office, EPUB), opened only after it is sure that they are no bomb."""

from __future__ import annotations

import io
import re
import zipfile

from pipelines.errors import Quarantined

MAX_MEMBERS = 20_000
MAX_UNPACKED = 200_000_000
"""Bytes of all members together."""
MAX_RATIO = 100
"""Unpacked to packed, for members above `RATIO_FROM`."""
RATIO_FROM = 10_000_000

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENTITIES = re.compile(rb"<!ENTITY|<\0!\0E\0N\0T\0I\0T\0Y|\0<\0!\0E\0N\0T\0I\0T\0Y")


def opened(content: bytes, title: str) -> zipfile.ZipFile:
    """The container, each member unpacked once within the limits; raises `Quarantined` otherwise."""
    if content.startswith(_OLE):
        raise Quarantined(_ole_reason(content, title))
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        members = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError):
        raise Quarantined(f"not a readable {title} file: it is damaged or another format") from None
    if len(members) > MAX_MEMBERS:
        raise Quarantined(f"refused as a zip bomb: it has {len(members):,} members")
    declared = sum(member.file_size for member in members)
    if declared > MAX_UNPACKED:
        raise Quarantined(f"refused as a zip bomb: it unpacks to {declared / 1e6:,.0f} MB")
    for member in members:
        _check_member(archive, member, title)
    return archive


def _check_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, title: str) -> None:
    """Unpack one member in pieces, to see its real size and that its XML declares no entities."""
    if member.flag_bits & 1:
        raise Quarantined(f"the {title} file is encrypted: it needs a password to open")
    is_xml = member.filename.lower().endswith((".xml", ".rels", ".opf", ".ncx", ".vml"))
    size = 0
    try:
        with archive.open(member) as stream:
            while piece := stream.read(1 << 20):
                if size == 0 and is_xml and _ENTITIES.search(piece):
                    raise Quarantined(f"refused: {member.filename} declares XML entities")
                size += len(piece)
                if size > max(member.file_size, 0):
                    raise Quarantined(f"refused as a zip bomb: {member.filename} is larger than it says")
                if size > RATIO_FROM and size > MAX_RATIO * max(member.compress_size, 1):
                    raise Quarantined(
                        f"refused as a zip bomb: {member.filename} unpacks more than {MAX_RATIO}-fold"
                    )
    except Quarantined:
        raise
    except Exception as error:  # zlib, lzma and zipfile each have their own ways to fail
        raise Quarantined(f"not a readable {title} file: {member.filename} is damaged") from error


def _ole_reason(content: bytes, title: str) -> str:
    """Why an OLE container under an Office Open XML name can't be read."""
    if "EncryptedPackage".encode("utf-16-le") in content:
        return f"the {title} file is encrypted: it needs a password to open"
    return f"it is an old binary Office file: save it again as {title} (Office Open XML)"

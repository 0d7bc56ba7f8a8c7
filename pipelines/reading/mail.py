"""E-mail -> text: subject, people, date, body, and the names of attachments."""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage, MIMEPart
from email.policy import default

from pipelines.documents import Document
from pipelines.errors import Quarantined
from pipelines.reading.characters import clean
from pipelines.reading.encodings import decode
from pipelines.reading.html import to_markdown
from pipelines.reading.options import ReadOptions
from pipelines.reading.wraps import unwrapped


def read(content: bytes, options: ReadOptions) -> Document:
    """The plain text body, or the HTML one as Markdown; attachments are named, not read."""
    message = message_from_bytes(content, policy=default)
    if not message.keys():
        raise Quarantined("not a readable e-mail: it has no headers")
    assert isinstance(message, EmailMessage)
    subject = _header(message, "subject")
    lines = [f"{name}: {value}" for name in ("From", "To", "Cc", "Date") if (value := _header(message, name))]
    blocks = [f"# {subject}"] if subject else []
    blocks += ["\n".join(lines)] if lines else []
    encoding = ""
    body = message.get_body(("plain", "html"))
    if body is not None:
        text, encoding = _body(body, options)
        blocks.append(text)
    names = [name for part in message.iter_attachments() if (name := part.get_filename())]
    if names:
        blocks.append("Attachments: " + ", ".join(names))
    text = clean("\n\n".join(block.strip("\n") for block in blocks if block.strip())) + "\n"
    return Document(text=text, format="eml", markdown=True, encoding=encoding)


def _header(message: EmailMessage, name: str) -> str:
    """A header on one line; empty where it is missing or beyond repair."""
    try:
        return " ".join(str(message.get(name, "")).split())
    except (ValueError, IndexError, AttributeError):
        return ""


def _body(part: MIMEPart, options: ReadOptions) -> tuple[str, str]:
    """A body part's text and its encoding; the declared charset counts where it decodes."""
    payload = part.get_payload(decode=True)
    raw = payload if isinstance(payload, bytes) else b""
    if not raw.strip():
        return "", ""
    declared = part.get_content_charset() or ""
    decoded = decode(raw, encoding=options.encoding, declared=declared)
    if part.get_content_subtype() == "html":
        return to_markdown(decoded.text, boilerplate=True)[0], decoded.encoding
    return unwrapped(decoded.text), decoded.encoding

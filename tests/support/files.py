"""Real files of every format, made on the spot."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from typing import Any

CHINESE = "员工每年享有十五天带薪年假，须提前两周申请。"
ENGLISH = "Every employee has fifteen days of paid leave a year, to be requested two weeks ahead."


def pdf(pages: Sequence[Sequence[str]], *, password: str = "", owner: str = "", size: int = 11) -> bytes:
    """A PDF with the given lines on each page (Chinese allowed); `# ` makes a line a large heading."""
    from reportlab.lib import pdfencrypt
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfgen.canvas import Canvas

    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    buffer = io.BytesIO()
    encryption = None
    if password or owner:
        encryption = pdfencrypt.StandardEncryption(
            password, ownerPassword=owner or password, canCopy=0, strength=128
        )
    canvas = Canvas(buffer, pagesize=(595, 842), encrypt=encryption)
    for lines in pages:
        y = 790.0
        for line in lines:
            height = 20 if line.startswith("# ") else size
            text = line.removeprefix("# ")
            canvas.setFont("Helvetica" if text.isascii() else "STSong-Light", height)
            if text:
                canvas.drawString(72, y, text)
            y -= height * 1.4
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def pdf_table(rows: Sequence[Sequence[str]]) -> bytes:
    """A PDF with one borderless table, its columns 120 points apart."""
    from reportlab.pdfgen.canvas import Canvas

    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(595, 842))
    for number, row in enumerate(rows):
        for column, text in enumerate(row):
            canvas.drawString(72 + 120 * column, 780 - 18 * number, text)
    canvas.save()
    return buffer.getvalue()


def image(text: str, kind: str = "PNG") -> bytes:
    """A picture of a line of English text."""
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.new("RGB", (800, 600), "white")
    ImageDraw.Draw(picture).text((30, 60), text, fill="black", font=ImageFont.load_default(40))
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    return buffer.getvalue()


def docx(heading: str = "休假制度", paragraph: str = CHINESE, rows: Sequence[Sequence[str]] = ()) -> bytes:
    """A Word file with a heading, a paragraph, a picture and a table."""
    import docx as word

    document = word.Document()
    document.add_heading(heading, 1)
    document.add_paragraph(paragraph)
    document.add_picture(io.BytesIO(image("a picture")))
    if rows:
        table = document.add_table(len(rows), len(rows[0]))
        for row, texts in zip(table.rows, rows, strict=True):
            for cell, text in zip(row.cells, texts, strict=True):
                cell.text = text
    return saved(document)


def pptx(slides: Sequence[tuple[str, str]], rows: Sequence[Sequence[str]] = ()) -> bytes:
    """A PowerPoint file: title and text of each slide, and a table on the last."""
    import pptx as powerpoint
    from pptx.util import Inches

    deck = powerpoint.Presentation()
    for title, text in slides:
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text = text
        slide.notes_slide.notes_text_frame.text = f"Notes of {title}"
    if rows:
        frame = slide.shapes.add_table(len(rows), len(rows[0]), Inches(1), Inches(4), Inches(6), Inches(1))
        for row, texts in zip(frame.table.rows, rows, strict=True):
            for cell, text in zip(row.cells, texts, strict=True):
                cell.text = text
    return saved(deck)


def xlsx(sheets: dict[str, Sequence[Sequence[Any]]], merges: dict[str, Sequence[str]] | None = None) -> bytes:
    """An Excel file."""
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
        for area in (merges or {}).get(name, ()):
            sheet.merge_cells(area)
    return saved(book)


def epub(chapters: Sequence[str]) -> bytes:
    """An EPUB whose chapters are HTML bodies."""
    items = "".join(
        f'<item id="c{n}" href="c{n}.xhtml" media-type="application/xhtml+xml"/>'
        for n in range(len(chapters))
    )
    order = "".join(f'<itemref idref="c{n}"/>' for n in range(len(chapters)))
    members = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
        '<rootfile full-path="OPS/package.opf"/></rootfiles></container>',
        "OPS/package.opf": '<package xmlns="http://www.idpf.org/2007/opf"><manifest>'
        f"{items}</manifest><spine>{order}</spine></package>",
    }
    for number, body in enumerate(chapters):
        members[f"OPS/c{number}.xhtml"] = f"<html><head><title>t</title></head><body>{body}</body></html>"
    return packed(members)


def notebook(cells: Sequence[tuple[str, str]]) -> bytes:
    """A Jupyter notebook: kind and source of each cell; code cells print `printed`."""
    made = [
        {"cell_type": kind, "source": source.splitlines(True)}
        | ({"outputs": [{"text": ["printed\n"], "data": {"image/png": "QUJD"}}]} if kind == "code" else {})
        for kind, source in cells
    ]
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4}).encode()


def packed(members: dict[str, str | bytes]) -> bytes:
    """A zip file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def saved(document: Any) -> bytes:
    """What an Office library's document saves."""
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def ole(stream: str) -> bytes:
    """The start of an OLE container that names one stream, as an encrypted Office file has it."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 1000 + stream.encode("utf-16-le") + b"\0" * 1000

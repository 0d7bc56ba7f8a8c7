"""PowerPoint -> Markdown, a page for each slide."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from pipelines.documents import Document
from pipelines.reading.archives import opened
from pipelines.reading.characters import clean, join_lines
from pipelines.reading.options import ReadOptions
from pipelines.reading.tables import markdown_table


def read(content: bytes, options: ReadOptions) -> Document:
    """Titles as headings, text, tables, chart data and speaker notes."""
    import pptx

    opened(content, "PowerPoint").close()
    text = ""
    offsets: list[int] = []
    for slide in pptx.Presentation(io.BytesIO(content)).slides:
        offsets.append(len(text))
        blocks = [clean(block) for block in _slide(slide)]
        text += "".join(block + "\n\n" for block in blocks if block.strip())
    return Document(text=text.rstrip("\n") + "\n", format="pptx", markdown=True, pages=tuple(offsets))


def _slide(slide: Any) -> Iterator[str]:
    """The blocks of one slide, its title first."""
    title = slide.shapes.title
    if title is not None and title.has_text_frame and (heading := join_lines(title.text_frame.text)):
        yield f"## {heading}"
    for shape in _shapes(slide.shapes):
        if title is None or shape.shape_id != title.shape_id:
            yield from _shape(shape)
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        yield _paragraphs(slide.notes_slide.notes_text_frame)


def _shapes(shapes: Any) -> Iterator[Any]:
    """All shapes, groups opened, without recursion."""
    waiting = list(shapes)[::-1]
    while waiting:
        shape = waiting.pop()
        if hasattr(shape, "shapes"):
            waiting.extend(list(shape.shapes)[::-1])
        else:
            yield shape


def _shape(shape: Any) -> Iterator[str]:
    """The blocks of one shape; a picture has none."""
    if getattr(shape, "has_table", False):
        yield markdown_table(_grid(shape.table))
    elif getattr(shape, "has_chart", False):
        yield _chart(shape.chart)
    elif shape.has_text_frame:
        yield _paragraphs(shape.text_frame)


def _grid(table: Any) -> list[list[str]]:
    """A table's cells: a tall one is repeated down its rows, a wide one across in the header only."""
    grid = [[cell.text for cell in row.cells] for row in table.rows]
    for top, row in enumerate(table.rows):
        for left, cell in enumerate(row.cells):
            if cell.is_merge_origin:
                for down in range(cell.span_height):
                    for across in range(cell.span_width if top == 0 else 1):
                        grid[top + down][left + across] = cell.text
    return grid


def _paragraphs(frame: Any) -> str:
    """The paragraphs of a text frame; deeper levels become list items."""
    text = ""
    tight = False
    for paragraph in frame.paragraphs:
        line = join_lines(paragraph.text.replace("\v", " "))
        if line:
            item = paragraph.level > 0
            text += ("\n" if tight and item else "\n\n") if text else ""
            text += "  " * (paragraph.level - 1) + f"- {line}" if item else line
            tight = item
    return text


def _chart(chart: Any) -> str:
    """A chart's numbers as a table, its title above."""
    title = chart.chart_title.text_frame.text if chart.has_title and chart.chart_title.has_text_frame else ""
    plot = next(iter(chart.plots), None)
    if plot is None:
        return join_lines(title)
    names = [series.name or "" for series in plot.series]
    values = [list(series.values) for series in plot.series]
    rows = [["", *names]]
    for place, category in enumerate(plot.categories):
        numbers = [series[place] if place < len(series) else None for series in values]
        rows.append([str(category), *("" if number is None else f"{number:g}" for number in numbers)])
    return "\n\n".join(filter(None, (join_lines(title), markdown_table(rows))))

"""Headings and tables of a Markdown text, by offset."""

from __future__ import annotations

import re
from bisect import bisect_right

_MARK = re.compile(
    r"""^(?:
      [ ]{0,3}(?P<fence>`{3,}|~{3,})[^\n]*
    | [ ]{0,3}(?P<hashes>\#{1,6})(?:[ \t]+(?P<title>[^\n]*?))?[ \t]*\r?$
    | [ \t]*(?P<row>\|[^\n]*)
    )""",
    re.VERBOSE | re.MULTILINE,
)
_RULE = re.compile(r"\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?\s*")
_CLOSING_HASHES = re.compile(r"[ \t]+#+$|^#+$")


class Outline:
    """Where the headings and tables of a Markdown text are; `#` and `|` in code fences are neither."""

    def __init__(self, text: str) -> None:
        self.headings: list[int] = []
        """Offsets at which heading lines start, ascending."""
        self._paths: list[str] = []
        self._bodies: list[int] = []
        self._tables: list[tuple[int, str]] = []
        open_titles: list[tuple[int, str]] = []
        fence = ""
        rows: list[re.Match[str]] = []
        for match in _MARK.finditer(text):
            if match["fence"]:
                if not fence:
                    fence = match["fence"]
                elif match["fence"].startswith(fence) and not match[0].strip().strip(fence[0]):
                    fence = ""
            elif fence:
                continue
            elif match["hashes"]:
                level = len(match["hashes"])
                title = _CLOSING_HASHES.sub("", match["title"] or "").strip()
                open_titles = [item for item in open_titles if item[0] < level] + [(level, title)]
                self.headings.append(match.start())
                self._paths.append(" > ".join(title for _, title in open_titles if title))
            else:
                if rows and text[rows[-1].end() : match.start()] not in ("\n", "\r\n"):
                    self._close_table(rows)
                    rows = []
                rows.append(match)
        self._close_table(rows)

    def _close_table(self, rows: list[re.Match[str]]) -> None:
        if len(rows) > 2 and _RULE.fullmatch(rows[1]["row"]):
            self._bodies.append(rows[1].start())
            self._tables.append((rows[-1].end(), rows[0]["row"].strip()))

    def heading_at(self, offset: int) -> str:
        """The headings that `offset` stands under, as `A > B`; empty before the first one."""
        place = bisect_right(self.headings, offset)
        return self._paths[place - 1] if place else ""

    def table_header_at(self, offset: int) -> str:
        """The header row of the table in whose body `offset` lies; empty elsewhere, the header itself included."""
        place = bisect_right(self._bodies, offset)
        if not place:
            return ""
        end, header = self._tables[place - 1]
        return header if offset < end else ""


def heading_within(at_start: str, passage: str, offset: int) -> str:
    """The headings above an offset of a passage that starts under `at_start`; it may hold further ones."""
    lines = [line for line in Outline(passage).headings if line <= offset] if at_start else []
    if not lines:
        return at_start
    inside = Outline(passage[lines[0] :]).heading_at(offset - lines[0])
    level = len(passage[lines[0] :].lstrip()) - len(passage[lines[0] :].lstrip().lstrip("#"))
    # A heading of level 3 stands under two others, which the passage may not hold.
    above = at_start.split(" > ")
    # Where the passage starts with a heading, that is the last of those at its start.
    above = above[:-1] if lines[0] == 0 else above
    return " > ".join([*above[: level - 1], inside])

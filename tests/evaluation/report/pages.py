"""A page as its elements and texts."""

from __future__ import annotations

from bs4 import BeautifulSoup, Tag

ELEMENTS = frozenset(
    "html head meta title style body main header section h1 h2 h3 p dl div dt dd bdi strong ul ol li table thead tbody "
    "tr th td figure figcaption svg g path defs clippath rect use text details summary span mark blockquote footer sup "
    "label select option input button script i".split()
)
"""Whatever a report is made of."""


def parsed(page: str) -> BeautifulSoup:
    """The page; fails where it holds what no report is made of, or anything that reaches out."""
    soup = BeautifulSoup(page, "lxml")
    for each in soup.find_all(True):
        assert isinstance(each, Tag)
        assert each.name in ELEMENTS, f"<{each.name}> in a report"
        for name, value in each.attrs.items():
            assert not name.startswith("on"), f"{name} in a report"
            assert name not in ("src", "action", "formaction", "srcset", "data"), f"{name} in a report"
            if name in ("href", "xlink:href"):
                assert str(value).startswith("#")
    assert len(soup.find_all("script")) == 1
    assert len(soup.find_all("style")) == 1
    style = soup.style.get_text() if soup.style else ""
    assert "url(" not in style
    assert "@import" not in style
    return soup


def row(soup: BeautifulSoup, head: str) -> list[str]:
    """The cells of the first row that begins with that text."""
    for each in soup.find_all("tr"):
        cells = [cell.get_text(" ", strip=True) for cell in each.find_all(["th", "td"])]
        if cells and cells[0] == head:
            return cells
    raise AssertionError(f"no row begins with {head!r}")

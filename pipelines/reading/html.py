"""HTML -> Markdown: headings, lists, tables and code kept; scripts, navigation, links and images dropped."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from pipelines.documents import Document
from pipelines.reading.characters import clean, join_lines
from pipelines.reading.encodings import decode
from pipelines.reading.markdown_writer import MarkdownWriter
from pipelines.reading.options import ReadOptions

_CHARSET = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([a-zA-Z0-9_.:-]+)""")
_DROPPED = frozenset(
    "script style noscript template nav svg math iframe object embed applet button select input textarea "
    "canvas audio video map dialog head".split()
)
_BOILERPLATE = re.compile(
    r"^(?:nav|navbar|nav-?header|nav-?footer|navigation|site-?nav|breadcrumbs?|sidebar|side-?bar|toc|menu|"
    r"skip-?(?:link|nav)|cookie\S*|pagination|page-?footer|site-?footer|site-?header|mw-editsection|"
    r"mw-jump-link|noprint|navbox|sr-only|visually-?hidden|table-of-contents|share-buttons?)$",
    re.I,
)
_HIDDEN_STYLE = re.compile(
    r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|text-indent\s*:\s*-\d{3}|"
    r"(?:left|right|top|margin-left|margin-top)\s*:\s*-\d{4}|clip\s*:\s*rect\(\s*0|color\s*:\s*transparent)",
    re.I,
)
_NO_SIZE = re.compile(r"(?:^|;)\s*font-size\s*:\s*0{0,9}\.?0{1,9}\s{0,9}[a-z%]{0,5}\s{0,9}(?:;|!|$)", re.I)
_COLOUR = re.compile(r"(?:^|;)\s*color\s*:\s*([^;!]+)", re.I)
_GROUND = re.compile(r"(?:^|;)\s*background(?:-color)?\s*:\s*([^;!]+)", re.I)
_COLOURS = {"white": "fff", "#ffffff": "fff", "#fff": "fff", "rgb(255,255,255)": "fff"}
_COLOURS |= {"black": "000", "#000000": "000", "#000": "000", "rgb(0,0,0)": "000"}
_MOST_HIDDEN = 3
"""Signs in a hidden element's text below which it is an icon and not worth a note."""
_MANY_LINKS = 20
"""Entries from which a list of nothing but links counts as a menu."""

_LANDMARKS = frozenset(("navigation", "banner", "contentinfo", "search", "dialog", "menu", "menubar"))


def read(content: bytes, options: ReadOptions) -> Document:
    """The page's main text as Markdown."""
    match = _CHARSET.search(content[:4096])
    declared = match.group(1).decode("ascii") if match else ""
    decoded = decode(content, encoding=options.encoding, declared=declared)
    text, notes = to_markdown(decoded.text)
    return Document(
        text=text, format="html", markdown=True, encoding=decoded.encoding, notes=decoded.notes + notes
    )


def to_markdown(source: str, *, boilerplate: bool = False) -> tuple[str, tuple[str, ...]]:
    """Markdown of an HTML text, and notes; with `boilerplate` nothing but scripts and images is dropped."""
    root, whole = _parsed(source)
    if not whole:
        return _stripped(source), ("nested too deeply: the text without its headings and tables",)
    if root is None:
        return "", ()
    writer = MarkdownWriter()
    hidden = _walk(root if boilerplate else _main(root), writer, boilerplate)
    title = root.find(".//title")
    heading = join_lines(title.text or "") if title is not None else ""
    text = writer.text()
    if not boilerplate and len(text) < 2_000:
        everything = MarkdownWriter()
        _walk(root, everything, True)
        # A page that is all navigation (an index) is read as it is.
        text = everything.text() if len(text) < 0.1 * len(everything.text()) else text
    if heading and not boilerplate and not re.search(r"^# ", text, re.M):
        text = f"# {heading}\n\n{text}"
    return clean(text), (f"hidden text was left out ({hidden:,} characters)",) if hidden else ()


def _parsed(source: str) -> tuple[Any, bool]:
    """The tree (None for an empty page), and whether the parser took in all of it."""
    from lxml import etree  # type: ignore[import-untyped]

    parser = etree.HTMLParser(encoding="utf-8", huge_tree=True, no_network=True, remove_pis=True)
    try:
        root = etree.fromstring(source.encode("utf-8", "replace"), parser)
    except etree.XMLSyntaxError as error:
        return None, "depth" not in str(error)
    return root, not any("xcessive depth" in entry.message for entry in parser.error_log)


def _stripped(source: str) -> str:
    """The text between the tags, where no tree can be had."""
    source = re.sub(r"(?is)<(script|style|noscript|template)\b.*?</\1\s*>|<!--.*?-->", " ", source)
    lines = re.sub(r"<[^<>]*>", "\n", source).split("\n")
    return clean("\n\n".join(line for line in map(join_lines, map(unescape, lines)) if line))


def _main(root: Any) -> Any:
    """The one element that holds the content, where the page marks it and it isn't a mere part."""
    found = root.xpath("//main | //*[@role='main']")
    if len(found) != 1:
        found = root.xpath("//article")
    if len(found) == 1:
        inside = len("".join(found[0].itertext()))
        body = sum(map(len, root.xpath("//body//text()[not(ancestor::script or ancestor::style)]")))
        if inside > 0.4 * body:
            return found[0]
    return root


def _is_dropped(element: Any, boilerplate: bool) -> bool:
    """Whether nothing of this element is content."""
    tag = element.tag
    if tag in _DROPPED or _is_hidden(element):
        return True
    if boilerplate or tag in ("body", "html", "main", "article"):
        return False
    if element.get("role") in _LANDMARKS:
        return True
    if tag in ("footer", "header") and element.getparent().tag == "body":
        return True
    if tag in ("ul", "ol") and len(element) >= _MANY_LINKS and _is_links(element):
        return True
    names = f"{element.get('class') or ''} {element.get('id') or ''}".split()
    return any(_BOILERPLATE.match(name) for name in names)


def _is_hidden(element: Any) -> bool:
    """Whether a person who looks at the page does not see this element, as its own attributes say."""
    if element.get("hidden") is not None or (element.get("aria-hidden") or "").lower() == "true":
        return True
    style = element.get("style") or ""
    if _NO_SIZE.search(style):
        # Where something inside has a size of its own, the zero only closes gaps between its parts.
        return not element.xpath(".//*[@class or contains(@style, 'font')]")
    return bool(_HIDDEN_STYLE.search(style)) or _is_on_its_own_colour(element, style)


def _is_on_its_own_colour(element: Any, style: str) -> bool:
    """Whether text has the colour of the ground that the nearest style behind it names."""
    said = _COLOUR.search(style)
    colour = _named(said[1]) if said else _named(element.get("color") or "")
    if not colour:
        return False
    while element is not None:
        ground = _GROUND.search(element.get("style") or "")
        if ground or element.get("bgcolor"):
            return _named(ground[1] if ground else element.get("bgcolor")) == colour
        if element.get("class") and element.tag != "body":
            return False  # a style sheet may give it a ground
        element = element.getparent()
    return colour == "fff"


def _named(colour: str) -> str:
    """A colour, the same for each way to write black and white."""
    bare = "".join(colour.lower().split())
    return _COLOURS.get(bare, bare)


def _is_links(element: Any) -> bool:
    """Whether a list holds nothing but links, as a language menu does."""
    linked = sum(len("".join(link.itertext())) for link in element.iter("a"))
    return linked > 0.95 * len("".join("".join(element.itertext()).split()))


def _walk(start: Any, writer: MarkdownWriter, boilerplate: bool) -> int:
    """Feed a subtree to the writer, without recursion; how many characters of hidden text were left out."""
    from lxml import etree

    walker = etree.iterwalk(start, events=("start", "end"))
    skipped, hidden = None, 0
    for event, element in walker:
        if event == "start":
            if not isinstance(element.tag, str) or _is_dropped(element, boilerplate):
                walker.skip_subtree()
                skipped = element
                hidden += _hidden_text(element)
                continue
            writer.start(element.tag, element.attrib)
            writer.data(element.text)
            continue
        if element is skipped:
            skipped = None
        elif isinstance(element.tag, str):
            writer.end(element.tag)
        if element is not start:
            writer.data(element.tail)
    return hidden


def _hidden_text(element: Any) -> int:
    """Characters of text in an element that was left out since nobody sees it, and not for what it is."""
    if not isinstance(element.tag, str) or element.tag in _DROPPED or not _is_hidden(element):
        return 0
    size = len(" ".join("".join(element.itertext()).split()))
    return size if size > _MOST_HIDDEN else 0

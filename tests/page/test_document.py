"""Opening a document at a place, before and after it was edited, and its pages as pictures."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from pipelines.catalog import Catalog
from pipelines.catalog.live import LiveNode, LiveNodes
from pipelines.errors import DocumentError, SearchaskError
from pipelines.page import document as page
from pipelines.page.document import Opened, Place, open_at, page_picture
from pipelines.reading import pdf_picture
from pipelines.reading.pdf import PDFIUM
from tests.support.files import pdf
from tests.support.house import House

QUOTE = "年假要提前两周申请。"
GENERAL = "本手册适用于全体员工，由人事部门负责解释。各部门可以另行制定细则，但不得与本手册相抵触。" * 2
RULES = f"工作满一年的员工每年有五天年假；满十年的有十天。{QUOTE}未休的年假次年作废。"
LEAVE = f"# 手册\n\n## 总则\n\n{GENERAL}\n\n## 年假\n\n{RULES}\n\n## 附则\n\n{GENERAL}\n"
PAGES = [
    ["# Handbook", "The first page is about badges."],
    ["# Leave", "The second page is about leave, 年假。"],
]


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = House(tmp_path)
    house.write("leave.md", LEAVE)
    house.write("other.md", "# Other\n\nNothing of interest.")
    (house.docs / "book.pdf").write_bytes(pdf(PAGES))
    house.ingest()
    return house


@pytest.fixture
def catalog(house: House) -> Iterator[Catalog]:
    catalog = house.catalog()
    yield catalog
    catalog.close()


def whole(opened: Opened) -> str:
    return opened.pre + passage(opened) + opened.post


def passage(opened: Opened) -> str:
    return opened.passage_before + opened.quote + opened.passage_after


def node_with(catalog: Catalog, words: str) -> LiveNode:
    active = catalog.generations.active()
    assert active is not None
    for row in catalog.documents(active.id):
        for node, text in catalog.nodes(row.id):
            if words in text:
                return LiveNodes(catalog.engine, active.id, active.cache_key).get([node.id])[node.id]
    raise AssertionError(words)


def place_of(catalog: Catalog, quote: str = QUOTE) -> Place:
    node = node_with(catalog, quote)
    assert node.start is not None
    start = node.start + node.text.index(quote)
    return Place(node.id, node.loader, node.document, start, node.text, quote)


def test_passage_and_quote_are_lit_in_the_text(catalog: Catalog) -> None:
    place = place_of(catalog)
    opened = open_at(catalog, place, "zh")
    assert whole(opened) == LEAVE
    assert (passage(opened), opened.quote) == (place.passage, QUOTE)
    assert (opened.document, opened.loader, opened.heading, opened.page) == (
        "leave.md",
        "files",
        "手册 > 年假",
        None,
    )
    assert not (opened.notice or opened.more_before or opened.more_after or opened.picture)


def test_a_node_alone_is_enough(catalog: Catalog) -> None:
    node = node_with(catalog, QUOTE)
    opened = open_at(catalog, Place(node=node.id), "en")
    assert (opened.passage_before, opened.quote, opened.passage_after) == (node.text, "", "")
    assert whole(opened) == LEAVE


@pytest.mark.parametrize("sentences", [10, 4_000])
def test_what_is_left_out_is_told(house: House, catalog: Catalog, sentences: int) -> None:
    filler = "".join(f"Sentence {number} is filler. " for number in range(sentences))
    text = f"{filler}\n\nThe needle lies here, 针在这里。\n\n{filler}"
    house.write("long.txt", text)
    house.ingest()
    opened = open_at(catalog, place_of(catalog, "针在这里"), "en")
    stored = catalog.text(next(row.load for row in catalog.documents(1) if row.path == "long.txt"))
    assert stored is not None
    long = sentences > 10
    assert (opened.more_before, opened.more_after) == (long, long)
    assert (len(opened.pre) == page.AROUND, len(opened.post) == page.AROUND) == (long, long)
    assert whole(opened) in stored.text
    assert (whole(opened) == stored.text) is not long


def test_the_very_end_of_the_window(house: House, catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    node = node_with(catalog, QUOTE)
    assert node.start is not None and node.end is not None
    for room, more in ((len(LEAVE) - node.end, False), (len(LEAVE) - node.end - 1, True), (0, True)):
        monkeypatch.setattr(page, "AROUND", room)
        opened = open_at(catalog, Place(node=node.id), "en")
        assert opened.post == LEAVE[node.end : node.end + room] and opened.more_after is more
        assert opened.pre == LEAVE[max(0, node.start - room) : node.start]
        assert opened.more_before is (room < node.start)


def test_found_again_after_an_edit_above_it(house: House, catalog: Catalog) -> None:
    place = place_of(catalog)
    text = LEAVE.replace("## 年假", f"补充：{QUOTE}\n\n" + "新增的规定一共有三条。" * 40 + "\n\n## 年假")
    house.write("leave.md", text)
    house.ingest()
    opened = open_at(catalog, place, "zh")
    assert opened.quote == QUOTE and whole(opened) == text and opened.notice == ""
    assert len(opened.pre + opened.passage_before) == text.rindex(QUOTE), "not the same words further up"


def test_found_again_after_another_cut(house: House, catalog: Catalog) -> None:
    place = place_of(catalog)
    house.edit(node_parser={"type": "sentence", "chunk_size": 16, "chunk_overlap": 0})
    house.ingest()
    opened = open_at(catalog, place, "zh")
    assert (passage(opened), opened.quote) == (place.passage, QUOTE)
    assert opened.heading == "手册 > 年假"


def test_only_the_quote_is_left(house: House, catalog: Catalog) -> None:
    place = place_of(catalog)
    house.write("leave.md", f"# 手册\n\n全文改写。{QUOTE}其余从略。\n")
    house.ingest()
    opened = open_at(catalog, place, "zh")
    assert (opened.passage_before, opened.quote, opened.passage_after) == ("", QUOTE, "")


def test_passage_that_is_gone_is_told(house: House, catalog: Catalog) -> None:
    place = place_of(catalog)
    house.write("leave.md", "# 手册\n\n全部换成了别的内容。\n")
    house.ingest()
    opened = open_at(catalog, place, "en")
    assert "the passage is no longer in it" in opened.notice
    assert whole(opened) == "# 手册\n\n全部换成了别的内容。\n" and passage(opened) == ""


def test_document_that_is_gone_is_told_with_what_was_shown(house: House, catalog: Catalog) -> None:
    place = place_of(catalog)
    (house.docs / "leave.md").unlink()
    house.ingest(allow_vanish=True)
    opened = open_at(catalog, place, "zh")
    assert "“leave.md”已不在索引中" in opened.notice
    assert (passage(opened), opened.quote, opened.pre, opened.post) == (place.passage, QUOTE, "", "")
    assert "no longer in the index" in open_at(catalog, Place(), "en").notice


def test_passage_in_words_of_its_own(house: House, catalog: Catalog) -> None:
    house.edit(node_parser={"type": "json"})
    house.write("list.json", '[{"name": "阀门", "price": 12}]')
    house.ingest()
    node = node_with(catalog, "阀门")
    opened = open_at(catalog, Place(node=node.id, quote="阀门"), "en")
    assert (passage(opened), opened.quote) == (node.text, "阀门")
    assert "words of its own" in opened.notice


def test_page_of_a_pdf(house: House, catalog: Catalog) -> None:
    opened = open_at(catalog, place_of(catalog, "about leave"), "en")
    assert (opened.document, opened.page, opened.picture) == ("book.pdf", 2, True)
    assert "first page" in opened.passage_before, "the passage begins on the page before"
    first, second = (
        Image.open(io.BytesIO(page_picture(house.config, catalog, "files", "book.pdf", number, "en")))
        for number in (1, 2)
    )
    assert first.format == "PNG" and first.size == (1000, 1416)
    assert first.tobytes() != second.tobytes()
    assert first.convert("L").getextrema() == (0, 255), "black on white"


def test_no_picture_of_a_page_that_is_not_there(house: House, catalog: Catalog) -> None:
    for number in (0, 3, -1):
        with pytest.raises(SearchaskError, match=f"there is no page {number}: it has 2"):
            page_picture(house.config, catalog, "files", "book.pdf", number, "en")


def test_no_picture_of_another_file(house: House, catalog: Catalog) -> None:
    (house.root / "secret.pdf").write_bytes(pdf(PAGES))
    for name in ("../secret.pdf", str(house.root / "secret.pdf"), "none.pdf"):
        with pytest.raises(SearchaskError, match="no longer in the index"):
            page_picture(house.config, catalog, "files", name, 1, "en")
    with pytest.raises(SearchaskError, match="只有由"):
        page_picture(house.config, catalog, "files", "leave.md", 1, "zh")


def test_no_picture_of_a_file_that_changed(house: House, catalog: Catalog) -> None:
    (house.docs / "book.pdf").write_bytes(pdf([["Another book."]]))
    with pytest.raises(SearchaskError, match="changed since it was indexed"):
        page_picture(house.config, catalog, "files", "book.pdf", 1, "en")
    (house.docs / "book.pdf").unlink()
    with pytest.raises(SearchaskError, match=r"现在无法读取“book\.pdf”：文件已不存在"):
        page_picture(house.config, catalog, "files", "book.pdf", 1, "zh")


def page_of(width: float, height: float) -> bytes:
    from reportlab.pdfgen.canvas import Canvas

    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(width, height))
    canvas.drawString(1, 1, "x")
    canvas.save()
    return buffer.getvalue()


@pytest.mark.parametrize("size", [(14_400, 14_400), (10, 14_400), (14_400, 3), (1, 1)])
def test_pictures_are_bounded(size: tuple[int, int]) -> None:
    picture = Image.open(io.BytesIO(pdf_picture.page_picture(page_of(*size), 1)))
    assert picture.width <= pdf_picture.WIDTH
    assert picture.width * picture.height <= pdf_picture.MOST_PIXELS * 1.01


def test_pictures_of_what_is_no_pdf() -> None:
    with pytest.raises(DocumentError, match="encrypted, damaged or no PDF"):
        pdf_picture.page_picture(b"%PDF-1.7 nonsense", 1)
    with pytest.raises(DocumentError, match="encrypted, damaged or no PDF"):
        pdf_picture.page_picture(pdf(PAGES, password="secret"), 1)


def test_pictures_wait_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_picture, "_PATIENCE", 0.05)
    with PDFIUM, pytest.raises(DocumentError, match="try again"):
        pdf_picture.page_picture(pdf(PAGES), 1)
    content, drawn = pdf(PAGES), []
    monkeypatch.setattr(pdf_picture, "_PATIENCE", 30.0)
    threads = [
        threading.Thread(target=lambda: drawn.append(pdf_picture.page_picture(content, 1))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(drawn) == 6 and len(set(drawn)) == 1

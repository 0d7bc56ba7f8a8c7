"""PDF: pages stand where they are said to, wrapped lines are whole again, locked and broken files say so."""

from __future__ import annotations

import pytest

from pipelines.documents import Document
from pipelines.errors import Quarantined
from pipelines.reading.options import ReadOptions
from pipelines.reading.read import read_document
from tests.support import files


def read(content: bytes, *, ocr: bool = False) -> Document:
    return read_document("a.pdf", content, ReadOptions(ocr=ocr))


WRAPPED = [
    "# Paid leave",
    "Every employee of the company has fifteen days of paid leave in each calendar",
    "year, which must be requested from the responsible manager at least two full",
    "weeks ahead; exceptions are granted by the well-known director of human resour-",
    "ces.",
    "",
    "A second paragraph stands here.",
]
CHINESE = [
    "# 带薪年假",
    "本公司全体员工每年享有十五天带薪年假，须至少提前两周向直属主管提出书面申请，经批",
    "准后方可休假；未休完的年假可以结转至次年第一季度，逾期作废。",
    "",
    "特殊情况由人力资源部另行处理。",
]


def test_wrapped_lines_are_joined_and_headings_kept() -> None:
    document = read(files.pdf([WRAPPED]))
    assert document.text == (
        "# Paid leave\n\nEvery employee of the company has fifteen days of paid leave in each calendar year, "
        "which must be requested from the responsible manager at least two full weeks ahead; exceptions are granted "
        "by the well-known director of human resources.\n\nA second paragraph stands here.\n"
    )
    assert document.markdown


def test_chinese_lines_are_joined_without_a_space() -> None:
    assert read(files.pdf([CHINESE])).text == (
        "# 带薪年假\n\n本公司全体员工每年享有十五天带薪年假，须至少提前两周向直属主管提出书面申请，经批准后方可休假；"
        "未休完的年假可以结转至次年第一季度，逾期作废。\n\n特殊情况由人力资源部另行处理。\n"
    )


def test_page_offsets_are_exact() -> None:
    pages = [["First page begins."], ["Second page begins."], ["第三页由此开始。"]]
    document = read(files.pdf(pages))
    assert len(document.pages) == 3
    for offset, lines in zip(document.pages, pages, strict=True):
        assert document.text[offset:].startswith(lines[0])


def test_a_sentence_across_pages_is_whole_and_the_page_is_still_exact() -> None:
    document = read(
        files.pdf([["The rule holds for all employees of the company and"], ["also for their guests."]])
    )
    assert document.text == "The rule holds for all employees of the company and also for their guests.\n"
    assert document.text[document.pages[1] :] == "also for their guests.\n"


def test_running_heads_and_page_numbers_are_dropped() -> None:
    pages = [
        ["Handbook 2024", "", f"Text of page number {word}.", "", str(n)]
        for n, word in enumerate(("a", "b", "c", "d"), 1)
    ]
    text = read(files.pdf(pages)).text
    assert text.count("Handbook 2024") == 1
    assert "\n\n2\n" not in text
    assert text.count("Text of page number") == 4


def test_a_table_keeps_its_rows_and_header() -> None:
    text = read(
        files.pdf_table([["Grade", "Days", "Pay"], ["Junior", "10", "100"], ["Senior", "15", "150"]])
    ).text
    assert (
        text == "| Grade | Days | Pay |\n| --- | --- | --- |\n| Junior | 10 | 100 |\n| Senior | 15 | 150 |\n"
    )


def test_list_items_stay_apart() -> None:
    text = read(
        files.pdf([["1. Fill in the form and hand it to the manager of the department.", "2. Wait."]])
    ).text
    assert "department.\n\n2. Wait." in text


def test_copy_protected_opens_and_locked_does_not() -> None:
    assert "Open text" in read(files.pdf([["Open text"]], owner="secret")).text
    with pytest.raises(Quarantined, match="encrypted: it needs a password"):
        read(files.pdf([["Open text"]], password="secret"))


@pytest.mark.parametrize("content", [b"%PDF-1.7\nnothing", b"no pdf at all", files.pdf([["x"]])[:300]])
def test_broken(content: bytes) -> None:
    with pytest.raises(Quarantined, match=r"not a readable PDF|no text"):
        read(content)


def test_scanned_pages_name_the_option_and_the_extra() -> None:
    with pytest.raises(Quarantined, match=r"ocr: true.*searchask\[ocr\]"):
        read(files.pdf([[]]))
    document = read(files.pdf([["Page with text."], []]))
    assert document.notes == ("no text on page 2",)


def test_ocr_reads_images_and_scanned_pages() -> None:
    pytest.importorskip("rapidocr_onnxruntime")
    from PIL import Image

    picture = files.image("Leave request form 2024")
    found = read_document("a.png", picture, ReadOptions(ocr=True))
    assert "2024" in found.text and "request" in found.text
    import io

    scan = io.BytesIO()
    Image.open(io.BytesIO(picture)).save(scan, "PDF", resolution=150)
    assert "2024" in read(scan.getvalue(), ocr=True).text
    with pytest.raises(Quarantined, match="an image: set `ocr"):
        read_document("a.png", picture, ReadOptions())

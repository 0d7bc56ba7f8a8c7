"""Each format gives the text a person sees, with its headings, tables and pages."""

from __future__ import annotations

import json

import pytest

from pipelines.documents import Document
from pipelines.reading.formats import FORMATS, format_of
from pipelines.reading.options import ReadOptions
from pipelines.reading.read import read_document
from tests.support import files

ROWS = [["Grade", "Days"], ["Junior", "10"], ["Senior", "15"]]
TABLE = "| Grade | Days |\n| --- | --- |\n| Junior | 10 |\n| Senior | 15 |"


def read(path: str, content: bytes | str, **options: object) -> Document:
    raw = content.encode() if isinstance(content, str) else content
    return read_document(path, raw, ReadOptions(**options))  # type: ignore[arg-type]


def test_every_extension_belongs_to_one_format() -> None:
    extensions = [extension for entry in FORMATS for extension in entry.extensions]
    assert len(extensions) == len(set(extensions))
    assert format_of("a/b/REPORT.PDF").name == "pdf"  # type: ignore[union-attr]
    assert format_of("Makefile").name == "code"  # type: ignore[union-attr]
    assert format_of("archive.xyz") is None


def test_text_and_code_stay_as_they_are() -> None:
    assert read("a.txt", "one\ntwo\n").text == "one\ntwo\n"
    document = read("a.py", "def f():\n    return 1\n")
    assert (document.text, document.format, document.markdown) == ("def f():\n    return 1\n", "code", False)


def test_markdown_loses_only_embedded_images() -> None:
    document = read("a.md", "# T\n\n![logo](data:image/png;base64,QUJD) text\n![kept](a.png)\n")
    assert document.text == "# T\n\nlogo text\n![kept](a.png)\n"
    assert document.markdown


def test_html() -> None:
    page = """<!doctype html><html><head><meta charset="utf-8"><title>Title</title><style>p{}</style></head><body>
    <nav><a href="/">Home</a></nav><div class="sidebar">menu</div>
    <h1>Leave &amp; Pay</h1><p>Every employee has
       fifteen days.<br>Second line.<br><br>Third.</p><p>员工每年
       享有十五天</p><script>alert(1)</script><img src="data:image/png;base64,QUJD" alt="x">
    <ul><li>one<ul><li>inner</li></ul></li><li>two</li></ul><ol><li>first</li></ol>
    <pre>a  = 1
b = 2</pre>
    <table><caption>Days</caption><tr><th>Grade</th><th>Days</th></tr><tr><td rowspan=2>Junior</td><td>10</td></tr>
    <tr><td>11 | 12</td></tr></table><footer>imprint</footer></body></html>"""
    document = read("a.html", page)
    assert document.text == (
        "# Leave & Pay\n\nEvery employee has fifteen days.\nSecond line.\n\nThird.\n\n员工每年享有十五天\n\n"
        "- one\n  - inner\n- two\n1. first\n\n```\na  = 1\nb = 2\n```\n\nDays\n\n"
        "| Grade | Days |\n| --- | --- |\n| Junior | 10 |\n| Junior | 11 \\| 12 |\n"
    )


def test_html_in_gbk_by_its_meta_charset() -> None:
    page = f'<html><head><meta charset="gb2312"></head><body><p>{files.CHINESE}</p></body></html>'
    document = read("a.htm", page.encode("gbk"))
    assert files.CHINESE in document.text
    assert document.encoding == "gb18030"


def test_html_nested_without_end_keeps_its_text() -> None:
    document = read("a.html", "<div>" * 100_000 + "needle" + "</div>" * 100_000)
    assert "needle" in document.text
    assert "nested" in document.notes[0]


def test_layout_tables_become_paragraphs() -> None:
    page = "<table><tr><td><h2>Left</h2>text</td><td><table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td>"
    assert "## Left\n\ntext\n\n| a | b |" in read("a.html", page).text


def test_docx() -> None:
    document = read("a.docx", files.docx(rows=ROWS))
    assert document.text == f"# 休假制度\n\n{files.CHINESE}\n\n{TABLE}\n"
    assert document.markdown


def test_pptx_has_a_page_for_each_slide() -> None:
    document = read("a.pptx", files.pptx([("First", "one"), ("第二张", "two")], ROWS))
    assert document.text.startswith("## First\n\none\n\nNotes of First")
    assert document.text[document.pages[1] :].startswith("## 第二张\n\ntwo")
    assert TABLE in document.text


def test_xlsx() -> None:
    content = files.xlsx(
        {
            "假期": [["Leave table"], [], *ROWS, [], [], ["Share", 0.5], ["Sum", "=1+1"]],
            "Merged": [["Region", "2023", None], [None, "Q1", "Q2"], ["North", 1, 2.5], [None, 3, 4]],
        },
        {"Merged": ["A1:A2", "B1:C1", "A3:A4"]},
    )
    text = read("a.xlsx", content).text
    assert text.startswith(f"## 假期\n\nLeave table\n\n{TABLE}")
    assert (
        "## Merged\n\n| Region | 2023 Q1 | 2023 Q2 |\n| --- | --- | --- |\n| North | 1 | 2.5 |\n| North | 3 | 4 |"
        in text
    )


def test_xlsx_with_a_stray_cell_far_away_is_quick() -> None:
    import openpyxl

    book = openpyxl.Workbook()
    book.active["A1"], book.active["XFD1048576"] = "here", "far"
    assert "here" in read("a.xlsx", files.saved(book)).text


@pytest.mark.parametrize(("name", "text"), [
    ("a.csv", "Grade,Days\nJunior,10\nSenior,15\n"),
    ("a.csv", "Grade;Days\nJunior;10\nSenior;15\n"),
    ("a.tsv", "Grade\tDays\nJunior\t10\nSenior\t15\n"),
])  # fmt: skip
def test_delimited(name: str, text: str) -> None:
    assert read(name, text).text == TABLE + "\n"


def test_csv_with_quotes_lines_and_bars_in_gbk() -> None:
    document = read("a.csv", '名称,说明\n"甲","第一行\n第二行 | 竖线"\n'.encode("gbk"))
    assert document.text == "| 名称 | 说明 |\n| --- | --- |\n| 甲 | 第一行 第二行 \\| 竖线 |\n"


def test_json_keeps_numbers_and_resolves_escapes() -> None:
    assert (
        read("a.json", '{"a": 1.10, "b": "\\u5e74\\u5047 \\u0022"}').text
        == '{"a": 1.10, "b": "年假 \\u0022"}\n'
    )
    minified = json.dumps({"items": [{"name": f"n{n}"} for n in range(300)]}, separators=(",", ":"))
    assert json.loads(read("a.json", minified).text) == json.loads(minified)
    assert max(map(len, read("a.json", minified).text.split("\n"))) < 100
    assert read("a.jsonl", '{"a": 1}\n{"a": "\\u5e74"}\n').text == '{"a": 1}\n{"a": "年"}\n'


def test_epub_in_the_order_of_its_spine() -> None:
    document = read("a.epub", files.epub(["<h1>一</h1><p>first</p>", "<h1>二</h1><p>second</p>"]))
    assert document.text == "# 一\n\nfirst\n\n# 二\n\nsecond\n"


def test_notebook() -> None:
    document = read("a.ipynb", files.notebook([("markdown", "# Title\ntext"), ("code", "x = 1\ny = 2")]))
    assert document.text == "# Title\ntext\n\n```python\nx = 1\ny = 2\n```\n\n```\nprinted\n```\n"


def test_mail() -> None:
    mail = (
        b"From: a@example.com\nTo: b@example.com\nSubject: =?utf-8?b?5bm05YGH?=\n"
        b"Date: Fri, 16 Dec 2022 17:04:16 -0500\n"
        b'MIME-Version: 1.0\nContent-Type: text/plain; charset="gb2312"\nContent-Transfer-Encoding: 8bit\n\n'
    ) + files.CHINESE.encode("gbk")
    document = read("a.eml", mail)
    assert document.text.startswith("# 年假\n\nFrom: a@example.com\nTo: b@example.com\nDate: Fri")
    assert files.CHINESE in document.text


def test_mail_with_html_only() -> None:
    mail = "Subject: s\nContent-Type: text/html\n\n<p>Hello <b>there</b></p>"
    assert "Hello there" in read("a.eml", mail).text


def test_a_page_without_extension_is_told_by_its_bytes() -> None:
    assert read("https://example.org/page", "<!doctype html><h1>Hi</h1>").format == "html"
    assert read("https://example.org/file", files.pdf([["Hello there"]])).format == "pdf"
    assert read("https://example.org/raw", "just text").format == "text"
    assert read("https://example.org/raw", files.docx()).format == "docx"

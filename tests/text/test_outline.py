from __future__ import annotations

from pipelines.text.outline import Outline
from tests.text import DATA

TEXT = (DATA / "handbook.md").read_text("utf-8")


def test_headings() -> None:
    outline = Outline(TEXT)

    def heading(part: str) -> str:
        return outline.heading_at(TEXT.index(part))

    assert heading("本手册") == "员工手册 Staff handbook"
    assert heading("年假：提前") == "员工手册 Staff handbook > 休假 Leave"
    assert heading("| 病假") == "员工手册 Staff handbook > 休假 Leave > 天数 Days"
    assert heading("# not a heading") == "员工手册 Staff handbook > 设备 Equipment"
    assert heading("R123-78 泵") == "员工手册 Staff handbook > 设备 Equipment"
    assert heading("## 附录") == "员工手册 Staff handbook > 附录 Appendix"
    assert outline.heading_at(len(TEXT)) == "员工手册 Staff handbook > 附录 Appendix"
    assert [TEXT[start:].split("\n")[0] for start in outline.headings][-1] == "## 附录 Appendix"


def test_table_headers() -> None:
    outline = Outline(TEXT)
    header = "| 类别 | 天数 | Note |"
    assert outline.table_header_at(TEXT.index("| 年假 | 15")) == header
    assert outline.table_header_at(TEXT.index("unpaid")) == header
    assert outline.table_header_at(TEXT.index(header)) == ""
    assert outline.table_header_at(TEXT.index("|------")) == "| 类别 | 天数 | Note |"
    assert outline.table_header_at(TEXT.index("## 设备")) == ""
    assert outline.table_header_at(TEXT.index("| not | a table |")) == ""


def test_odd_markdown() -> None:
    text = (
        "preface\n### Deep ###\na\n# Top\r\nb\n#hash tag\n~~~\n# code\n```\n# code\n~~~\n"
        "## Sub\n| a |\r\n|---|\r\n| 1 |\r\n\n| b |\n| c |"
    )
    outline = Outline(text)
    assert outline.heading_at(0) == ""
    assert outline.heading_at(text.index("a\n")) == "Deep"
    assert outline.heading_at(text.index("# code")) == "Top"
    assert outline.heading_at(text.index("| 1")) == "Top > Sub"
    assert outline.table_header_at(text.index("| 1")) == "| a |"
    assert outline.table_header_at(text.index("| c")) == ""
    assert Outline("").heading_at(0) == Outline("").table_header_at(0) == ""

"""Example questions: from headings, in both languages, natural and always the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.page.examples import _cleaned, _is_fit, _question, examples
from pipelines.words import Language
from tests.support.files import pdf
from tests.support.house import EN, ZH, House


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def asked(house: House, language: Language = "en") -> list[str]:
    house.ingest()
    catalog = house.catalog()
    found = examples(catalog, language)
    assert examples(catalog, language) == found
    catalog.close()
    return found


def test_both_languages_the_pages_own_first(house: House) -> None:
    house.write("leave.md", f"# Annual leave\n\n{EN}")
    house.write("badges.md", f"# Introduction\n\nHello.\n\n## 2.1 How do I get a badge?\n\n{EN}")
    house.write("travel.md", f"# Trips abroad\n\n{EN}")
    house.write("地铁.md", f"# 北京地铁\n\n{ZH}")
    house.write("年假.md", f"# 第三章 如何申请年假\n\n{ZH}")
    chinese, english = asked(house, "zh"), asked(house, "en")
    assert len(chinese) == len(english) == 4
    zh = {"关于“北京地铁”，文档怎么说？", "如何申请年假？"}
    assert set(chinese[::2]) == set(english[1::2]) == zh
    en = {
        "What do the documents say about “Annual leave”?",
        "How do I get a badge?",
        "What do the documents say about “Trips abroad”?",
    }
    assert set(chinese[1::2]) == set(english[::2]) < en


def test_one_question_a_document_and_none_twice(house: House) -> None:
    house.write(
        "faq.md", "".join(f"# Why is rule {name} there?\n\n{EN}\n\n" for name in ("one", "two", "three"))
    )
    house.write("a.md", f"# Valves\n\n{EN}\n\n## Contact persons\n\nSomebody.")
    house.write("b.md", f"# Gaskets\n\n{ZH}\n\n## Contact persons\n\nSomebody else.")
    assert set(asked(house)) == {
        "Why is rule one there?",
        "What do the documents say about “Valves”?",
        "What do the documents say about “Gaskets”?",
    }


def test_documents_without_headings_give_none(house: House) -> None:
    house.write("a.txt", EN)
    house.write("b.txt", ZH)
    assert asked(house) == []
    house.write("c.md", f"# 休假制度\n\n{ZH}")
    assert asked(house) == ["关于“休假制度”，文档怎么说？"]


def test_headings_of_a_pdf(house: House) -> None:
    (house.docs / "book.pdf").write_bytes(
        pdf([["# Travel abroad", *["Trips are approved by the head."] * 4]])
    )
    assert asked(house) == ["What do the documents say about “Travel abroad”?"]


def test_many_documents_cost_one_bounded_query(house: House) -> None:
    house.fill(30)
    assert asked(house) == [], "`Chapter 7` says nothing"
    for number in range(320):
        house.write(
            f"n{number}.md",
            f"# The rule called {chr(97 + number % 26)}{chr(97 + number // 26)}x\n\n{EN} {number}",
        )
    assert len(asked(house)) == 4


@pytest.mark.parametrize(
    ("heading", "question"),
    [
        ("Handbook > 3.2 Booking leave", "What do the documents say about “Booking leave”?"),
        ("1. Overview of **valves**", "What do the documents say about “Overview of valves”?"),
        ("What is a valve", "What is a valve?"),
        ("What to do in a fire", "What do the documents say about “What to do in a fire”?"),
        ("Can I keep my badge?", "Can I keep my badge?"),
        (
            "[Setting up](http://x.y/z) the printer:",
            "What do the documents say about “Setting up the printer”?",
        ),
        ("第十二条 报销标准", "关于“报销标准”，文档怎么说？"),
        ("一、总体要求", "关于“总体要求”，文档怎么说？"),
        ("（三）出差审批", "关于“出差审批”，文档怎么说？"),
        ("关于加班的规定", "关于“加班的规定”，文档怎么说？"),
        ("About the printers", "What do the documents say about “the printers”?"),
        ("什么是年假", "什么是年假？"),
        ("年假是什么？", "年假是什么？"),
        ("一卡通的办理", "关于“一卡通的办理”，文档怎么说？"),
        ("3D 打印机的使用", "关于“3D 打印机的使用”，文档怎么说？"),
        ("Kubernetes 部署", "关于“Kubernetes 部署”，文档怎么说？"),
        ("5 ways to save water", "What do the documents say about “5 ways to save water”?"),
    ],
)
def test_wording(heading: str, question: str) -> None:
    cleaned = _cleaned(heading)
    assert _is_fit(cleaned)
    assert _question(cleaned) == question


@pytest.mark.parametrize(
    "heading",
    [
        "",
        "2024",
        "3.1",
        "R123-78",
        "Chapter 4",
        "第三章",
        "目录",
        "Introduction",
        "4. References",
        "FAQ?",
        "A",
        "年",
        "word " * 13,
        "很长的标题" * 10,
        "<script>alert(1)</script>",
        "see https://example.org/page",
        "a | b | c",
        "on ... and on",
    ],
)
def test_unfit_headings(heading: str) -> None:
    assert not _is_fit(_cleaned(heading))

"""Questions by rules: natural ones, none that only its place explains, each with the words that answer it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.catalog import Catalog
from pipelines.config import load_config
from pipelines.evaluation.making.chunks import read, rows
from pipelines.evaluation.making.headings import asked
from pipelines.evaluation.making.without_llm import drafts
from pipelines.ingestion.run import ingest
from pipelines.text.language import language_of
from tests.evaluation.making.samples import CASTLE, HANDBOOK, MANUAL, POET, source

GUIDES = Path(__file__).parents[3] / "docs"


def made(text: str, path: str = "handbook.md", **options: object) -> dict[str, str]:
    found = drafts(source(text, path, **options), 0)  # type: ignore[arg-type]
    for draft in found:
        assert text[draft.start : draft.start + len(draft.quote)] == draft.quote
        assert draft.quote.strip()
        assert draft.language == language_of(draft.text)
    return {draft.text: (draft.answers or ("",))[0] for draft in found}


def test_an_english_handbook() -> None:
    assert made(HANDBOOK) == {
        "How many days of annual leave do staff get a year?": "15",
        "How far ahead must leave be booked with the line manager?": "two weeks ahead",
        "When does the cafeteria open?": "at eight",
        "Who issues badges?": "the front desk",
        "Within what time must employees submit expense reports?": "within 30 days of travel",
        "How much does a parking permit cost?": "20 euros a month",
        "How long is a visitor badge valid?": "one day",
        "How long does the warranty last?": "24 months",
        "How do I book a meeting room?": "Open the calendar and choose a free room. The room is held for ten minutes.",
        "What is the daily allowance of Berlin?": "40 EUR",
        "What is the daily allowance of Shanghai?": "45 EUR",
    }


def test_a_chinese_handbook() -> None:
    assert made(MANUAL, "手册.md") == {
        "员工每年享有多少天年假？": "15天",
        "年假要提前多久申请？": "两周",
        "报销单由谁审批？": "部门经理",
        "员工应在出差结束后多长时间内提交报销单？": "30天",
        "食堂每天几点开门？": "早上八点",
        "停车证有效期是多久？": "一年",
        "试用期是多久？": "三个月",
        "如何预订会议室？": "打开日历，选一个空闲的会议室。会议室保留十分钟。",
        "北京的住宿标准是多少？": "500元",
        "上海的住宿标准是多少？": "550元",
    }


def test_names_and_what_is_told_of_them() -> None:
    castle = made(CASTLE, "Neuhaus Castle.txt", markdown=False)
    assert castle == {
        "What is Neuhaus Castle?": "a moated castle near the river Alm",
        "When was Neuhaus Castle restored?": "1907",
        "Where is Neuhaus Castle located?": "in the valley of the Alm",
    }
    poet = made(POET, "沈砚.txt", markdown=False)
    assert poet == {
        "沈砚是谁？": "清代诗人",
        "沈砚出生在哪里？": "浙江绍兴",
        "《南山集》是由谁编写的？": "沈砚",
    }


@pytest.mark.parametrize(
    "text",
    [
        "It was founded in 1998 by a merchant.",
        "The company was founded in 1998.",
        "They have five offices in the north.",
        "This is a good reason to leave.",
        "Smith was a supporter of the idea.",
        "One of the more notable applications was the mill.",
        "他们在1998年成立。",
        "这是一个好理由。",
        "原因是一场大火。",
        "记者7日在现场采访了三名居民。",
        "原标题：全市有多少家医院，共有35家。",
    ],
)
def test_what_only_its_place_explains_is_no_question(text: str) -> None:
    assert made(f"{text}\n\n{text}", "a.txt", markdown=False) == {}


@pytest.mark.parametrize(
    ("heading", "question"),
    [
        ("How to reset the router", "How do I reset the router?"),
        ("When to call the front desk", "When should I call the front desk?"),
        ("3.2 Installing the Printer Driver", "How do I install the printer driver?"),
        ("Adding and removing files in the browser", "How do I add and remove files in the browser?"),
        ("What happens when a document fails", "What happens when a document fails?"),
        ("Can I bring my dog to the office?", "Can I bring my dog to the office?"),
        ("二、如何重置路由器", "如何重置路由器？"),
        ("安装打印机驱动", "如何安装打印机驱动？"),
        ("出差可以带家属吗", "出差可以带家属吗？"),
        ("Overview", ""),
        ("What is it?", ""),
        ("This guide", ""),
        ("本文档是什么？", ""),
        ("概述", ""),
        ("融合，以及它为什么不会帮倒忙", ""),
    ],
)
def test_headings(heading: str, question: str) -> None:
    assert asked(heading) == question


def test_a_pair_of_question_and_answer_is_taken_as_it_is() -> None:
    text = "# 邮件怎么退订？\n\n点击页脚的“退订”链接。\n"
    assert made(text, "faq.csv#邮件", kind="faq") == {"邮件怎么退订？": "点击页脚的“退订”链接。"}


def test_a_seed_decides_the_order_and_nothing_else() -> None:
    document = source(HANDBOOK)
    assert drafts(document, 1) == drafts(document, 1)
    assert drafts(document, 1) != drafts(document, 2)
    assert set(drafts(document, 1)) == set(drafts(document, 2))


def test_the_guides_of_both_languages(tmp_path: Path) -> None:
    config = tmp_path / "guides.yaml"
    config.write_text(
        f"storage: storage\nloaders:\n  guides: {{type: folder, path: {GUIDES}, include: ['en/*.md', 'zh/*.md']}}\n"
        "node_parser: {type: sentence}\nembed_model: {type: fake}\n",
        encoding="utf-8",
    )
    assert ingest(load_config(config)).outcome == "done"
    catalog = Catalog(load_config(config).storage)
    found = []
    for row in rows(catalog, 0):
        document = read(catalog, row)
        assert document is not None
        made_here = drafts(document, 0)
        for draft in made_here:
            assert document.text.startswith(draft.quote, draft.start)
            assert draft.text.endswith(("?", "？"))
        found += made_here
    catalog.close()
    told = {draft.text: draft for draft in found}
    assert {"en", "zh"} == {draft.language for draft in found}
    assert {"definition", "heading", "table"} <= {draft.made for draft in found}
    assert told["What does `hyde` do?"].answers == (
        "makes up a passage that would answer and searches near it",
    )
    assert told["`make ui` 有什么作用？"].answers == ("用示例文档打开网页",)
    assert told["文档失败时怎么办？"].document == "zh/ingestion.md"
    assert len(found) > 80

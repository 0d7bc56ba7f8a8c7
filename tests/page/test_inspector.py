"""The tables of the inspector, in both languages."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from typing import get_args

import pytest

from pipelines.components import postprocessors
from pipelines.page import inspector
from pipelines.querying import engine, names, trace
from pipelines.querying.trace import Candidate, Stage, Trace
from tests.support.house import House


def every_fate() -> set[str]:
    """All that can become of a candidate: of the postprocessors, and where a trace is marked."""
    union = get_args(postprocessors.Postprocessor)[0]
    found = {spec.fate for spec in get_args(union)} | {trace.IN_CONTEXT, trace.CITED, trace.BELOW_TOP_K}
    for call in ast.walk(ast.parse(inspect.getsource(engine))):
        if isinstance(call, ast.Call) and getattr(call.func, "attr", "") in ("mark", "dropped"):
            found |= {each.value for each in call.args if isinstance(each, ast.Constant)}
    return found


def candidate(rank: int, fate: str = "cited", page: int | None = None) -> Candidate:
    return Candidate(
        rank=rank,
        node=f"n{rank}",
        document="a.md",
        loader="files",
        page=page,
        heading="",
        score=0.5,
        text="one\n two " * 40,
        start=0,
        end=9,
        by={"meaning": {"rank": 1.0, "score": 0.87654}} if rank == 1 else {"words": {"rank": 2, "score": 3}},
        terms=["one", "two"],
        fate=fate,
    )


@pytest.mark.parametrize("fate", sorted(every_fate()))
def test_every_fate_is_told_in_chinese(fate: str) -> None:
    assert names.fate(fate, "en") == fate
    told = names.fate(fate, "zh")
    assert told != fate
    assert any("\u4e00" <= character <= "\u9fff" for character in told)


def test_a_fate_of_the_engine_is_collected() -> None:
    assert {"over context window", "over budget", "no evidence"} <= every_fate()


def test_candidates() -> None:
    found = Trace("answer", "both", "en", candidates=[candidate(1, page=3), candidate(2, "over budget")])
    table = inspector.candidates(found, "en")
    assert table.head == [
        "rank",
        "document",
        "meaning",
        "words",
        "matched words",
        "what became of it",
        "text",
    ]
    assert table.rows[0][:6] == ["1", "a.md, p. 3", "1 (0.877)", "–", "one two", "cited"]
    assert table.rows[1][:6] == ["2", "a.md", "–", "2 (3.000)", "one two", "over budget"]
    assert table.rows[0][6].startswith("one two one two")
    assert len(table.rows[0][6]) == 91
    chinese = inspector.candidates(found, "zh")
    assert chinese.head == ["名次", "文档", "meaning", "words", "匹配的词", "结果", "内容"]
    assert [row[5] for row in chinese.rows] == ["已引用", "超出预算"]
    assert chinese.rows[0][1] == "a.md，第 3 页"


def test_stages() -> None:
    told = Trace("answer", "both", "en", stages=[Stage("write", 1234.56, 1500, 20), Stage("evidence", 0.04)])
    assert inspector.stages(told, "en").rows == [
        ["write", "1,234.6", "1,500", "20"],
        ["evidence", "0.0", "", ""],
        ["all", "1,234.6", "", ""],
    ]
    assert [row[0] for row in inspector.stages(told, "zh").rows] == ["写回答", "evidence", "合计"]


def test_prompt() -> None:
    sent = Trace("answer", "both", "en")
    sent.prompt = [{"role": "system", "content": "Rules."}, {"role": "tool", "content": "<b>x</b>"}]
    assert inspector.prompt(sent, "en") == "── system ──\nRules.\n\n── tool ──\n<b>x</b>"
    assert inspector.prompt(sent, "zh").startswith("── 系统 ──")


def test_nothing_was_asked_yet() -> None:
    assert inspector.candidates(None, "zh").rows == []
    assert inspector.stages(None, "en").rows == []
    assert inspector.prompt(None, "en") == ""


def test_a_real_question(tmp_path: Path) -> None:
    from pipelines.querying.knowledge_base import KnowledgeBase

    house = House(tmp_path)
    house.fill(5)
    house.ingest()
    with KnowledgeBase(house.config) as base:
        answer = base.ask("When does the cafeteria open?")
    for language in ("en", "zh"):
        table = inspector.candidates(answer.trace, language)
        assert table.rows
        assert {len(row) for row in table.rows} == {len(table.head)}
        assert inspector.stages(answer.trace, language).rows[-1][0] in ("all", "合计")

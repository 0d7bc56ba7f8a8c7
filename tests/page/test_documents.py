"""What the Documents tab says: plan, guard, history, findings, documents; in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.catalog import Catalog
from pipelines.errors import StorageError
from pipelines.page.documents import (
    LISTED,
    PlanView,
    documents_view,
    findings,
    job_documents,
    job_history,
    plan_view,
)
from pipelines.words import Language
from tests.support import files
from tests.support.house import House


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


@pytest.fixture
def filled(house: House) -> Iterator[tuple[House, Catalog]]:
    """A house with one document of each kind, ingested."""
    house.write("a.md", "# Leave\n\nFive days a year.")
    (house.docs / "b.pdf").write_bytes(b"no PDF")
    (house.docs / "c.pdf").write_bytes(files.pdf([["Cafeteria opens at eight."], [], ["Badges."]]))
    (house.docs / "d.txt").write_text("年假为五天。", encoding="gb18030")
    house.ingest()
    catalog = house.catalog()
    yield house, catalog
    catalog.close()


def plan(house: House, language: Language = "en", **options: str) -> PlanView:
    there = (house.config.storage / "catalog.sqlite").exists()
    catalog = house.catalog() if there else None
    try:
        return plan_view(house.config, catalog, language, **options)  # type: ignore[arg-type]
    finally:
        if catalog:
            catalog.close()


def test_a_plan_of_a_new_house(house: House) -> None:
    house.fill(2)
    view = plan(house)
    assert view.counts == "new 2"
    assert view.actions == [("new 2", "new")]
    assert view.listing.table.head == ["action", "document", "loader", "reason"]
    assert view.listing.table.rows[0] == ["new", "doc000.md", "files", "not in the index"]
    assert view.estimate.startswith("about ")
    assert (view.switches, view.vanishing, view.work) == ("", None, 2)
    chinese = plan(house, "zh")
    assert chinese.actions == [("新增 2", "new")]
    assert chinese.listing.table.rows[0] == ["新增", "doc000.md", "files", "尚未入库"]
    assert "token" in chinese.estimate


def test_a_plan_with_a_price_says_the_cost(house: House) -> None:
    house.write("a.md", "word " * 10_000)
    house.edit(embed_model={"type": "openai", "api_key": "none", "price": 0.5})
    assert plan(house).estimate.endswith("at 0.5 per million")
    assert "每百万 0.5" in plan(house, "zh").estimate


def test_a_plan_is_filtered_by_raw_action_and_by_text(house: House) -> None:
    house.fill(3)
    house.ingest()
    house.write("doc001.md", "Other.")
    house.write("手册.md", "新的。")
    assert plan(house).counts == "new 1 · changed 1 · unchanged 2"
    assert [row[1] for row in plan(house).listing.table.rows] == ["手册.md", "doc001.md"]
    assert [row[1] for row in plan(house, action="unchanged").listing.table.rows] == [
        "doc000.md",
        "doc002.md",
    ]
    assert [row[1] for row in plan(house, "zh", action="changed").listing.table.rows] == ["doc001.md"]
    assert [row[1] for row in plan(house, text=" 手册 ").listing.table.rows] == ["手册.md"]
    assert plan(house, text="nowhere").listing.table.rows == []


def test_another_model_is_told_as_a_second_index(house: House) -> None:
    house.fill(1)
    house.ingest()
    house.edit(embed_model={"type": "fake", "seed": 1})
    assert plan(house).switches.startswith("A second index is built")
    assert plan(house, "zh").switches.startswith("将在现有索引旁")
    assert plan(house, "zh").listing.table.rows[0][3].startswith("在旧索引旁重新建立索引")
    house.ingest()
    house.edit(embed_model={"type": "fake"})
    assert "go back to it" in plan(house).switches


def test_vanishing_documents_are_a_question(house: House) -> None:
    house.fill(10)
    house.ingest()
    for number in range(6):
        (house.docs / f"doc{number:03}.md").unlink()
    asked = plan(house).vanishing
    assert asked is not None
    assert asked.question == "6 of 10 indexed documents are gone. Remove them from the index?"
    assert asked.names == [f"doc{number:03}.md" for number in range(6)]
    assert (asked.more, asked.can_go_on) == ("", True)
    chinese = plan(house, "zh").vanishing
    assert chinese is not None
    assert chinese.question == "已入库的 10 个文档中有 6 个已消失。要从索引中移除吗？"
    for path in house.docs.iterdir():
        path.unlink()
    emptied = plan(house).vanishing
    assert emptied is not None
    assert emptied.question.endswith("Empty the index (10 documents)?")
    assert emptied.can_go_on


def test_a_folder_without_documents_is_no_question(house: House) -> None:
    view = plan(house)
    assert view.counts == "no documents"
    assert view.vanishing is not None
    assert not view.vanishing.can_go_on
    assert view.vanishing.question.startswith("No document was found by files: add files")


def test_five_thousand_documents_are_bounded(house: House) -> None:
    for number in range(5000):
        (house.docs / f"{number}.md").write_text(f"{number}")
    view = plan(house)
    assert len(view.listing.table.rows) == LISTED
    assert view.listing.more == "and 4500 more: narrow the filter to see them"
    assert plan(house, "zh").listing.more == "另有 4500 行：请缩小筛选范围"
    narrow = plan(house, text="4999")
    assert (len(narrow.listing.table.rows), narrow.listing.more) == (1, "")


def test_a_thousand_vanished_names_are_bounded(house: House) -> None:
    house.write("left.md", "Left.")
    for number in range(120):
        house.write(f"{number:03}.md", f"Number {number}.")
    house.ingest()
    for number in range(120):
        (house.docs / f"{number:03}.md").unlink()
    asked = plan(house).vanishing
    assert asked is not None
    assert len(asked.names) == 50
    assert asked.more.startswith("and 70 more")


def test_the_history_lists_runs_and_their_documents(filled: tuple[House, Catalog]) -> None:
    house, catalog = filled
    house.ingest()
    table = job_history(catalog, "en")
    assert table.head[:5] == ["job", "started", "outcome", "done", "failed"]
    assert [row[0] for row in table.rows] == ["2", "1"]
    assert table.rows[1][2:5] == ["ended with failures", "3", "1"]
    assert job_history(catalog, "zh").rows[1][2] == "结束，有失败"
    listing = job_documents(catalog, 1, "en")
    assert [row[0] for row in listing.table.rows] == ["b.pdf", "a.md", "c.pdf", "d.txt"]  # failures first
    assert listing.table.rows[0][1:3] == ["new", "reading"]
    assert "PDF" in listing.table.rows[0][5]
    assert listing.table.rows[1][1:3] == ["new", "done"]
    assert job_documents(catalog, 1, "zh").table.rows[1][1:3] == ["新增", "完成"]
    assert [row[0] for row in job_documents(catalog, 1, "en", text="C.PDF").table.rows] == ["c.pdf"]
    assert job_documents(catalog, 99, "en").table.rows == []


def test_a_job_whose_process_was_killed_does_not_run(filled: tuple[House, Catalog]) -> None:
    _, catalog = filled
    job = catalog.jobs.start()
    assert job_history(catalog, "en").rows[0][2] == "running"
    with catalog.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE jobs SET pid = {2**22 + 1} WHERE id = {job}")
    assert job_history(catalog, "en").rows[0][2] == "interrupted"


def test_findings_are_failures_and_what_readers_noted(filled: tuple[House, Catalog]) -> None:
    house, catalog = filled
    rows = findings(house.config, catalog, "en").table.rows
    assert [row[0] for row in rows] == ["b.pdf", "c.pdf"]
    assert rows[0][2] == "quarantined"
    assert "PDF" in rows[0][3]
    assert rows[1] == ["c.pdf", "files", "in the index", "no text on page 2"]
    chinese = findings(house.config, catalog, "zh").table.rows
    assert chinese[0][2] == "已隔离"
    assert chinese[1][3] == "没有文字：page 2"
    assert [row[0] for row in findings(house.config, catalog, "en", text="page 2").table.rows] == ["c.pdf"]
    catalog.change(catalog.documents(1)[0].id, chunks=0)
    assert findings(house.config, catalog, "en").table.rows[1] == [
        "a.md",
        "files",
        "in the index",
        "nothing of it is in the index",
    ]


def test_findings_are_those_of_the_index_of_this_config(filled: tuple[House, Catalog]) -> None:
    house, catalog = filled
    house.edit(embed_model={"type": "fake", "seed": 1})
    assert len(findings(house.config, catalog, "en").table.rows) == 2  # as it answers, until there is another
    (house.docs / "b.pdf").write_bytes(files.pdf([["Now it is one."]]))
    house.ingest()
    assert [row[0] for row in findings(house.config, catalog, "en").table.rows] == ["c.pdf"]


def test_documents_are_listed_with_their_state(filled: tuple[House, Catalog]) -> None:
    _, catalog = filled
    listing = documents_view(catalog, "en")
    assert listing.table.head == ["document", "loader", "state", "chunks", "tokens", "encoding", "error"]
    assert [row[0] for row in listing.table.rows] == ["a.md", "b.pdf", "c.pdf", "d.txt"]
    assert listing.table.rows[3][2:6] == ["in the index", "1", listing.table.rows[3][4], "gb18030"]
    assert [row[2] for row in documents_view(catalog, "zh", state="quarantined").table.rows] == ["已隔离"]
    assert [row[0] for row in documents_view(catalog, "zh", text="d.T").table.rows] == ["d.txt"]


def test_without_a_catalog_there_is_nothing_to_show(house: House) -> None:
    assert job_history(None, "en").rows == []
    assert job_documents(None, 1, "en").table.rows == []
    assert documents_view(None, "zh").table.rows == []
    assert findings(house.config, None, "zh").table.rows == []


def test_a_catalog_that_was_deleted_is_one_sentence(filled: tuple[House, Catalog]) -> None:
    house, catalog = filled
    catalog.engine.dispose()
    (house.config.storage / "catalog.sqlite").write_bytes(b"")
    with pytest.raises(StorageError):
        job_history(catalog, "en")
    with pytest.raises(StorageError):
        documents_view(catalog, "en")

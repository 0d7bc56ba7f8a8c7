"""Upload, plan, ingest, ask; what vanished, what failed, what is cut how; and files that are removed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import corpus
from tests.browser.conftest import Visits
from tests.browser.screen import ask, choose, rows, tab, toast
from tests.support.cli import child
from tests.support.house import House
from tests.support.openai_server import OpenAIServer
from tests.support.page_server import PageServer, base, page_server

QUESTION = "When does the cafeteria open?"
ENGINES: dict[str, Any] = {
    "retrievers": corpus.WORDS,
    "query_engines": {"answer": {"retriever": "words", "response": {"type": "extractive"}}},
}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[OpenAIServer]:
    server = OpenAIServer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def houses(tmp_path_factory: pytest.TempPathFactory, endpoint: OpenAIServer) -> dict[str, House]:
    root = tmp_path_factory.mktemp("documents")

    def made(name: str, files: dict[str, str | bytes], **settings: Any) -> House:
        folder = {"type": "folder", "path": str(root / name / "docs"), "upload": True}
        ready = settings.pop("ingest", True)
        house = base(root, name, files, ingest=False, **{**ENGINES, "loaders": {"files": folder}, **settings})
        if ready:
            house.ingest()
        return house

    many: dict[str, str | bytes] = {
        f"note{number}.md": f"# Note {number}\n\nAbout {number}.\n" for number in range(8)
    }
    model = {"type": "openai_like", "model": "hash", "base_url": endpoint.url}
    return {
        "filled": made("filled", {"travel.md": corpus.TRAVEL}),
        "empty": made("empty", {}, ingest=False),
        "poisoned": made(
            "poisoned", {**many, "bad.md": "# Bad\n\nA poison."}, ingest=False, embed_model=model
        ),
        "remove": made("remove", {"travel.md": corpus.TRAVEL, "cafeteria.md": corpus.CAFETERIA}),
        "terminal": made("terminal", {"travel.md": corpus.TRAVEL}),
        "first": made("first", {"travel.md": corpus.TRAVEL}, ingest=False),
        "vanish": made("vanish", many),
    }


@pytest.fixture(scope="module")
def server(houses: dict[str, House]) -> Iterator[PageServer]:
    root = houses["filled"].root.parent
    with page_server(root / "configs", root / "log") as running:
        yield running


def documents(visit: Visits, server: PageServer, name: str, locale: str = "en-US") -> Page:
    """The Documents tab of a knowledge base, with its plan."""
    page = visit(server, locale)
    choose(page, "base", name)
    tab(page, "Documents" if locale == "en-US" else "文档")
    expect(page.locator("#plan-summary")).not_to_be_empty()
    return page


def ingest(page: Page) -> None:
    """Ingest, and wait for the end."""
    page.locator("#ingest").click()
    expect(page.locator("#cancel")).to_be_visible()
    ended(page)


def ended(page: Page) -> None:
    """Wait for the end of an ingestion, which takes seconds to start."""
    expect(page.locator("#cancel")).to_be_hidden(timeout=60_000)
    expect(page.locator("#ingest")).to_be_enabled()


def upload(page: Page, *files: Path) -> None:
    page.locator("#upload input[type=file]").set_input_files(list(files))


def test_upload_plan_ingest_ask(
    visit: Visits, server: PageServer, houses: dict[str, House], tmp_path: Path
) -> None:
    page = documents(visit, server, "empty")
    expect(page.locator("#problem")).to_contain_text("Nothing is ingested yet")
    tab(page, "Add and remove")
    files = {"cafeteria.md": corpus.CAFETERIA, "travel.md": corpus.TRAVEL}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    upload(page, *(tmp_path / name for name in files))
    toast(page, "Added: cafeteria.md, travel.md")
    assert (houses["empty"].docs / "cafeteria.md").read_text() == corpus.CAFETERIA
    tab(page, "Plan")
    expect(rows(page, "plan")).to_have_count(2)
    expect(rows(page, "plan").first).to_contain_text("cafeteria.md")
    expect(rows(page, "plan").first).to_contain_text("not in the index")
    ingest(page)
    expect(page.locator("#progress")).to_contain_text("2 documents done")
    expect(rows(page, "plan")).to_have_count(0)
    tab(page, "In the index")
    expect(rows(page, "index").first).to_contain_text("cafeteria.md")
    expect(page.locator("#problem")).to_be_hidden()
    tab(page, "Ask")
    expect(page.locator("#chat .example").first).to_be_visible()
    expect(ask(page, QUESTION)).to_contain_text("opens at eight")


def test_the_history_holds_a_row_for_each_document(visit: Visits, server: PageServer) -> None:
    page = documents(visit, server, "filled")
    tab(page, "History")
    rows(page, "jobs").first.click()
    expect(rows(page, "job")).to_have_count(1)
    expect(rows(page, "job")).to_contain_text("travel.md")


def test_chunks_are_drawn_for_another_size(visit: Visits, server: PageServer) -> None:
    page = documents(visit, server, "filled")
    tab(page, "Chunks")
    choose(page, "preview-document", "travel.md")
    edges = page.locator("#preview .edge")
    expect(edges.first).to_have_text("1")
    before = edges.count()
    size = page.locator("#preview-chunk_size input")
    size.fill("20")
    size.press("Enter")
    expect(page.locator("#preview .place")).not_to_be_empty()
    expect(edges.nth(before)).to_be_visible()
    expect(page.locator("#preview .text")).to_contain_text("Without a receipt nothing is paid back.")
    size.fill("3")
    size.press("Enter")
    toast(page, "chunk_size must be a whole number")


def test_a_failed_document_is_retried(
    visit: Visits, server: PageServer, houses: dict[str, House], endpoint: OpenAIServer
) -> None:
    endpoint.reset(poison="poison")
    page = documents(visit, server, "poisoned")
    ingest(page)
    expect(page.locator("#progress")).to_contain_text("1 failed")
    tab(page, "Findings")
    expect(rows(page, "findings")).to_contain_text("bad.md")
    endpoint.reset()
    page.locator("#retry").click()
    expect(page.locator("#cancel")).to_be_visible()
    ended(page)
    expect(page.locator("#progress")).to_contain_text("1 documents done")
    expect(rows(page, "findings")).to_have_count(0)
    assert "bad.md" in houses["poisoned"].live()


def test_what_vanished_is_asked_about(visit: Visits, server: PageServer, houses: dict[str, House]) -> None:
    house = houses["vanish"]
    for number in range(5):
        (house.docs / f"note{number}.md").unlink()
    page = documents(visit, server, "vanish")
    expect(page.locator("#plan-summary")).to_contain_text("5 of 8 indexed documents are gone")
    page.locator("#ingest").click()
    expect(page.locator("#vanishing")).to_contain_text("note0.md")
    page.locator("#vanish-no").click()
    expect(page.locator("#vanish-no")).to_be_hidden()
    assert len(house.live()) == 8
    page.locator("#ingest").click()
    page.locator("#vanish-yes").click()
    expect(page.locator("#cancel")).to_be_visible()
    ended(page)
    expect(page.locator("#vanish-no")).to_be_hidden()
    tab(page, "In the index")
    expect(rows(page, "index")).to_have_count(3)
    assert len(house.live()) == 3


def test_a_file_is_removed_only_when_confirmed(
    visit: Visits, server: PageServer, houses: dict[str, House]
) -> None:
    page = documents(visit, server, "remove", "zh-CN")
    tab(page, "添加与删除")
    file = houses["remove"].docs / "travel.md"
    choose(page, "removable", "travel.md")
    page.locator("#remove").click()
    expect(page.locator("#sure-text")).to_contain_text("travel.md")
    page.locator("#remove-no").click()
    expect(page.locator("#remove-no")).to_be_hidden()
    assert file.exists()
    page.locator("#remove").click()
    page.locator("#remove-yes").click()
    toast(page, "已删除：travel.md")
    assert not file.exists()
    tab(page, "计划")
    expect(rows(page, "plan")).to_contain_text("travel.md")
    expect(page.locator("#removable input")).to_have_value("")


def test_a_terminals_ingestion_is_seen_by_the_next_question(
    visit: Visits, server: PageServer, houses: dict[str, House]
) -> None:
    house = houses["terminal"]
    page = visit(server)
    choose(page, "base", "terminal")
    expect(ask(page, "What are receipts?")).to_contain_text("Receipts are handed in")
    house.write("cafeteria.md", corpus.CAFETERIA)
    assert child("ingest", house.file, "--yes").code == 0
    expect(ask(page, QUESTION)).to_contain_text("opens at eight")


def test_a_first_ingestion_in_a_terminal_fills_the_page(
    visit: Visits, server: PageServer, houses: dict[str, House]
) -> None:
    page = visit(server)
    choose(page, "base", "first")
    expect(page.locator("#problem")).to_contain_text("Nothing is ingested yet")
    assert child("ingest", houses["first"].file, "--yes").code == 0
    expect(page.locator("#problem")).to_be_hidden()
    expect(page.locator("#chat").get_by_text("Travel expenses").first).to_be_visible()

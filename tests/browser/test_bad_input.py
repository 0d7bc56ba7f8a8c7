"""What people and disks do wrong: a plain sentence each time, and the server goes on."""

from __future__ import annotations

import http.client
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser import corpus
from tests.browser.conftest import Visits
from tests.browser.screen import answers, ask, choose, tab, toast
from tests.support.house import House
from tests.support.page_server import PageServer, base, page_server

QUESTION = "What does a lost badge cost?"
GIGABYTE = 2**30


@pytest.fixture(scope="module")
def houses(tmp_path_factory: pytest.TempPathFactory) -> dict[str, House]:
    root = tmp_path_factory.mktemp("bad")

    def made(name: str) -> House:
        folder = {"type": "folder", "path": str(root / name / "docs"), "upload": True}
        engines = {"answer": {"retriever": "words"}}
        return base(
            root,
            name,
            corpus.FILES,
            loaders={"files": folder},
            retrievers=corpus.WORDS,
            query_engines=engines,
        )

    return {name: made(name) for name in ("house", "lost")}


@pytest.fixture(scope="module")
def server(houses: dict[str, House]) -> Iterator[PageServer]:
    root = houses["house"].root.parent
    with page_server(root / "configs", root / "log") as running:
        yield running


def lives(page: Page, server: PageServer) -> None:
    """The server answers monitors and people."""
    assert server.health()["status"] == "ok"
    tab(page, "Ask")
    choose(page, "base", "house")
    expect(ask(page, QUESTION)).to_contain_text("ten euros")


def test_a_question_of_100_001_characters(visit: Visits, server: PageServer) -> None:
    page = visit(server)
    expect(ask(page, "x" * 100_001)).to_contain_text(
        "The question has 100,001 characters; ask in at most 100,000."
    )
    expect(ask(page, "y" * 100_000)).not_to_contain_text("at most")
    lives(page, server)


def test_an_upload_of_a_gigabyte(
    visit: Visits, server: PageServer, houses: dict[str, House], tmp_path: Path
) -> None:
    # Gradio asks how far an upload is that it has refused itself.
    visit.expected = ["status of 404", "Response"]
    large = tmp_path / "large.md"
    with large.open("wb") as file:
        file.truncate(GIGABYTE)
    page = visit(server)
    tab(page, "Documents", "Add and remove")
    page.locator("#upload input[type=file]").set_input_files(large)
    toast(page, "exceed the maximum allowed size")
    where = urlsplit(server.url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=10)
    connection.putrequest("POST", "/gradio_api/upload")
    connection.putheader("Content-Length", str(GIGABYTE))
    connection.putheader("Content-Type", "multipart/form-data; boundary=x")
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()
    assert not (houses["house"].docs / "large.md").exists()
    lives(page, server)


def test_files_of_a_wrong_type(visit: Visits, server: PageServer, houses: dict[str, House]) -> None:
    page = visit(server)
    tab(page, "Documents", "Add and remove")
    for name, content, said in (
        ("tool.exe", b"MZ\0", "tool.exe: files does not take it"),
        ("fake.pdf", b"no pdf", "fake.pdf: it is not a PDF file, whatever its name says"),
        ("void.md", b"", "void.md: the file is empty"),
        ("travel.md", b"# Another", "travel.md: there is a file of that name already"),
    ):
        page.locator("#upload input[type=file]").set_input_files(
            {"name": name, "mimeType": "text/plain", "buffer": content}
        )
        toast(page, said)
    assert sorted(each.name for each in houses["house"].docs.iterdir()) == sorted(corpus.FILES)
    lives(page, server)


def test_a_storage_that_is_deleted_meanwhile(
    visit: Visits, server: PageServer, houses: dict[str, House]
) -> None:
    page = visit(server)
    choose(page, "base", "lost")
    expect(ask(page, QUESTION)).to_contain_text("ten euros")
    shutil.rmtree(houses["lost"].root / "storage")
    answer = ask(page, QUESTION)
    expect(answer).to_contain_text("The answer could not be finished.")
    expect(answer).to_contain_text("nothing is ingested yet")
    answers(page).first.click()
    page.locator("#sources .open").first.click()
    toast(page, "Nothing is ingested any more.")
    tab(page, "Documents")
    expect(page.locator("#plan-summary")).to_contain_text("new 5")
    tab(page, "Explore")
    expect(page.locator("#map")).to_contain_text("nothing is ingested yet")
    tab(page, "Config")
    lives(page, server)

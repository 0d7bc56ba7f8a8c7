"""An ingestion that takes a while: seen, cancelled, begun twice, left alone, or a terminal's."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from pipelines.ingestion.progress import read_progress
from tests.browser import corpus
from tests.browser.conftest import Visits
from tests.browser.screen import choose, rows, tab, toast
from tests.support.cli import ROOT, command, environment
from tests.support.crash import wait_for
from tests.support.house import House
from tests.support.openai_server import OpenAIServer
from tests.support.page_server import PageServer, base, page_server

NAMES = ("cancel", "twice", "leave", "terminal")
COUNT = 40
SLOW = 1.0
"""Seconds that the model takes for a document."""
ENDS = 90_000
"""Milliseconds until an ingestion has ended, which starts Python first."""


@pytest.fixture(scope="module")
def endpoint() -> Iterator[OpenAIServer]:
    """A model that takes its time with each document, so that a slow browser meets an ingestion under way."""
    server = OpenAIServer()
    server.reset(delay=SLOW)
    yield server
    server.close()


@pytest.fixture(scope="module")
def houses(tmp_path_factory: pytest.TempPathFactory, endpoint: OpenAIServer) -> dict[str, House]:
    root = tmp_path_factory.mktemp("ingesting")
    model = {"type": "openai_like", "model": "hash", "base_url": endpoint.url}
    files: dict[str, str | bytes] = {
        f"note{number:02}.md": f"# Note {number}\n\nAbout {number}." for number in range(COUNT)
    }
    settings = {
        "embed_model": {**model, "batch_size": 1, "concurrency": 1},
        "retrievers": corpus.WORDS,
        "query_engines": {"answer": {"retriever": "words"}},
    }
    return {name: base(root, name, files, ingest=False, **settings) for name in NAMES}


@pytest.fixture(scope="module")
def server(houses: dict[str, House]) -> Iterator[PageServer]:
    root = houses["cancel"].root.parent
    with page_server(root / "configs", root / "log") as running:
        yield running


def documents(visit: Visits, server: PageServer, name: str) -> Page:
    page = visit(server)
    choose(page, "base", name)
    tab(page, "Documents")
    expect(rows(page, "plan")).to_have_count(COUNT)
    return page


def done_of(house: House) -> int:
    """How many documents have text in the index."""
    return sum(map(bool, house.live().values()))


def under_way(page: Page) -> None:
    """Wait until the first documents are done."""
    expect(page.locator("#progress .headline")).to_contain_text(f"of {COUNT} documents", timeout=ENDS)
    expect(page.locator("#progress")).to_contain_text(re.compile(r"note\d\d\.md"), timeout=ENDS)


def test_an_ingestion_is_cancelled_and_goes_on_later(
    visit: Visits, server: PageServer, houses: dict[str, House]
) -> None:
    page = documents(visit, server, "cancel")
    page.locator("#ingest").click()
    expect(page.locator("#progress")).to_contain_text("starting")
    expect(page.locator("#ingest")).to_be_disabled()
    under_way(page)
    expect(page.locator("#progress")).to_contain_text("embedding")
    page.locator("#cancel").click()
    expect(page.locator("#progress .headline")).to_contain_text("interrupted", timeout=ENDS)
    expect(page.locator("#ingest")).to_be_enabled()
    done = done_of(houses["cancel"])
    assert 0 < done < COUNT
    expect(rows(page, "plan")).to_have_count(COUNT - done)
    tab(page, "History")
    expect(rows(page, "jobs").first).to_contain_text("interrupted")


def test_of_two_tabs_the_second_is_told_in_a_sentence(visit: Visits, server: PageServer) -> None:
    one, other = documents(visit, server, "twice"), documents(visit, server, "twice")
    one.locator("#ingest").click()
    expect(one.locator("#cancel")).to_be_visible()
    # As if both had been clicked before either tab had heard of it.
    other.evaluate("() => { const b = document.querySelector('#ingest'); b.disabled = false; b.click(); }")
    toast(other, "an ingestion runs already, since")
    under_way(other)
    other.locator("#cancel").click()
    expect(one.locator("#progress .headline")).to_contain_text("interrupted", timeout=ENDS)


def test_closing_the_tab_does_not_stop_it(
    visit: Visits, server: PageServer, houses: dict[str, House], endpoint: OpenAIServer
) -> None:
    page = documents(visit, server, "leave")
    page.locator("#ingest").click()
    under_way(page)
    page.context.close()
    again = documents_again(visit, server, "leave")
    expect(again.locator("#progress")).to_contain_text(f"of {COUNT} documents")
    endpoint.reset(delay=SLOW / 20)
    expect(again.locator("#progress .headline")).to_contain_text(f"{COUNT} documents done", timeout=ENDS)
    assert done_of(houses["leave"]) == COUNT


def documents_again(visit: Visits, server: PageServer, name: str) -> Page:
    page = visit(server)
    choose(page, "base", name)
    tab(page, "Documents")
    return page


def test_a_terminals_ingestion_is_shown(
    visit: Visits, server: PageServer, houses: dict[str, House], endpoint: OpenAIServer
) -> None:
    house = houses["terminal"]
    endpoint.reset(delay=SLOW)
    page = documents(visit, server, "terminal")
    run = subprocess.Popen(
        command("ingest", house.file, "--yes"),
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: read_progress(house.config.storage), seconds=60)
        under_way(page)
        expect(page.locator("#ingest")).to_be_disabled()
        page.locator("#cancel").click()
        wait_for(lambda: run.poll() is not None, seconds=60)
    finally:
        run.kill()
        run.wait()
    expect(page.locator("#ingest")).to_be_enabled()
    expect(rows(page, "plan")).not_to_have_count(COUNT)

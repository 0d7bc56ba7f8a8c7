"""A broken config beside a working one, and configs that are edited, or may not be."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress

import pytest
from playwright.sync_api import Page, expect

from tests.browser import corpus
from tests.browser.conftest import Visits
from tests.browser.screen import ask, choose, rows, tab
from tests.support.house import House
from tests.support.page_server import PageServer, base, page_server

SECRET = "sk-live-0123456789abcdef"
BROKEN = f"""storage: ./storage
loaders:
  files: {{type: folder, path: docs}}
node_parser:
  type: sentence
  chunk_sise: 64
embed_model: {{type: fake}}
llm: {{type: openai_like, model: m, base_url: "http://127.0.0.1:9/v1", api_key: {SECRET}}}
query_engines:
  answer: {{retriever: nowhere}}
"""
COMMENT = "# kept as it is\n"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    root = tmp_path_factory.mktemp("configs")
    made = base(
        root, "house", corpus.FILES, retrievers=corpus.WORDS, query_engines={"answer": {"retriever": "words"}}
    )
    text = made.file.read_text()
    made.file.write_text(COMMENT + text)
    (root / "configs" / "broken.yaml").write_text(BROKEN)
    return made


@pytest.fixture(scope="module")
def server(house: House) -> Iterator[PageServer]:
    with page_server(house.file.parent, house.root / "log") as running:
        yield running


@pytest.fixture(scope="module")
def editing(house: House) -> Iterator[PageServer]:
    with page_server(house.file.parent, house.root / "log-edit", "--edit") as running:
        yield running


def config(visit: Visits, server: PageServer, name: str) -> Page:
    page = visit(server)
    choose(page, "base", name)
    tab(page, "Config")
    expect(page.locator("#yaml .cm-content")).to_contain_text("storage")
    return page


def write(page: Page, text: str) -> None:
    """Put a text into the editor in place of what is there."""
    page.locator("#yaml .cm-content").click()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.press("Delete")
    page.keyboard.insert_text(text)
    page.locator("#save").click()


def test_a_broken_config_shows_its_errors_and_others_work(visit: Visits, server: PageServer) -> None:
    page = visit(server)
    choose(page, "base", "broken")
    expect(page.locator("#problem")).to_contain_text("This config has errors")
    tab(page, "Config")
    problems = rows(page, "config-problems")
    expect(problems.filter(has_text="chunk_sise").locator("td").nth(1)).to_have_text("6")
    expect(problems.filter(has_text="nowhere").locator("td").nth(1)).to_have_text("10")
    expect(page.locator("#yaml .cm-content")).to_contain_text("chunk_sise")
    assert SECRET not in page.content()
    for name in ("Documents", "Explore", "Ask"):
        tab(page, name)
    choose(page, "base", "house")
    expect(page.locator("#problem")).to_be_hidden()
    expect(ask(page, "What does a lost badge cost?")).to_contain_text("ten euros")


def test_secrets_leave_the_server_on_no_way(visit: Visits, server: PageServer) -> None:
    page = visit(server)
    seen: list[str] = []
    page.on("response", lambda answer: seen.append(answer.text()) if "queue/data" in answer.url else None)
    choose(page, "base", "broken")
    tab(page, "Config")
    expect(page.locator("#yaml .cm-content")).to_contain_text("api_key: ***")
    with urllib.request.urlopen(f"{server.url}/config") as answer:
        assert SECRET not in answer.read().decode()
    assert SECRET not in "".join(seen) + page.content()


def test_values_are_explained(visit: Visits, server: PageServer) -> None:
    page = config(visit, server, "house")
    tab(page, "What is in effect")
    expect(rows(page, "explain").first).to_be_visible()
    search = page.locator("#explain-text textarea, #explain-text input")
    search.fill("chunk_size")
    search.press("Enter")
    expect(rows(page, "explain")).to_have_count(1)
    expect(rows(page, "explain")).to_contain_text("64")
    expect(rows(page, "explain")).to_contain_text("house.yaml:")
    tab(page, "What the index was built with")
    expect(page.locator("#would-do")).to_contain_text("The index was built as the config says.")


def test_what_is_valid_is_saved_and_nothing_else(visit: Visits, editing: PageServer, house: House) -> None:
    before = house.file.read_text()
    page = config(visit, editing, "house")
    write(page, before.replace("chunk_size", "chunk_sise"))
    expect(rows(page, "config-problems")).to_contain_text("chunk_sise")
    line = next(number for number, text in enumerate(before.splitlines(), 1) if "chunk_size" in text)
    expect(rows(page, "config-problems").locator("td").nth(1)).to_have_text(str(line))
    expect(page.locator("#saved")).to_contain_text("Nothing was saved")
    assert house.file.read_text() == before
    try:
        write(page, before.replace("chunk_size: 64", "chunk_size: 80"))
        expect(page.locator("#saved")).to_contain_text("Saved.")
        expect(rows(page, "config-problems")).to_have_count(0)
        assert house.file.read_text() == before.replace("chunk_size: 64", "chunk_size: 80")
        assert house.file.read_text().startswith(COMMENT)
        tab(page, "What the index was built with")
        expect(page.locator("#would-do")).to_contain_text("node_parser was edited")
    finally:
        house.file.write_text(before)


def test_nobody_overwrites_the_edit_of_another(visit: Visits, editing: PageServer, house: House) -> None:
    before = house.file.read_text()
    page = config(visit, editing, "house")
    try:
        house.file.write_text(before + "# another's\n")
        write(page, before + "# mine\n")
        expect(page.locator("#saved")).to_contain_text("was changed by someone else")
        assert house.file.read_text() == before + "# another's\n"
    finally:
        house.file.write_text(before)


def test_without_edit_nothing_can_be_saved(
    visit: Visits, server: PageServer, editing: PageServer, house: House
) -> None:
    before = house.file.read_text()
    page = config(visit, server, "house")
    expect(page.locator("#save")).to_have_count(0)
    expect(page.locator("#yaml .cm-content")).to_have_attribute("contenteditable", "false")
    with urllib.request.urlopen(f"{server.url}/config") as answer:
        events = json.load(answer)["dependencies"]
    with urllib.request.urlopen(f"{editing.url}/config") as answer:
        saving = [each for each in json.load(answer)["dependencies"] if each["api_name"].startswith("_save")]
    assert len(saving) == 1
    assert not [each for each in events if each["api_name"].startswith("_save")]
    for number in range(len(events) + 3):
        data = ["house", "0", "storage: gone\n", "", 0]
        call = {"data": data, "fn_index": number, "session_hash": "raw", "trigger_id": None}
        request = urllib.request.Request(
            f"{server.url}/gradio_api/queue/join",
            json.dumps(call).encode(),
            {"Content-Type": "application/json"},
        )
        with suppress(urllib.error.HTTPError):
            urllib.request.urlopen(request, timeout=30).close()
    tab(page, "Ask")
    expect(ask(page, "What does a lost badge cost?")).to_contain_text("ten euros")
    assert house.file.read_text() == before

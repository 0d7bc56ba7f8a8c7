"""Who may see what: a login before everything, and one person's chat never another's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser import corpus
from tests.browser.conftest import Visits
from tests.browser.screen import answers, ask
from tests.support.cli import child
from tests.support.page_server import PageServer, base, page_server

PEOPLE = {"ada": "correct horse battery", "李雷": "staple 九头鸟 lantern"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageServer]:
    root = tmp_path_factory.mktemp("access")
    base(
        root, "house", corpus.FILES, retrievers=corpus.WORDS, query_engines={"answer": {"retriever": "words"}}
    )
    users = root / "users.yaml"
    for name, password in PEOPLE.items():
        assert child("user", "add", users, name, input=f"{password}\n".encode()).code == 0
    with page_server(root / "configs", root / "log", "--auth", str(users)) as running:
        yield running


def log_in(page: Page, name: str, password: str) -> None:
    fields = page.locator("input, textarea")
    expect(fields).to_have_count(2)
    fields.nth(0).fill(name)
    fields.nth(1).fill(password)
    page.get_by_role("button", name="Login").click()


def test_only_who_knows_the_password_comes_in(visit: Visits, server: PageServer) -> None:
    visit.expected = ["status of 400", "status of 401"]
    page = visit(server)
    log_in(page, "ada", "wrong")
    expect(page.get_by_text("Incorrect")).to_be_visible()
    expect(page.locator("#question")).to_have_count(0)
    for path in ("/config", "/gradio_api/info", "/gradio_api/queue/data?session_hash=x"):
        assert page.request.get(server.url + path).status == 401
    log_in(page, "ada", PEOPLE["ada"])
    expect(ask(page, "What does a lost badge cost?")).to_contain_text("ten euros")


def test_one_persons_chat_is_not_anothers(visit: Visits, server: PageServer) -> None:
    visit.expected = ["status of 401"]
    one, other = visit(server), visit(server)
    log_in(one, "ada", PEOPLE["ada"])
    log_in(other, "李雷", PEOPLE["李雷"])
    ask(one, "What does a lost badge cost?")
    ask(other, "When are receipts handed in?")
    for page, own, foreign in ((one, "ten euros", "thirty days"), (other, "thirty days", "ten euros")):
        expect(answers(page)).to_have_count(1)
        expect(page.locator("#chat")).to_contain_text(own)
        expect(page.locator("#chat")).not_to_contain_text(foreign)

"""A real browser, and what every page in it must keep to: no error, no foreign request, no failing server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Request, Response, sync_playwright

from tests.support.chromium import NAMES, chromium
from tests.support.page_server import PageServer

TIMEOUT = 40_000
"""Milliseconds that a page may take for anything, on a busy machine."""


# Not for the whole session: Playwright keeps an event loop running, and tests elsewhere start their own.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """The distribution's Chromium; every test that needs it is skipped where there is none."""
    program = chromium()
    if program is None:
        pytest.skip(f"there is no browser here: none of {', '.join(NAMES)}")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield found
        found.close()


class Visits:
    """Opens pages, each in a context of its own, and notes what none of them may do."""

    def __init__(self, browser: Browser, pictures: Path) -> None:
        self._browser, self._pictures = browser, pictures
        self.pages: list[Page] = []
        self.wrong: list[str] = []
        self.expected: list[str] = []
        """Parts of console messages that a test means to cause."""

    def __call__(self, server: PageServer, locale: str = "en-US", path: str = "/", **context: object) -> Page:
        """A page of the server, loaded."""
        opened = self._browser.new_context(**{"locale": locale, **context})  # type: ignore[arg-type]
        opened.set_default_timeout(TIMEOUT)
        host = urlsplit(server.url).netloc
        opened.on("request", lambda request: self._request(request, host))
        page = opened.new_page()
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.wrong.append(f"page error: {error}"))
        page.on("response", self._response)
        page.on("dialog", self._dialog)
        page.goto(server.url + path)
        self.pages.append(page)
        return page

    def _request(self, request: Request, host: str) -> None:
        # Only looked at: a request that is held until this process lets it go comes late on a busy machine.
        asked = urlsplit(request.url)
        if asked.scheme in ("http", "https", "ws", "wss") and asked.netloc != host:
            self.wrong.append(f"request to another place: {request.url}")

    def _console(self, message: ConsoleMessage) -> None:
        # The browser's word for a stream that the page ended.
        benign = "net::ERR_ABORTED" in message.text and "queue/data" in message.location.get("url", "")
        if message.type == "error" and not benign and not any(part in message.text for part in self.expected):
            self.wrong.append(f"console: {message.text} ({message.location.get('url', '')})")

    def _dialog(self, dialog: Dialog) -> None:
        self.wrong.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _response(self, response: Response) -> None:
        if response.status >= 500:
            self.wrong.append(f"HTTP {response.status}: {response.url}")

    def close(self) -> None:
        """End all pages, with a picture of each."""
        for number, page in enumerate(self.pages):
            if not page.is_closed():
                page.screenshot(path=self._pictures / f"page{number}.png")
            page.context.close()


@pytest.fixture
def visit(browser: Browser, tmp_path: Path) -> Iterator[Visits]:
    """Opens pages; at the end nothing may be wrong with any of them."""
    from playwright.sync_api import expect

    expect.set_options(timeout=TIMEOUT)
    visits = Visits(browser, tmp_path)
    yield visits
    visits.close()
    assert not visits.wrong, "\n".join(visits.wrong)

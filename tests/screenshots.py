"""`python -m tests.screenshots`: pictures of every tab, as the README shows them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Page, expect, sync_playwright

from tests.support.chromium import chromium
from tests.support.page_server import page_server

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"


def main() -> None:
    """Ingest the guides, serve the page, and take the pictures."""
    program = chromium()
    if program is None:
        sys.exit("there is no Chromium: apt-get install chromium")
    config = ROOT / "config" / "default.yaml"
    subprocess.run([sys.executable, "-m", "pipelines", "ingest", str(config), "--yes"], cwd=ROOT, check=True)
    IMAGES.mkdir(exist_ok=True)
    with (
        TemporaryDirectory() as log,
        page_server(config, Path(log) / "log") as server,
        sync_playwright() as driver,
    ):
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for locale, width, scheme, take in (
            ("en-US", 1280, "light", _english),
            ("zh-CN", 390, "dark", _chinese),
        ):
            context = browser.new_context(
                locale=locale, viewport={"width": width, "height": 860}, color_scheme=scheme
            )
            page = context.new_page()
            page.goto(server.url)
            take(page)
            context.close()
        browser.close()


def _english(page: Page) -> None:
    _ask(page, "What happens when a document fails?")
    page.locator("#chat a[href='#cite-1-2']").click()
    _shot(page, "ask")
    page.get_by_text("How this answer came about").click()
    expect(page.locator("#candidates td").first).to_be_visible()
    page.locator("#inspector").scroll_into_view_if_needed()
    _shot(page, "inspector")
    for name, ready in (
        ("Documents", "#plan-summary p"),
        ("Config", "#yaml .cm-line"),
        ("Explore", "#map circle"),
        ("Usage", "#usage p, #usage td"),
    ):
        page.get_by_role("tab", name=name, exact=True).click()
        expect(page.locator(ready).first).to_be_visible()
        if name == "Documents":
            page.get_by_role("tab", name="In the index", exact=True).click()
            expect(page.locator("#index td").first).to_be_visible()
        if name == "Explore":
            page.locator("#compare").click()
            expect(page.locator("#matrix td").first).to_be_visible()
            page.locator("#map-question textarea").fill("What happens when a document fails?")
            page.locator("#map-question button").click()
            expect(page.locator("#map circle.hit").first).to_be_visible()
        _shot(page, name.lower())


def _chinese(page: Page) -> None:
    _ask(page, "修改分块大小以后需要重新做什么？")
    _shot(page, "ask-zh-phone")


def _ask(page: Page, question: str) -> None:
    page.locator("#question textarea").fill(question)
    page.keyboard.press("Enter")
    expect(page.locator("#sources .card.cited").first).to_be_visible(timeout=30_000)
    expect(page.locator("#stop")).to_be_hidden()


def _shot(page: Page, name: str) -> None:
    page.wait_for_timeout(700)  # fades and fonts
    page.screenshot(path=IMAGES / f"{name}.png")
    print(f"docs/images/{name}.png")


if __name__ == "__main__":
    main()

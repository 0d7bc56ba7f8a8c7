"""What a person does on the page."""

from __future__ import annotations

import warnings

from playwright.sync_api import Locator, Page, expect


def ask(page: Page, question: str) -> Locator:
    """Ask, wait for the end of the answer, and give it."""
    begin(page, question)
    expect(page.locator("#stop")).to_be_hidden()
    return answers(page).last


def begin(page: Page, question: str) -> None:
    """Ask, and wait until an answer has begun."""
    before = answers(page).count()
    box = page.locator("#question textarea")
    box.fill(question)
    box.press("Enter")
    try:
        expect(answers(page)).to_have_count(before + 1, timeout=20_000)
    except AssertionError:
        # Seen on two of 500 pages on a busy machine, just after they had loaded, and not understood: Enter does
        # nothing, and the question stays in the box. A person writes it again; the run says that it was so.
        warnings.warn(f"Enter did nothing; the box held {box.input_value()!r}", stacklevel=2)
        box.fill("")
        box.fill(question)
        box.press("Enter")
        expect(answers(page)).to_have_count(before + 1)


def answers(page: Page) -> Locator:
    """All answers of the chat."""
    return page.locator('#chat [data-testid="bot"]')


def tab(page: Page, *names: str) -> None:
    """Open a tab, and a tab within it."""
    for name in names:
        page.get_by_role("tab", name=name, exact=True).click()


def choose(page: Page, dropdown: str, option: str) -> None:
    """Choose an option of a dropdown by its label."""
    page.locator(f"#{dropdown} input").click()
    page.get_by_role("option", name=option, exact=True).click()


def inspect(page: Page) -> None:
    """Open the inspector, and wait until it is filled: then nothing is under way any more."""
    page.locator("#inspector > button, #inspector .label-wrap").first.click()
    expect(page.locator("#candidates tbody tr").first).to_be_visible()


def rows(page: Page, table: str) -> Locator:
    """The rows of a table."""
    return page.locator(f"#{table} tbody tr")


def toast(page: Page, text: str) -> None:
    """Wait for a sentence in a corner of the page."""
    expect(page.get_by_test_id("toast-text").filter(has_text=text).first).to_be_visible()

"""Reports of evaluations in a browser: nothing foreign is asked for, nothing runs but their own script."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from pipelines.evaluation.compare import compare
from pipelines.evaluation.report import write_comparison, write_report
from tests.evaluation.report.hostile import hostile_run

Opening = Callable[[Path, int], Page]


@pytest.fixture
def opened(browser: Browser) -> Iterator[Opening]:
    """Opens a file at a width in pixels; at the end nothing may be wrong with any."""
    wrong: list[str] = []
    pages: list[Page] = []

    def go(file: Path, width: int) -> Page:
        page = browser.new_context(viewport={"width": width, "height": 800}, color_scheme="dark").new_page()
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
        page.on(
            "request", lambda request: wrong.append(request.url) if request.url != file.as_uri() else None
        )
        page.goto(file.as_uri())
        pages.append(page)
        return page

    yield go
    for page in pages:
        page.context.close()
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("width", [1280, 390])
def test_a_hostile_run(opened: Opening, tmp_path: Path, width: int) -> None:
    file = tmp_path / "report.html"
    write_report(hostile_run(), file)
    page = opened(file, width)
    cases = page.locator("details.case")
    count = cases.count()
    assert count > 1
    page.get_by_role("button", name="Unfold all").click()
    assert page.locator("details.case[open]").count() == count
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator("#find").fill("javascript:")
    assert page.locator("details.case:visible").count() == 1
    page.locator("#find").fill("")
    page.locator("#reason").select_option("not_found")
    assert page.locator("details.case:visible").count() < count


def test_a_comparison(opened: Opening, tmp_path: Path) -> None:
    file = tmp_path / "comparison.html"
    one, other = hostile_run(), hostile_run()
    for key, each in list(other.outcomes.items()):
        other.outcomes[key] = each.model_copy(update={"passages": (), "outcome": "refused"})
    write_comparison(compare([one, other], ["a", "b"]), file)
    page = opened(file, 390)
    page.get_by_role("button", name="Unfold all").click()
    assert page.locator("details.case[open]").count() > 1
    assert page.evaluate("document.documentElement.scrollWidth") <= 390

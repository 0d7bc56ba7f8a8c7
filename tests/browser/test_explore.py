"""What the embed model sees: similar texts, and the chunks as a map."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser import corpus
from tests.browser.conftest import Visits
from tests.browser.screen import choose, rows, tab, toast
from tests.support.page_server import PageServer, base, page_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageServer]:
    root = tmp_path_factory.mktemp("explore")
    base(root, "house", corpus.FILES, **corpus.REAL)
    base(root, "vacant", {}, ingest=False)
    with page_server(root / "configs", root / "log") as running:
        yield running


@pytest.mark.parametrize(("locale", "explore"), [("en-US", "Explore"), ("zh-CN", "探索")])
def test_two_games_are_closer_than_a_subway(
    visit: Visits, server: PageServer, locale: str, explore: str
) -> None:
    page = visit(server, locale)
    tab(page, explore)
    page.locator("#compare").click()
    expect(rows(page, "matrix")).to_have_count(3)
    cells = [row.locator("td").all_inner_texts() for row in rows(page, "matrix").all()]
    games, subway = float(cells[0][1]), float(cells[0][2])
    assert cells[0][0] == "1.000"
    assert games > subway
    assert all(int(row[3]) > 0 for row in cells)
    expect(page.locator("#matrix .note")).to_contain_text("奥运会")
    expect(page.locator("#matrix .place")).to_contain_text("384")
    page.locator("#texts textarea").fill("only one")
    page.locator("#compare").click()
    toast(page, "at least two" if locale == "en-US" else "至少")


def test_a_click_on_the_map_shows_the_passage(visit: Visits, server: PageServer) -> None:
    page = visit(server)
    tab(page, "Explore")
    points = page.locator("#map circle.point")
    expect(points.first).to_be_visible()
    count = points.count()
    spots = page.locator("#map circle").evaluate_all("all => all.map(each => each.getAttribute('cx'))")
    documents = page.locator("#map circle title").all_text_contents()
    assert set(documents) == set(corpus.FILES)
    for number in (0, count - 1):
        points.nth(number).click(force=True)
        expect(page.locator("#passage .document")).to_have_text(documents[number])
        expect(page.locator("#passage .passage")).not_to_be_empty()
    ask = page.locator("#map-question textarea, #map-question input")
    ask.fill("When does the cafeteria open?")
    ask.press("Enter")
    expect(page.locator("#map .cross")).to_be_visible()
    expect(page.locator("#map circle.hit").first).to_be_visible()
    assert "cafeteria.md" in page.locator("#map circle.hit title").all_text_contents()
    page.reload()
    tab(page, "Explore")
    expect(points).to_have_count(count)
    again = page.locator("#map circle").evaluate_all("all => all.map(each => each.getAttribute('cx'))")
    assert again == spots


def test_of_an_empty_knowledge_base_there_is_no_map(visit: Visits, server: PageServer) -> None:
    page = visit(server)
    choose(page, "base", "vacant")
    expect(page.locator("#problem")).to_contain_text("Nothing is ingested yet")
    tab(page, "Explore")
    expect(page.locator("#map")).to_contain_text("nothing is ingested yet")
    expect(page.locator("#map svg")).to_have_count(0)
    expect(page.get_by_test_id("toast-text")).to_have_count(0)

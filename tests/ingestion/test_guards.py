"""What an ingestion refuses: documents that are suddenly gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.errors import Refused, SearchaskError
from tests.support.house import House
from tests.support.whole import check_clean, contents


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_an_empty_folder_is_refused_and_leaves_nothing(house: House) -> None:
    with pytest.raises(Refused, match="no document was found by files: check `loaders`"):
        house.ingest()
    assert contents(house) == {}


@pytest.mark.parametrize("left", [0, 7])
def test_documents_that_vanish_in_numbers_are_kept_until_it_is_allowed(house: House, left: int) -> None:
    house.fill(10)
    house.ingest()
    before = contents(house)
    for path in sorted(house.docs.iterdir())[left:]:
        path.unlink()
    for _ in range(2):
        with pytest.raises(Refused, match=r"--allow-vanish") as refused:
            house.ingest()
        assert contents(house) == before
        assert house.agrees()
    if left:
        assert "3 of 10 indexed documents would vanish (more than 20%): doc007.md, " in str(refused.value)
    assert house.ingest(allow_vanish=True).outcome == "done"
    assert len(contents(house)) == left
    check_clean(house, {name: before[name] for name in sorted(before)[:left]})


def test_a_fifth_may_vanish(house: House) -> None:
    house.fill(10)
    house.ingest()
    for name in ("doc000.md", "doc001.md"):
        (house.docs / name).unlink()
    assert house.ingest().removed > 0
    assert len(contents(house)) == 8


def test_a_folder_that_is_gone_is_an_error_and_nothing_is_lost(house: House) -> None:
    house.fill(3)
    house.ingest()
    before = contents(house)
    house.docs.rename(house.root / "elsewhere")
    with pytest.raises(SearchaskError, match="there is no folder"):
        house.ingest(allow_vanish=True)
    assert contents(house) == before


def test_moving_a_whole_folder_is_no_vanishing(house: House) -> None:
    house.fill(6)
    house.ingest()
    before = contents(house)
    (house.docs / "2026").mkdir()
    for path in list(house.docs.glob("*.md")):
        path.rename(house.docs / "2026" / path.name)
    summary = house.ingest()
    assert (summary.read, summary.spent.texts) == (0, 0)
    check_clean(house, {f"2026/{name}": passages for name, passages in before.items()})

"""Why a knowledge base can't be asked, in both languages."""

from __future__ import annotations

import shutil
from pathlib import Path

from pipelines.page.problems import problem
from pipelines.page.site import Site
from tests.support.house import House


def test_all_is_well(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.fill(1)
    house.ingest()
    assert problem(Site(house.file), "config", "en") == ""


def test_nothing_is_ingested(tmp_path: Path) -> None:
    site = Site(House(tmp_path).file)
    assert problem(site, "config", "en").startswith("> Nothing is ingested yet")
    assert "尚未入库" in problem(site, "config", "zh")


def test_the_storage_goes_away_and_comes_back(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.fill(1)
    house.ingest()
    site = Site(house.file)
    assert problem(site, "config", "en") == ""
    shutil.rmtree(house.config.storage)
    assert "Nothing is ingested" in problem(site, "config", "en")
    house.ingest()
    assert problem(site, "config", "en") == ""
    site.close()


def test_each_error_of_a_config_has_a_line(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.edit(node_parser={"type": "sentense"}, **{"<b>x</b>": 1})
    told = problem(Site(house.file), "config", "zh").splitlines()
    assert len(told) >= 3
    assert told[0].startswith("> 此配置有错误")
    assert all(line.startswith("> ") for line in told)
    assert "<b>" not in "".join(told)


def test_a_damaged_catalog(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.fill(1)
    house.ingest()
    (house.config.storage / "catalog.sqlite").write_bytes(b"nonsense" * 5000)
    for name in ("catalog.sqlite-wal", "catalog.sqlite-shm"):
        (house.config.storage / name).unlink(missing_ok=True)
    assert "not a catalog, or it is damaged" in problem(Site(house.file), "config", "en")


def test_an_unknown_name(tmp_path: Path) -> None:
    assert "no knowledge base is called" in problem(Site(House(tmp_path).file), "other", "en")

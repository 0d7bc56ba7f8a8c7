"""The map: right components, the same at each visit, and a question with its hits on it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pipelines.errors import SearchaskError
from pipelines.page import chunk_map
from pipelines.page.chunk_map import map_of, passage, principal_axes, project
from pipelines.querying.knowledge_base import KnowledgeBase
from tests.support.house import House


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = House(tmp_path)
    house.fill(20)
    house.write(
        "大.md",
        "\n\n".join(f"# 第{number}节\n\n这是第{number}节的内容，{number}。" * 6 for number in range(9)),
    )
    house.ingest()
    return house


@pytest.fixture
def base(house: House) -> Iterator[KnowledgeBase]:
    with KnowledgeBase(house.config) as base:
        yield base


def test_every_chunk_is_a_point_in_its_documents_colour(house: House, base: KnowledgeBase) -> None:
    found = map_of(base, "en")
    live = house.live()
    assert len(found.points) == found.total == sum(len(texts) for texts in live.values())
    assert all(0 <= point["x"] <= 1000 and 0 <= point["y"] <= 1000 for point in found.points)
    spread = max(np.ptp([point[axis] for point in found.points]) for axis in ("x", "y"))
    assert spread == 1000 - 2 * chunk_map._MARGIN
    assert [key["colour"] for key in found.legend] == list(range(13))
    assert found.legend[0] == {"colour": 0, "document": "大.md", "chunks": len(live["大.md"])}
    assert found.legend[-1]["document"] == "other documents"
    assert sum(key["chunks"] for key in found.legend) == found.total
    names = {key["colour"]: key["document"] for key in found.legend[:-1]}
    for point in found.points:
        assert names.get(point["colour"], point["document"]) == point["document"]
    assert 0 < found.explained[1] <= found.explained[0] < 1
    assert found.note.startswith(f"{found.total} of {found.total} chunks; the two axes show ")
    assert map_of(base, "zh").legend[-1]["document"] == "其他文档"


def test_equal_at_each_visit_and_in_each_process(house: House, base: KnowledgeBase) -> None:
    first = map_of(base, "en")
    with KnowledgeBase(house.config) as other:
        assert map_of(other, "en") == first


def test_kept_until_the_index_changes(
    house: House, base: KnowledgeBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[int] = []
    draw = chunk_map._draw
    monkeypatch.setattr(chunk_map, "_draw", lambda *args: (drawn.append(1), draw(*args))[1])
    before = map_of(base, "en")
    assert map_of(base, "en") == before and len(drawn) == 1
    house.write("new.md", "# New\n\nA new document.")
    house.ingest()
    after = map_of(base, "en")
    assert len(drawn) == 2 and after.total == before.total + 1


def test_sampled_by_the_hash_of_the_id(
    house: House, base: KnowledgeBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunk_map, "MOST_POINTS", 20)
    before = {point["node"] for point in map_of(base, "en").points}
    assert len(before) == 20
    house.write("new.md", "# New\n\nA new document.")
    house.ingest()
    found = map_of(base, "en")
    assert len(before - {point["node"] for point in found.points}) <= 1
    assert found.note.startswith(f"20 of {found.total} chunks")


def test_question_and_hits_on_the_same_axes(base: KnowledgeBase, monkeypatch: pytest.MonkeyPatch) -> None:
    places = {point["node"]: (point["x"], point["y"]) for point in map_of(base, "en").points}
    ids = [*list(places)[:5], "nothing", next(iter(places))]
    found = project(base, "年假有几天？", ids, language="en")
    assert [spot["node"] for spot in found.hits] == list(places)[:5]
    for spot in found.hits:
        assert (spot["x"], spot["y"]) == pytest.approx(places[spot["node"]], abs=1)
    assert 0 <= found.x <= 1000 and 0 <= found.y <= 1000
    assert len(project(base, "How many days?", language="en").hits) == 10
    text = passage(base, ids[0], "en").text
    monkeypatch.setattr(base.index, "embed_question", lambda _: vector_of(base, ids[0]))
    again = project(base, text, [], language="en")
    assert (again.x, again.y) == pytest.approx(places[ids[0]], abs=1)
    with pytest.raises(SearchaskError, match="empty"):
        monkeypatch.undo()
        project(base, "  ", language="en")


def vector_of(base: KnowledgeBase, node: str) -> list[float]:
    vector: list[float] = chunk_map._live(base.index.catalog).vectors([node])[node].tolist()
    return vector


def test_after_another_model(house: House, base: KnowledgeBase, monkeypatch: pytest.MonkeyPatch) -> None:
    old = map_of(base, "en").points[0]["node"]
    house.edit(embed_model={"type": "fake", "dimension": 16, "seed": 3})
    house.ingest()
    assert map_of(base, "en").total > 20
    found = project(base, "年假有几天？", [old], language="en")
    assert [spot["node"] for spot in found.hits] == [old], "the same words, as the new model sees them"
    assert len(project(base, "年假有几天？", language="en").hits) == 10
    monkeypatch.setattr(base.index, "embed_question", lambda _: [1.0] * 384)
    with pytest.raises(SearchaskError, match="索引刚刚被替换"):
        project(base, "x", [], language="zh")


def test_passage_of_a_point(house: House, base: KnowledgeBase) -> None:
    point = next(point for point in map_of(base, "en").points if point["document"] == "大.md")
    found = passage(base, point["node"], "zh")
    assert (found.document, found.loader, found.page) == ("大.md", "files", None)
    assert found.text in house.live()["大.md"] and "节" in found.heading
    with pytest.raises(SearchaskError, match="请重新加载地图"):
        passage(base, "gone", "zh")


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_chunks(tmp_path: Path, count: int) -> None:
    house = House(tmp_path)
    for number in range(count):
        house.write(f"{number}.txt", f"Document {number}.")
    house.ingest()
    with KnowledgeBase(house.config) as base:
        found = map_of(base, "en")
        assert len({(point["x"], point["y"]) for point in found.points}) == count
        if count == 1:
            assert found.points[0]["x"] == found.points[0]["y"] == 500
            assert found.explained == (0.0, 0.0)
        assert project(base, "x", language="en").hits


def test_equal_texts_lie_on_one_point(tmp_path: Path) -> None:
    house = House(tmp_path)
    for number in range(3):
        house.write(f"{number}.txt", "The same text.")
    house.ingest()
    with KnowledgeBase(house.config) as base:
        assert {(point["x"], point["y"]) for point in map_of(base, "en").points} == {(500, 500)}


def test_components_are_the_exact_ones() -> None:
    drawn = np.random.Generator(np.random.PCG64(7))
    matrix = drawn.standard_normal((400, 60)) * np.geomspace(8, 0.5, 60)
    matrix = (matrix - matrix.mean(axis=0)).astype(np.float32)
    axes, shares = principal_axes(matrix)
    _, lengths, exact = np.linalg.svd(matrix, full_matrices=False)
    assert np.abs(np.sum(axes * exact[:2], axis=1)) == pytest.approx([1, 1], abs=1e-4)
    assert shares == pytest.approx((lengths**2 / np.sum(lengths**2))[:2], rel=1e-4)
    assert all(axis[np.abs(axis).argmax()] > 0 for axis in axes)
    assert np.array_equal(principal_axes(-matrix)[0], axes), "signs are fixed"


@pytest.mark.parametrize("dimension", [384, 3072])
def test_large_maps_are_quick(dimension: int) -> None:
    matrix = np.random.Generator(np.random.PCG64(1)).standard_normal((5_000, dimension), dtype=np.float32)
    start = time.process_time()
    principal_axes(matrix)
    assert time.process_time() - start < 10, "seconds of all cores"

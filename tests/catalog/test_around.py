"""What stands around a term, in real storages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.catalog.graph import GraphView
from tests.support.house import House

GRAPH = {"meaning": {"type": "vector"}, "linked": {"type": "graph", "of": "meaning"}}
FILM = "# Moon Harbour\n\nMoon Harbour (2001) was directed by Ada Lindgren in Port Elsinore.\n"
PERSON = "# Ada Lindgren\n\nAda Lindgren (born 1950) is a director. She grew up in Port Elsinore.\n"
LEAVE = "# 年假制度\n\n《考勤制度》规定年假由人力资源部批准。\n"


def house_of(tmp_path: Path) -> House:
    house = House(tmp_path, {"retrievers": GRAPH})
    for name, text in (("film.md", FILM), ("person.md", PERSON), ("leave.md", LEAVE)):
        house.write(name, text)
    return house


@contextmanager
def looked_at(house: House) -> Iterator[tuple[GraphView, dict[str, int]]]:
    """The graph that answers, and the ids of the documents."""
    catalog = house.catalog()
    try:
        active = catalog.generations.active()
        assert active is not None
        yield GraphView(catalog.engine, active.id), {row.path: row.id for row in catalog.documents(active.id)}
    finally:
        catalog.close()


def test_a_term_however_it_is_written(tmp_path: Path) -> None:
    house = house_of(tmp_path)
    house.ingest()
    with looked_at(house) as (graph, ids):
        found = graph.around("the Ada LINDGREN")
        assert found.term == "ada lindgren"
        assert found.titled == (ids["person.md"],)
        assert {each.document for each in found.passages} == {ids["film.md"], ids["person.md"]}
        assert found.named_by == len(found.passages) == 2
        neighbours = {each.term: each.passages for each in found.neighbours}
        assert neighbours["port elsinore"] == 2
        assert neighbours["moon harbour"] == 1
        assert "ada lindgren" not in neighbours
        assert [each.passages for each in found.neighbours] == sorted(neighbours.values(), reverse=True)
        assert found.relations == ()


def test_chinese_terms_and_only_so_many(tmp_path: Path) -> None:
    house = house_of(tmp_path)
    house.ingest()
    with looked_at(house) as (graph, _):
        assert "人力资源部" in {each.term for each in graph.around("《考勤制度》").neighbours}
        assert len(graph.around("考勤制度", most=1).neighbours) == 1


def test_nothing_stands_around_a_word_that_is_no_term(tmp_path: Path) -> None:
    house = house_of(tmp_path)
    house.ingest()
    with looked_at(house) as (graph, _):
        for word in ("zebra", "", "?!", "x' OR 1=1 --"):
            found = graph.around(word)
            assert (found.neighbours, found.titled, found.passages, found.named_by) == ((), (), (), 0)


def test_common_words_are_no_neighbours(tmp_path: Path) -> None:
    house = house_of(tmp_path)
    for number in range(40):
        house.write(
            f"note{number}.md", f"# Note\n\nAs Acme Works says, the Part Number {number} is A-{number}.\n"
        )
    house.write("acme.md", "# Ada\n\nIt is said that Ada Lindgren paid Acme Works.\n")
    house.ingest()
    with looked_at(house) as (graph, _):
        assert graph.around("Acme Works").named_by == 41
        assert "acme works" not in {each.term for each in graph.around("Ada Lindgren").neighbours}


def test_completion(tmp_path: Path) -> None:
    house = house_of(tmp_path)
    house.ingest()
    with looked_at(house) as (graph, _):
        assert graph.terms_like("Port") == ["port elsinore"]
        assert graph.terms_like("年假")[0] == "年假制度"
        assert graph.terms_like("fil") == ["film"]  # only a title
        assert len(graph.terms_like("m", most=1)) == 1
        assert graph.terms_like("") == graph.terms_like("%") == []


def test_what_is_deleted_stands_around_nothing(tmp_path: Path) -> None:
    house = house_of(tmp_path)
    house.ingest()
    (house.docs / "film.md").unlink()
    house.ingest(allow_vanish=True)
    with looked_at(house) as (graph, ids):
        found = graph.around("Ada Lindgren")
        assert {each.document for each in found.passages} == {ids["person.md"]}
        assert "moon harbour" not in {each.term for each in found.neighbours}
        assert graph.terms_like("moon") == []

"""What stands around one term of the graph, and the terms that begin in some way: for people who look at it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, or_, select

from pipelines.catalog.tables import documents, graph_mentions, graph_paths, graph_titles
from pipelines.text.terms import key_of

COMMON_SHARE = 0.1
"""Share of all passages above which a term that they name is a common word."""
COMMON_FROM = 20
"""Passages that a common word is named by at least: in a few documents every word is frequent."""
_AHEAD = 8
"""Candidates looked at for each neighbour that is shown, since some are common words."""

_COUNTS = (
    select(graph_mentions.c.term, func.count().label("times"))
    .join(documents, documents.c.id == graph_mentions.c.document)
    .where(
        documents.c.generation == bindparam("of"),
        graph_mentions.c.term.in_(bindparam("terms", expanding=True)),
    )
    .group_by(graph_mentions.c.term)
)
_other = graph_mentions.alias("other")
_same_passage = (_other.c.document == graph_mentions.c.document) & (_other.c.node == graph_mentions.c.node)
_TOGETHER = (
    select(_other.c.term, func.count().label("passages"), func.min(_other.c.node).label("node"))
    .select_from(graph_mentions)
    .join(_other, _same_passage)
    .join(documents, documents.c.id == graph_mentions.c.document)
    .where(
        documents.c.generation == bindparam("of"),
        graph_mentions.c.term == bindparam("term"),
        _other.c.term != bindparam("term"),
    )
    .group_by(_other.c.term)
    .order_by(func.count().desc(), _other.c.term)
    .limit(bindparam("most"))
)
_ALL = select(func.sum(documents.c.chunks)).where(documents.c.generation == bindparam("of"))
_PASSAGES = (
    select(graph_mentions.c.node, graph_mentions.c.document)
    .join(documents, documents.c.id == graph_mentions.c.document)
    .where(documents.c.generation == bindparam("of"), graph_mentions.c.term == bindparam("term"))
    .order_by(graph_mentions.c.document, graph_mentions.c.node)
    .limit(bindparam("most"))
)
_TITLED = (
    select(graph_titles.c.document)
    .join(documents, documents.c.id == graph_titles.c.document)
    .where(documents.c.generation == bindparam("of"), graph_titles.c.term == bindparam("term"))
    .order_by(graph_titles.c.document)
    .limit(bindparam("most"))
)
_RELATIONS = (
    select(graph_paths)
    .join(documents, documents.c.id == graph_paths.c.document)
    .where(
        documents.c.generation == bindparam("of"),
        or_(graph_paths.c.subject_term == bindparam("term"), graph_paths.c.object_term == bindparam("term")),
    )
    .order_by(graph_paths.c.document, graph_paths.c.node, graph_paths.c.number)
    .limit(bindparam("most"))
)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A term that passages name together with another."""

    term: str
    passages: int
    """Passages that name both."""
    node: str
    """One of them."""


@dataclass(frozen=True, slots=True)
class Relation:
    """What a model read in a passage: two things and how they are related."""

    subject: str
    relation: str
    object: str
    subject_term: str
    """The subject as a term of the graph; another way to write it gives the same."""
    object_term: str
    document: int
    node: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage and the document that it lies in."""

    node: str
    document: int


@dataclass(frozen=True, slots=True)
class Around:
    """One term of the graph and all that is tied to it; empty where no passage and no title has it."""

    term: str
    neighbours: tuple[Neighbour, ...]
    """Named together with it, the most frequent first, without common words."""
    relations: tuple[Relation, ...]
    """Only where a model read paths."""
    titled: tuple[int, ...]
    """Documents that are called by it."""
    passages: tuple[Passage, ...]
    """Passages that name it, in the order of their documents; as many as were asked for."""
    named_by: int
    """Passages that name it, all of them."""


def named_by(connection: Connection, generation: int, terms: Sequence[str]) -> dict[str, int]:
    """How many passages name each of some terms; those that none names are left out."""
    if not terms:
        return {}
    asked = {"of": generation, "terms": terms}
    return {row.term: row.times for row in connection.execute(_COUNTS, asked)}


def around(connection: Connection, generation: int, term: str, most: int) -> Around:
    """What is tied to a term, however it is written; of each kind so many at most."""
    key = key_of(term)
    values = {"of": generation, "term": key, "most": most}
    return Around(
        key,
        tuple(_neighbours(connection, generation, key, most)),
        tuple(_relations(connection, values)),
        tuple(connection.scalars(_TITLED, values)),
        tuple(Passage(row.node, row.document) for row in connection.execute(_PASSAGES, values)),
        named_by(connection, generation, [key]).get(key, 0),
    )


def terms_like(connection: Connection, generation: int, prefix: str, most: int) -> list[str]:
    """Terms that begin like a text, those that most passages name first, then titles that none names."""
    key = key_of(prefix)
    if not key:
        return []
    counted = func.count().label("times")
    named: Select[tuple[str, int]] = (
        select(graph_mentions.c.term, counted)
        .join(documents, documents.c.id == graph_mentions.c.document)
        .where(documents.c.generation == generation, graph_mentions.c.term.between(key, key + "\U0010ffff"))
        .group_by(graph_mentions.c.term)
        .order_by(counted.desc(), graph_mentions.c.term)
        .limit(most)
    )
    titles = (
        select(graph_titles.c.term)
        .join(documents, documents.c.id == graph_titles.c.document)
        .where(documents.c.generation == generation, graph_titles.c.term.between(key, key + "\U0010ffff"))
        .distinct()
        .order_by(graph_titles.c.term)
        .limit(most)
    )
    found = [*connection.scalars(named), *connection.scalars(titles)]
    return list(dict.fromkeys(found))[:most]


def _neighbours(connection: Connection, generation: int, key: str, most: int) -> Iterator[Neighbour]:
    rows = connection.execute(_TOGETHER, {"of": generation, "term": key, "most": _AHEAD * most}).all()
    totals = named_by(connection, generation, [row.term for row in rows])
    limit = max(COMMON_FROM, COMMON_SHARE * (connection.scalar(_ALL, {"of": generation}) or 0))
    telling = (row for row in rows if totals.get(row.term, 0) <= limit)
    for _, row in zip(range(most), telling, strict=False):
        yield Neighbour(row.term, row.passages, row.node)


def _relations(connection: Connection, values: dict[str, object]) -> Iterator[Relation]:
    if connection.dialect.has_table(connection, graph_paths.name):  # not in a storage of an older version
        yield from map(_relation, connection.execute(_RELATIONS, values))


def _relation(row: Any) -> Relation:
    return Relation(
        row.subject, row.relation, row.object, row.subject_term, row.object_term, row.document, row.node
    )


def relations(
    connection: Connection,
    generation: int,
    *,
    terms: Sequence[str],
    nodes: Sequence[str],
    labels: Sequence[str],
    most: int,
) -> list[Relation]:
    """What models read of terms or in nodes, or by the relation's own words; so many at most."""
    if not connection.dialect.has_table(connection, graph_paths.name):
        return []
    wanted = [
        graph_paths.c.subject_term.in_(terms),
        graph_paths.c.object_term.in_(terms),
        graph_paths.c.node.in_(nodes),
    ]
    query = (
        select(graph_paths)
        .join(documents, documents.c.id == graph_paths.c.document)
        .where(documents.c.generation == generation)
    )
    query = query.where(or_(*wanted)) if terms or nodes else query
    query = query.where(graph_paths.c.relation.in_(labels)) if labels else query
    order = graph_paths.c.document, graph_paths.c.node, graph_paths.c.number
    return [_relation(row) for row in connection.execute(query.order_by(*order).limit(most))]


def neighbours(connection: Connection, generation: int, term: str, most: int) -> list[Neighbour]:
    """The terms that passages name together with another, without common words."""
    return list(_neighbours(connection, generation, key_of(term), most))


def known_terms(connection: Connection, generation: int, among: Sequence[str] | None) -> list[str]:
    """Terms that passages name or documents are called by: all of them, or those of some."""
    found: dict[str, None] = {}
    for table in (graph_mentions, graph_titles):
        query = (
            select(table.c.term)
            .join(documents, documents.c.id == table.c.document)
            .where(documents.c.generation == generation)
            .distinct()
            .order_by(table.c.term)
        )
        query = query if among is None else query.where(table.c.term.in_(among))
        found |= dict.fromkeys(connection.scalars(query))
    return list(found)

"""A map of the chunks: the vectors of the active generation in two dimensions."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import nsmallest
from typing import TYPE_CHECKING, Any, TypedDict
from weakref import WeakKeyDictionary

import numpy as np
from sqlalchemy import select

from pipelines.catalog import Catalog, Generation
from pipelines.catalog.database import explained
from pipelines.catalog.live import LiveNodes
from pipelines.catalog.tables import documents, nodes
from pipelines.errors import SearchaskError
from pipelines.querying.knowledge_base import KnowledgeBase
from pipelines.words import Language, Words

if TYPE_CHECKING:
    Matrix = np.ndarray[Any, np.dtype[np.float32]]

MOST_POINTS = 5_000
"""Chunks on a map; of more, as many are drawn by the hash of their ids, so that they stay the same."""
COLOURS = 12
"""Documents with a colour of their own, the largest; all others share colour `COLOURS`."""
SIDE = 1_000
"""Coordinates go from 0 to this."""
_MARGIN = 30
"""Left free on each side, for questions that lie outside of the chunks."""
_HITS = 10

_OTHERS = Words("other documents", "其他文档")
_MAP = Words(
    "{shown} of {total} chunks; the two axes show {share} of the differences between them.",
    "共 {total} 块，显示 {shown} 块；两条坐标轴体现了其中 {share} 的差异。",
)
_CHANGING = Words("The index was replaced just now: ask again.", "索引刚刚被替换：请再试一次。")
_PASSAGE_GONE = Words(
    "This passage is no longer in the index: load the map again.",
    "这段文字已不在索引中：请重新加载地图。",
)


class Point(TypedDict):
    """A chunk on the map."""

    x: int
    y: int
    node: str
    document: str
    colour: int


class Spot(TypedDict):
    """Where a hit lies, whether or not it is among the points."""

    x: int
    y: int
    node: str


class Key(TypedDict):
    """A line of the legend."""

    colour: int
    document: str
    chunks: int


@dataclass(frozen=True, slots=True)
class Map:
    """The chunks of the active generation in two dimensions."""

    points: list[Point]
    legend: list[Key]
    explained: tuple[float, float]
    """Share of the variance along each axis, 0 to 1."""
    total: int
    """Chunks in the index, of which some are points."""
    note: str


@dataclass(frozen=True, slots=True)
class Projection:
    """A question and its hits on the axes of the map."""

    x: int
    y: int
    hits: list[Spot]


@dataclass(frozen=True, slots=True)
class Passage:
    """The text of a point and its place."""

    node: str
    document: str
    loader: str
    page: int | None
    heading: str
    text: str


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A map as it is kept: its points and what puts others on the same axes."""

    version: int
    points: list[Point]
    legend: list[Key]
    explained: tuple[float, float]
    total: int
    mean: Matrix
    axes: Matrix
    """Two unit vectors, shape (2, dimension)."""
    middle: Matrix
    scale: float

    def place(self, vectors: Matrix) -> list[tuple[int, int]]:
        """Coordinates of vectors, shape (n, dimension); those beyond the edge are put on it."""
        flat = (_unit(vectors) - self.mean) @ self.axes.T
        placed = np.clip(np.rint(SIDE / 2 + (flat - self.middle) * self.scale), 0, SIDE)
        return [(int(x), int(y)) for x, y in placed]


_drawn: WeakKeyDictionary[Catalog, _Drawn] = WeakKeyDictionary()
"""One map for each open catalog, for its version."""
_drawing = threading.Lock()


def map_of(base: KnowledgeBase, language: Language) -> Map:
    """The map of what answers now: principal components of the unit vectors, equal at each visit to the same index."""
    drawn = _map(base.index.catalog)
    legend = list(drawn.legend)
    rest = drawn.total - sum(key["chunks"] for key in legend)
    if rest:
        legend.append(Key(colour=COLOURS, document=_OTHERS.of(language), chunks=rest))
    note = _MAP.of(
        language,
        shown=f"{len(drawn.points):,}",
        total=f"{drawn.total:,}",
        share=f"{sum(drawn.explained):.0%}",
    )
    return Map(list(drawn.points), legend, drawn.explained, drawn.total, note)


def project(
    base: KnowledgeBase, question: str, hits: Sequence[str] | None = None, *, language: Language
) -> Projection:
    """Where a question lies on the map, and its hits: the given ids, else the closest chunks.

    Raises `SearchaskError` for an empty question.
    """
    catalog = base.index.catalog
    with base.charging(question, "map"), base.index.pinned():
        vector = base.index.embed_question(question)
        ids = [hit.node.node_id for hit in base.index.nearest(vector, _HITS)] if hits is None else hits
    drawn = _map(catalog)
    held = _live(catalog).vectors(list(dict.fromkeys(ids)))
    if {len(vector), *map(len, held.values())} != {len(drawn.mean)}:  # another model took over in this moment
        raise SearchaskError(_CHANGING.of(language))
    matrix = np.array([vector, *held.values()], dtype=np.float32)
    (x, y), *spots = drawn.place(matrix)
    return Projection(x, y, [Spot(x=x, y=y, node=node) for node, (x, y) in zip(held, spots, strict=True)])


def passage(base: KnowledgeBase, node: str, language: Language) -> Passage:
    """The text of a point; raises `SearchaskError` where it has left the index since the map was drawn."""
    found = _live(base.index.catalog).get([node]).get(node)
    if found is None:
        raise SearchaskError(_PASSAGE_GONE.of(language))
    return Passage(found.id, found.document, found.loader, found.page, found.heading, found.text)


def _live(catalog: Catalog) -> LiveNodes:
    active = _active(catalog)
    return LiveNodes(catalog.engine, active.id, active.cache_key)


def _active(catalog: Catalog) -> Generation:
    active = catalog.generations.active()
    if active is None:
        raise SearchaskError("nothing is ingested yet: ingest first")
    return active


def _map(catalog: Catalog) -> _Drawn:
    with _drawing:
        version = catalog.version()
        held = _drawn.get(catalog)
        if held is None or held.version != version:
            held = _drawn[catalog] = _draw(catalog, version)
        return held


def _draw(catalog: Catalog, version: int) -> _Drawn:
    active = _active(catalog)
    rows = [row for row in catalog.documents(active.id) if row.chunks]
    several = len({row.loader for row in rows}) > 1
    label = {row.id: f"{row.loader}: {row.path}" if several else row.path for row in rows}
    largest = sorted(rows, key=lambda row: (-row.chunks, row.loader, row.path))[:COLOURS]
    colours = {row.id: number for number, row in enumerate(largest)}
    legend = [Key(colour=colours[row.id], document=label[row.id], chunks=row.chunks) for row in largest]

    joined = select(nodes.c.id, nodes.c.document, nodes.c.digest).join(documents)
    query = joined.where(documents.c.generation == active.id, nodes.c.leaf)
    with explained("the catalog"), catalog.engine.connect() as connection:
        leaves = connection.execute(query).all()
    chosen = sorted(nsmallest(MOST_POINTS, leaves, key=lambda row: _lot(row.id)), key=lambda row: row.id)
    held = catalog.cache(active.cache_key).get(list({row.digest for row in chosen}))
    chosen = [row for row in chosen if row.digest in held and row.document in label]
    if not chosen:
        raise SearchaskError("nothing is ingested yet: ingest first")

    matrix = _unit(np.stack([held[row.digest] for row in chosen]))
    mean = matrix.mean(axis=0)
    matrix -= mean
    axes, shares = principal_axes(matrix)
    flat = matrix @ axes.T
    low, high = flat.min(axis=0), flat.max(axis=0)
    widest = float((high - low).max())
    scale = (SIDE - 2 * _MARGIN) / widest if widest > 1e-6 else 0.0
    middle = (low + high) / 2
    placed = np.rint(SIDE / 2 + (flat - middle) * scale).astype(int).tolist()
    points = [
        Point(x=x, y=y, node=row.id, document=label[row.document], colour=colours.get(row.document, COLOURS))
        for (x, y), row in zip(placed, chosen, strict=True)
    ]
    return _Drawn(version, points, legend, shares, len(leaves), mean, axes, middle, scale)


def _lot(node: str) -> bytes:
    return hashlib.blake2b(node.encode(), digest_size=8).digest()


def _unit(vectors: Matrix) -> Matrix:
    """Vectors of length 1: then distances on the map go with the cosines that searches rank by."""
    unit: Matrix = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def principal_axes(centred: Matrix) -> tuple[Matrix, tuple[float, float]]:
    """The first two principal components of a centred matrix, shape (2, dimension), with their shares of the variance.

    By subspace iteration (Halko, Martinsson and Tropp 2011, algorithm 4.4) from a fixed start: exact decompositions
    take many seconds at 3,072 dimensions. Signs are fixed by the largest coordinate.
    """
    count, dimension = centred.shape
    axes = np.zeros((2, dimension), dtype=np.float32)
    total = float(np.einsum("ij,ij->", centred, centred, dtype=np.float64))
    if total < 1e-9 * count:
        return axes, (0.0, 0.0)
    start = np.random.Generator(np.random.PCG64(0))
    block = start.standard_normal((dimension, min(10, count, dimension)), dtype=np.float32)
    for _ in range(25):
        block, _ = np.linalg.qr(centred.T @ (centred @ block))
    _, lengths, turned = np.linalg.svd(centred @ block, full_matrices=False)
    found = (block @ turned[:2].T).T
    found *= np.sign(found[np.arange(len(found)), np.abs(found).argmax(axis=1)])[:, None]
    axes[: len(found)] = found
    shares = [float(length) ** 2 / total for length in lengths[:2]] + [0.0]
    return axes, (shares[0], shares[1])

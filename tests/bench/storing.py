"""Storing chunks of about 2.2 kB: vectors, catalog and keyword index, against the stock vector store alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.bench.measure import Clock, Row, alternate, disk, in_process, tell
from tests.bench.texts import english_folder

_CHUNKS = 5_000
_CHUNK = 2_200
_GROUP = 1_000


def _chunks(documents: str) -> list[tuple[str, list[str]]]:
    """Documents with the pieces that are stored of each; cutting is not what is measured here."""
    found: list[tuple[str, list[str]]] = []
    for file in sorted(Path(documents).iterdir())[: _CHUNKS // 10]:
        text = file.read_text("utf-8")
        found.append((text, [text[start : start + _CHUNK] for start in range(0, 10 * _CHUNK, _CHUNK)]))
    return found


def _matrix(count: int) -> Any:
    import numpy as np

    matrix = np.random.default_rng(1).standard_normal((count, 384), dtype=np.float32)
    return matrix / np.linalg.norm(matrix, axis=1, keepdims=True)


def ours(documents: str, folder: str) -> dict[str, Any]:
    """The protocol of an ingestion, group by group: cache, intention, both indexes, commit."""
    from pipelines.catalog import Catalog
    from pipelines.catalog.derived import recipe
    from pipelines.config import load_config
    from pipelines.ingestion.fingerprints import embed_key, generation_key
    from pipelines.ingestion.stores import Stores
    from tests.bench.ours import warm, write_config

    warm()
    config = load_config(write_config(Path(folder), Path(documents)))
    prepared = _prepared(documents)
    count = sum(len(texts) for _, texts in prepared)
    vectors = _matrix(count)
    clock = Clock()
    catalog = Catalog(config.storage, create=True)
    made = catalog.generations.create(
        generation_key(config.spec), recipe=recipe(config.spec), cache_key=embed_key(config.spec)
    )
    catalog.generations.set_probe(made.id, 384, vectors[0].tobytes())
    catalog.generations.switch(made.id)
    stores = Stores(config.spec, config.storage, catalog.generations.get(made.id))
    catalog.register(made.id, [("files", revision.load) for revision, _ in prepared])
    cache = catalog.cache(made.cache_key)
    per_group = _GROUP // 10
    stored = 0
    for start in range(0, len(prepared), per_group):
        group = prepared[start : start + per_group]
        nodes = [node for revision, _ in group for node in revision.nodes]
        texts = [text for _, pieces in group for text in pieces]
        matrix = vectors[stored : stored + len(texts)]
        cache.put([node.digest for node in nodes], matrix)
        catalog.intend(made.id, [node.id for node in nodes])
        stores.add([node.id for node in nodes], texts, matrix)
        catalog.commit(made.id, [revision for revision, _ in group])
        stored += len(texts)
    stores.close()
    catalog.close()
    spent = clock.read()
    return _rates(count, spent, config.storage)


def _prepared(documents: str) -> list[tuple[Any, list[str]]]:
    """Revisions with the texts of their nodes."""
    from pipelines.catalog.cache import digest
    from pipelines.catalog.rows import Node, Revision
    from pipelines.documents import Document

    prepared: list[tuple[Any, list[str]]] = []
    for number, (text, pieces) in enumerate(_chunks(documents), 1):
        nodes = []
        for position, piece in enumerate(pieces):
            start, key = position * _CHUNK, digest(piece)
            node_id = f"{number:x}-{key.hex()[:20]}"
            nodes.append(Node(node_id, position, key, start, start + len(piece), tokens=500))
        revision = Revision(
            document=number,
            content=digest(text).hex(),
            load=f"{number:016x}",
            parse="bench",
            size=len(text),
            modified=1,
            nodes=nodes,
            text=Document(text, "text"),
            added=[node.id for node in nodes],
        )
        prepared.append((revision, pieces))
    return prepared


def theirs(documents: str, folder: str) -> dict[str, Any]:
    """`ChromaVectorStore.add` of nodes as the reader and the splitter make them, in the same groups."""
    from llama_index.core.schema import BaseNode, NodeRelationship, RelatedNodeInfo, TextNode

    from tests.bench.stock import store

    nodes: list[BaseNode] = []
    for number, (_, pieces) in enumerate(_chunks(documents)):
        metadata = {
            "file_path": f"/documents/{number:05}.txt",
            "file_name": f"{number:05}.txt",
            "file_type": "text/plain",
            "file_size": 22_000,
            "creation_date": "2026-01-01",
            "last_modified_date": "2026-01-01",
        }
        source = {NodeRelationship.SOURCE: RelatedNodeInfo(node_id=str(number), metadata=metadata)}
        nodes += [TextNode(text=piece, metadata=metadata, relationships=source) for piece in pieces]
    for node, vector in zip(nodes, _matrix(len(nodes)).tolist(), strict=True):
        node.embedding = vector
    store(f"{folder}-warm").add(nodes[:10])
    clock = Clock()
    opened = store(folder)
    for start in range(0, len(nodes), _GROUP):
        opened.add(nodes[start : start + _GROUP])
    return _rates(len(nodes), clock.read(), folder)


def _rates(count: int, spent: dict[str, float], folder: str | Path) -> dict[str, Any]:
    return {"rate": count / spent["seconds"], "lean": count / spent["cpu"], "bytes": disk(folder) / count}


def rows(work: Path) -> list[Row]:
    """Chunks a second, and bytes a chunk."""
    tell("storing")
    documents = english_folder(work / "english")
    mine, stock = alternate(
        2,
        lambda turn: in_process(ours, documents, work / f"store-ours-{turn}"),
        lambda turn: in_process(theirs, documents, work / f"store-stock-{turn}"),
    )
    speed, room = mine["rate"] / stock["rate"], mine["bytes"] / stock["bytes"]
    return [
        Row(
            "storing, speed",
            f"{mine['rate']:,.0f} chunks a second, {mine['lean']:,.0f} per CPU-second",
            f"{stock['rate']:,.0f} chunks a second, {stock['lean']:,.0f} per CPU-second",
            f"{speed:.2f}×",
            "≥ 3×",
            speed >= 3,
            f"{_CHUNKS:,} ready chunks of {_CHUNK:,} characters, in groups of {_GROUP:,}: embedding cache, catalog, "
            "vectors and keyword index of ours, against `ChromaVectorStore.add` alone, which has no keyword index.",
        ),
        Row(
            "storing, disk",
            f"{mine['bytes']:,.0f} bytes a chunk",
            f"{stock['bytes']:,.0f} bytes a chunk",
            f"{room:.3f}×",
            "≤ 0.25×",
            room <= 0.25,
            "What the same chunks take on the disk afterwards: of ours the text, the vectors twice (index and cache) "
            "and the keyword index.",
        ),
    ]

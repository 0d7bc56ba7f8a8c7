"""Is an index whole? What each document answers with, asked of the catalog and of an open index."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from pipelines.catalog.database import FILE_NAME
from pipelines.errors import StorageError
from pipelines.querying.index import OpenIndex
from tests.support.house import House

Passage = tuple[str, int | None, int | None]
Contents = dict[str, tuple[Passage, ...]]

ALL = 10_000
"""More than any index of these tests holds."""
WORD = "cafeteria"
"""Stands in many chunks of every corpus here."""


def contents(house: House) -> Contents:
    """The passages of each document that answers, with their spans; empty where nothing was ever ingested."""
    if not (house.config.storage / FILE_NAME).exists():
        return {}
    try:
        catalog = house.catalog()
    except StorageError as error:
        assert "empty" in str(error)
        return {}
    try:
        active = catalog.generations.active()
        found: Contents = {}
        for row in catalog.documents(active.id) if active else ():
            nodes = catalog.nodes(row.id)
            assert bool(nodes) == bool(row.content)
            if nodes:
                found[row.path] = tuple((text, node.start, node.end) for node, text in nodes)
        return found
    finally:
        catalog.close()


def check_whole(now: Contents, old: Mapping[str, object], new: Mapping[str, object]) -> None:
    """Each document is its complete old or its complete new version, and absent only where one of them is."""
    for name in {*now, *old, *new}:
        assert now.get(name) in (old.get(name), new.get(name)), f"{name} is neither old nor new"


def write_version(house: House, version: int, *, documents: int, lines: int) -> None:
    """Write documents each sentence of which says its version."""
    for number in range(documents):
        said = [
            f"Version {version} of line {line}: the cafeteria of house {number} opens."
            for line in range(lines)
        ]
        house.write(f"{number}.txt", "\n\n".join(said))


def check_versions(house: House, *, documents: int, lines: int) -> set[int]:
    """Each document answers with all lines of one version; the versions there are."""
    found = contents(house)
    assert len(found) == documents
    versions: set[int] = set()
    for name, passages in found.items():
        said = {line for text, *_ in passages for line in _SAID.findall(text)}
        version = {int(version) for version, _ in said}
        assert len(version) == 1, f"{name} is of versions {version} at once"
        assert len(said) == lines, f"{name} has {len(said)} lines of {lines}"
        versions |= version
    return versions


_SAID = re.compile(r"Version (\d+) of line (\d+)")


def check_answers(house: House, *, keywords: bool = True) -> None:
    """An index opened now finds every live node by meaning and by word, and nothing else.

    Without `keywords`, the keyword index may be incomplete, or missing with a clear error.
    """
    known = sum(map(len, contents(house).values()))
    try:
        index = OpenIndex(house.config)
    except StorageError as error:
        missing = not keywords and "keyword index" in str(error)
        assert missing or not known, f"{known} passages can't be asked for: {error}"
        return
    try:
        check_index(house, index, keywords=keywords)
    finally:
        index.close()


def check_index(house: House, index: OpenIndex, *, keywords: bool = True) -> None:
    """An open index finds every live node by meaning and by word, and nothing else."""
    live = live_texts(house)
    question = np.random.default_rng(7).standard_normal(384).tolist()
    near = [each.node.node_id for each in index.nearest(question, ALL)]
    assert len(near) == len(set(near))
    assert set(near) == set(live)
    match = [each.node.node_id for each in index.matching(WORD, ALL)]
    assert len(match) == len(set(match))
    assert set(match) <= set(live)
    assert not keywords or {key for key, text in live.items() if WORD in text} <= set(match)


def live_texts(house: House) -> dict[str, str]:
    """The text of each live node of the active generation, by its id."""
    catalog = house.catalog()
    try:
        active = catalog.generations.active()
        rows = catalog.documents(active.id) if active else []
        return {node.id: text for row in rows for node, text in catalog.nodes(row.id) if node.leaf}
    finally:
        catalog.close()


def check_clean(house: House, new: Contents) -> None:
    """All is as a clean run would have left it: the documents, no entry doubled or lost, nothing to sweep."""
    assert contents(house) == new
    assert house.agrees()
    catalog = house.catalog()
    try:
        for generation in catalog.generations.all():
            assert catalog.retired(generation.id) == []
        assert [each.state for each in catalog.generations.all()].count("active") == 1
        active = catalog.generations.active()
        assert active is not None
        assert all(row.state == "done" for row in catalog.documents(active.id))
    finally:
        catalog.close()
    check_answers(house)

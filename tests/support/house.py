"""A small knowledge base on disk: a folder of documents, a config, a storage."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from pipelines.catalog import Catalog
from pipelines.catalog.derived import open_keywords, open_vectors
from pipelines.config import Config, load_config
from pipelines.ingestion.events import Summary
from pipelines.ingestion.plan import Plan
from pipelines.ingestion.planning import make_plan
from pipelines.ingestion.run import ingest

ZH = "北京地铁有二十七条线路。工作满一年的员工每年有五天年假；满十年的有十天。年假要提前两周申请。"
EN = "The cafeteria opens at eight. Badges are issued by the front desk. Version 1.5.9 of the badge reader is R123-78."


@dataclass
class House:
    """What a test needs to write documents, edit the config, ingest and look at what is indexed."""

    root: Path
    settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.docs = self.root / "docs"
        self.docs.mkdir(parents=True, exist_ok=True)
        base: dict[str, Any] = {
            "storage": "storage",
            "loaders": {"files": {"type": "folder", "path": "docs"}},
            "node_parser": {"type": "sentence", "chunk_size": 64, "chunk_overlap": 8},
            "embed_model": {"type": "fake"},
        }
        self.settings = {**base, **self.settings}
        self.file = self.root / "config.yaml"
        self.edit()

    def edit(self, **changes: Any) -> None:
        """Change keys of the config and write it."""
        self.settings.update(changes)
        self.file.write_text(yaml.safe_dump(self.settings, allow_unicode=True), encoding="utf-8")

    def write(self, name: str, text: str) -> Path:
        """Write a document."""
        path = self.docs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def fill(self, count: int, version: str = "one") -> None:
        """Write some documents in both languages, each different."""
        for number in range(count):
            text = f"# Chapter {number}\n\n{version}: {number}. {ZH}\n\n{EN} This is number {number} of {version}.\n"
            self.write(f"doc{number:03}.md", text)

    @property
    def config(self) -> Config:
        """The config as it is on disk now."""
        return load_config(self.file)

    def plan(self, **options: Any) -> Plan:
        """What an ingestion would do."""
        config = self.config
        there = (config.storage / "catalog.sqlite").exists()
        catalog = Catalog(config.storage) if there else None
        try:
            return make_plan(config, catalog, **options)
        finally:
            if catalog:
                catalog.close()

    def ingest(self, **options: Any) -> Summary:
        """Bring the index in step."""
        return ingest(self.config, **options)

    def catalog(self) -> Catalog:
        """The catalog, for looking."""
        return Catalog(self.config.storage)

    def live(self) -> dict[str, list[str]]:
        """The texts of the live nodes of the active generation, by document."""
        catalog = self.catalog()
        active = catalog.generations.active()
        rows = catalog.documents(active.id) if active else []
        found = {row.path: [text for node, text in catalog.nodes(row.id) if node.leaf] for row in rows}
        catalog.close()
        return found

    def stores(self) -> tuple[set[str], set[str], set[str]]:
        """Ids that the catalog knows, that the vectors hold, and that the keyword index holds."""
        catalog = self.catalog()
        active = catalog.generations.active()
        assert active is not None
        config = self.config
        vectors = open_vectors(config.spec, config.storage, active)
        keywords = open_keywords(config.spec, config.storage, active, writable=False)
        found = catalog.leaf_ids(active.id), set(vectors.ids()), set(keywords.ids())
        assert vectors.count() == len(found[1])
        vectors.close()
        keywords.close()
        catalog.close()
        return found

    def agrees(self) -> bool:
        """Whether the catalog and both derived stores hold the same nodes, each once."""
        known, vectors, words = self.stores()
        return known == vectors == words

"""Adding files to a folder and removing them, with what a person is told about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from pipelines.config import Config
from pipelines.errors import SearchaskError
from pipelines.ingestion.scan import open_loaders
from pipelines.page import uploads
from pipelines.page.site import Entry
from pipelines.words import Words

TAKES = Words("Takes {endings}.", "可添加 {endings}。")
ADDED = Words("Added: {names}. Ingest to make it searchable.", "已添加：{names}。入库后即可检索。")
SURE = Words(
    "Delete “{name}” from its folder for good? It leaves the index with the next ingestion.",
    "从文件夹中彻底删除“{name}”？下次入库时它会从索引中移除。",
)
REMOVED = Words(
    "Deleted: {name}. Ingest to take it out of the index.", "已删除：{name}。入库后会从索引中移除。"
)

_LISTED = 5_000
_SMALLEST = 1_000_000


def add_all(config: Config, loader: str, paths: Sequence[str]) -> tuple[list[str], list[str]]:
    """Copy uploaded files into a loader's folder: the names added, and why others were refused."""
    added, refused = [], []
    for path in paths:
        try:
            added.append(uploads.add(config, loader, Path(path).name, path))
        except SearchaskError as reason:
            refused.append(str(reason))
    return added, refused


def removable(config: Config, loader: str) -> list[str]:
    """The documents of a loader that people may remove, the first 5,000."""
    if loader not in uploads.upload_loaders(config):
        return []
    return [
        source.path for source, _ in zip(open_loaders(config)[loader].scan(), range(_LISTED), strict=False)
    ]


def largest_upload(entries: Iterable[Entry]) -> int:
    """Bytes of the largest file that any loader with uploads takes; little where there is none."""
    sizes = [_SMALLEST]
    for entry in entries:
        try:
            config = entry.config()
        except SearchaskError:  # is told on the page, and takes no uploads until it is mended
            continue
        loaders = (config.spec.loaders[name] for name in uploads.upload_loaders(config))
        sizes += [int(getattr(loader, "max_file_size", 0)) for loader in loaders]
    return max(sizes)

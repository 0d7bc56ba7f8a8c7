"""A keyword index that this user may only read: Tantivy locks what it reads, so it gets a folder of links."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from pipelines.keyword import TantivyIndex
from pipelines.text.analyser import Analyser


class MirroredIndex(TantivyIndex):
    """A keyword index opened through links in a temporary folder."""

    def __init__(self, folder: Path, analyser: Analyser) -> None:
        self._source = folder
        self._mirror = TemporaryDirectory(prefix="searchask-")
        self._link()
        super().__init__(Path(self._mirror.name), analyser, writable=False)

    def reload(self) -> None:
        """See what another process committed."""
        self._link()
        super().reload()

    def close(self) -> None:
        """Give back files, and the links."""
        super().close()
        self._mirror.cleanup()

    def _link(self) -> None:
        for path in self._source.iterdir() if self._source.is_dir() else ():
            link = Path(self._mirror.name) / path.name
            if path.suffix != ".lock" and not link.is_symlink():
                link.symlink_to(path.absolute())

"""txtai's side of the whole ingestion; runs in its own environment: `txtai_side.py DOCUMENTS FOLDER`."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from txtai import Embeddings  # type: ignore[import-not-found]

_PASSAGE = 2_200
_POOL = np.random.default_rng(1).standard_normal(1_000_000).astype(np.float32)


def _embed(texts: list[str]) -> np.ndarray:
    """Vectors from a hash of the text, in no time."""
    places = [
        int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest()) % 999_000 for text in texts
    ]
    matrix = np.stack([_POOL[place : place + 384] for place in places])
    unit: np.ndarray = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
    return unit


def _passages(folder: Path) -> Iterator[tuple[str, str]]:
    """Paragraphs, packed up to a size."""
    for file in sorted(folder.iterdir()):
        packed = ""
        for paragraph in file.read_text("utf-8").split("\n\n"):
            if packed and len(packed) + len(paragraph) > _PASSAGE:
                yield file.name, packed
                packed = ""
            packed = f"{packed}\n\n{paragraph}" if packed else paragraph
        if packed:
            yield file.name, packed


def _index(passages: Iterator[tuple[str, str]], folder: str) -> int:
    embeddings = Embeddings(method="external", transform=_embed, content=True, hybrid=True)
    embeddings.index(
        (f"{name}-{number}", {"text": text, "file": name}, None)
        for number, (name, text) in enumerate(passages)
    )
    embeddings.save(folder)
    return int(embeddings.count())


def _peak() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


if __name__ == "__main__":
    documents, target = sys.argv[1:]
    _index(iter([("one.txt", "The first document is small.")]), f"{target}-warm")
    began, cpu = time.perf_counter(), time.process_time()
    count = _index(_passages(Path(documents)), target)
    spent = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu}
    print(json.dumps({**spent, "chunks": count, "peak": _peak()}))

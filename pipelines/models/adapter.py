"""A linear map of question vectors, trained for one embed model: its file, and what it does to a vector."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.lib import format as npy

from pipelines.errors import SearchaskError, StorageError

if TYPE_CHECKING:
    from pipelines.index import Vector

FORMAT = 1
MOST_DIMENSIONS = 4096
"""Of the vectors of any model here; the weights then take 64 MB."""
LARGEST = 4 * MOST_DIMENSIONS**2 + 2**20
"""Bytes of a file that is read, packed and unpacked."""
_LONGEST = 64 * 1024
"""Bytes of what a file says of itself."""
_ABOUT, _WEIGHTS = "about", "weights"


@dataclass(frozen=True, eq=False)
class Adapter:
    """Weights of shape (dimension, dimension): a question's vector q becomes weights @ q."""

    weights: Vector
    model: str
    """`key` of the embed model for which it was trained."""
    about: dict[str, Any] = field(default_factory=dict)
    """How it was trained and what it gained, for people."""

    @property
    def dimension(self) -> int:
        """Of the vectors that it takes and gives."""
        return len(self.weights)

    @cached_property
    def content(self) -> str:
        """A hash of all that decides its results: equal for equal weights, whatever the file is called."""
        digest = hashlib.blake2b(self.model.encode(), digest_size=8)
        digest.update(np.ascontiguousarray(self.weights, dtype="<f4").tobytes())
        return digest.hexdigest()

    def moved(self, vectors: Vector) -> Vector:
        """Vectors of questions, of shape (dimension,) or (any, dimension), as it moves them; their lengths stay.

        Raises StorageError for vectors of another dimension and for one of which nothing is left.
        """
        if vectors.shape[-1] != self.dimension:
            raise StorageError(
                f"the adapter of embed_model takes vectors of {self.dimension} dimensions, and those of the model "
                f"have {vectors.shape[-1]}: train it again"
            )
        moved = vectors @ self.weights.T
        lengths = np.linalg.norm(moved, axis=-1, keepdims=True)
        if not (np.isfinite(lengths).all() and lengths.all()):
            raise StorageError("the adapter of embed_model leaves nothing of a question: train it again")
        scaled: Vector = (moved * (np.linalg.norm(vectors, axis=-1, keepdims=True) / lengths)).astype(
            np.float32
        )
        return scaled


def write_adapter(file: Path, adapter: Adapter) -> None:
    """Write it as a whole, or leave what was there; raises SearchaskError where it can't be written."""
    about = {"format": FORMAT, "model": adapter.model, **adapter.about}
    arrays = {
        _ABOUT: np.frombuffer(json.dumps(about, ensure_ascii=False).encode(), dtype=np.uint8),
        _WEIGHTS: np.ascontiguousarray(adapter.weights, dtype="<f4"),
    }
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as stream:
            np.savez(stream, **arrays)  # type: ignore[arg-type]  # numpy's stub takes `allow_pickle` for one of them
        part.replace(file)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise SearchaskError(f"{file} can't be written: {error.strerror}") from None


def read_adapter(file: Path) -> Adapter:
    """The adapter in a file from anywhere; raises SearchaskError that says what is wrong with it."""
    try:
        if file.stat().st_size > LARGEST:
            raise SearchaskError(f"{file} is no adapter: it is larger than {LARGEST // 2**20} MB")
        with zipfile.ZipFile(file) as archive:
            content = _array(archive, _ABOUT, np.dtype(np.uint8), most=_LONGEST).tobytes()
            weights = _array(archive, _WEIGHTS, np.dtype("<f4"), most=LARGEST)
    except OSError as error:
        raise SearchaskError(f"{file} can't be read: {error.strerror or error}") from None
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, KeyError, ValueError) as error:
        raise SearchaskError(
            f"{file} is no adapter that `finetune embedding` wrote: {_said(error)}"
        ) from None
    about = _about(content)
    if about is None:
        raise SearchaskError(f"{file} is no adapter that `finetune embedding` wrote: nothing tells its model")
    if about.pop("format", None) != FORMAT:
        raise SearchaskError(f"{file} was written by another version of Searchask: train it again")
    if weights.ndim != 2 or not 1 < len(weights) == weights.shape[1] <= MOST_DIMENSIONS:
        raise SearchaskError(f"{file} holds weights of shape {weights.shape}, which fit no vectors")
    if not np.isfinite(weights).all():
        raise SearchaskError(f"{file} holds weights that are NaN or infinite")
    return Adapter(weights, str(about.pop("model")), about)


def _array(archive: zipfile.ZipFile, name: str, dtype: np.dtype[Any], *, most: int) -> Any:
    """One array, of which nothing is believed before it is checked: neither its size nor its type.

    numpy would make room for whatever shape a header claims, so the header is read first.
    """
    entry = archive.getinfo(f"{name}.npy")
    if entry.file_size > most:
        raise ValueError(f"{name} is too large")
    with archive.open(entry) as stream:
        if npy.read_magic(stream) != (1, 0):
            raise ValueError(f"{name} has a newer format")
        shape, by_columns, found = _header(stream)
        size = dtype.itemsize
        for length in shape:
            size *= length
        if found != dtype or by_columns or not 0 < size <= most:
            raise ValueError(f"{name} holds {found} of shape {shape}")
        data = stream.read(size)
        if len(data) != size:
            raise ValueError(f"{name} is cut short")
    return np.frombuffer(data, dtype=dtype).reshape(shape)


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    header: tuple[tuple[int, ...], bool, np.dtype[Any]] = npy.read_array_header_1_0(stream)
    return header


def _about(content: bytes) -> dict[str, Any] | None:
    try:
        about = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return about if isinstance(about, dict) and isinstance(about.get("model"), str) else None


def _said(error: Exception) -> str:
    return (" ".join(str(error).strip("'\"").split()) or type(error).__name__)[:200]

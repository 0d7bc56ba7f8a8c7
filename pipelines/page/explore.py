"""How similar texts are to an embed model."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from pipelines.config import Config
from pipelines.errors import SearchaskError
from pipelines.evaluation.similarity import compare
from pipelines.models.embedder import Embedder
from pipelines.spec import Spec, fingerprint
from pipelines.words import Language, Words

MOST_TEXTS = 20
LONGEST_TEXT = 2_000
"""Characters of a text that is compared."""
_MODELS = 2
"""Models kept loaded for comparing texts."""

_TOO_FEW = Words("Write at least two texts.", "请至少写两段文字。")
_TOO_MANY = Words("At most {most} texts can be compared at once.", "一次最多比较 {most} 段文字。")
_TOO_LONG = Words(
    "Text {number} has {size} characters; at most {most} can be compared.",
    "第 {number} 段文字有 {size} 个字符，最多只能比较 {most} 个。",
)
_CLOSEST = Words("Closest: “{one}” and “{other}”, {cosine}.", "最相近：“{one}”与“{other}”，{cosine}。")


@dataclass(frozen=True, slots=True)
class Similarity:
    """How similar texts are to an embed model."""

    names: list[str]
    """The texts, long ones shortened."""
    matrix: list[list[float]]
    """Cosines of each text with each, to three places."""
    tokens: list[int]
    """Of each text, as chunks are counted."""
    dimension: int
    model: str
    note: str
    """Which two are closest, in a sentence."""


_embedders: OrderedDict[str, Embedder] = OrderedDict()
_loading = threading.Lock()


def similarity(config: Config, texts: Sequence[str], language: Language) -> Similarity:
    """Compare texts by the config's embed model; blank ones are left out."""
    texts = [" ".join(text.split()) for text in texts if text.strip()]
    if len(texts) < 2:
        raise SearchaskError(_TOO_FEW.of(language))
    if len(texts) > MOST_TEXTS:
        raise SearchaskError(_TOO_MANY.of(language, most=MOST_TEXTS))
    for number, text in enumerate(texts, 1):
        if len(text) > LONGEST_TEXT:
            raise SearchaskError(
                _TOO_LONG.of(language, number=number, size=f"{len(text):,}", most=f"{LONGEST_TEXT:,}")
            )
    found = compare(_embedder(config.spec.embed_model), texts)
    names = [text if len(text) <= 30 else text[:29] + "…" for text in texts]
    one, other = found.closest
    cosine = f"{found.cosines[one][other]:.3f}"
    return Similarity(
        names=names,
        matrix=[[round(each, 3) for each in row] for row in found.cosines],
        tokens=found.tokens,
        dimension=found.dimension,
        model=found.model,
        note=_CLOSEST.of(language, one=names[one], other=names[other], cosine=cosine),
    )


def _embedder(spec: Any) -> Embedder:
    """The model of a config, loaded once for as long as it is among the last ones asked for."""
    key = _identity(spec) + (spec.held.content if spec.held else "")
    with _loading:
        if key not in _embedders:
            _embedders[key] = spec.embedder()
        _embedders.move_to_end(key)
        while len(_embedders) > _MODELS:
            _embedders.popitem(last=False)
        return _embedders[key]


def _identity(spec: Spec) -> str:
    """A hash of all fields, keys and addresses too: an edited key must make another client."""
    fields = {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value for name, value in spec
    }
    return fingerprint(fields)

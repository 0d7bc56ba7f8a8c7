"""A calibration file: thresholds that were measured on questions, and how they take their place in a config."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError

from pipelines.components.postprocessors import Evidence, SimilarityCutoff
from pipelines.components.retrievers import parts_of
from pipelines.errors import SearchaskError
from pipelines.schema import PipelineSpec
from pipelines.spec import Spec, fingerprint
from pipelines.words import Words

_HEAD = """\
# Written by `searchask calibrate`: thresholds of the top score (`cutoff`) and of `evidence` that tell questions which
# the documents answer from those which they don't. A config reads it by `calibration:` and names it by
# `{type: evidence, calibrated: true}` or `{type: similarity_cutoff, cutoff: calibrated}`.
"""

_NOT_YET = Words(
    "engine '{engine}' is not calibrated yet: `searchask calibrate FILE --questions Q.jsonl` does it",
    "引擎 '{engine}' 尚未校准：请运行 `searchask calibrate FILE --questions Q.jsonl`",
)
_OUTDATED = Words(
    "the calibration of engine '{engine}' was made with another retriever or embed_model: calibrate again",
    "引擎 '{engine}' 的校准所用的检索器或 embed_model 与现在不同：请重新校准",
)


class EvidenceNumbers(Spec):
    """What `evidence` takes."""

    words: float
    stands_out: float
    across_languages: float


class Refused(Spec):
    """How often questions are refused, as shares from 0 to 1."""

    right: float
    """Of the questions that the documents don't answer."""
    wrong: float
    """Of those that they answer."""
    balanced_accuracy: float
    """The mean of what is right of both."""


class EngineCalibration(Spec):
    """What was found for one query engine."""

    made_with: str
    """Fingerprint of the embed model and the retriever; with others the scores mean something else."""
    answerable: int
    """Questions that the documents answer."""
    unanswerable: int
    """Questions that they don't."""
    auc: float
    """Chance that an answerable question has a higher top score than another."""
    cutoff: float
    """Lowest top score of a question that is answered."""
    evidence: EvidenceNumbers
    by_cutoff: Refused
    """With the cutoff, on questions that were left out when it was chosen."""
    by_evidence: Refused
    """With these numbers of `evidence`, on questions that were left out when they were chosen."""
    by_default: Refused
    """With the numbers that `evidence` has without a calibration."""


class Calibration(Spec):
    """The whole file."""

    how: str
    """On which questions it was made, and when."""
    engines: dict[str, EngineCalibration] = Field(default_factory=dict)


def read_calibration(file: Path) -> Calibration:
    """A calibration file; raises SearchaskError where it is none."""
    try:
        data: Any = yaml.safe_load(file.read_text(encoding="utf-8"))
        return Calibration.model_validate(data)
    except OSError as error:
        raise SearchaskError(f"{file} can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SearchaskError(f"{file} is no UTF-8 text") from None
    except yaml.YAMLError as error:
        raise SearchaskError(f"{file} is no YAML: {str(error).splitlines()[0]}") from None
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SearchaskError(f"{file} is no calibration ({where}: {first['msg']}); calibrate again") from None


def write_calibration(file: Path, calibration: Calibration) -> None:
    """Write a calibration file; raises OSError."""
    body = yaml.safe_dump(calibration.model_dump(), sort_keys=False, allow_unicode=True, width=110)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(_HEAD + body, encoding="utf-8")


def made_with(spec: PipelineSpec, engine: str) -> str:
    """What the scores of an engine depend on: its embed model and all that its retriever is made of."""
    parts: dict[str, Any] = {}

    def take(name: str) -> None:
        if name not in parts and name in spec.retrievers:
            retriever = spec.retrievers[name]
            parts[name] = retriever.model_dump(
                mode="json", by_alias=True, exclude={"filters"}, exclude_defaults=True
            )
            for part in parts_of(retriever):
                take(part)

    take(spec.query_engines[engine].retriever)
    return fingerprint(spec.embed_model.question_identity(), list(parts.values()))


def applied(
    spec: PipelineSpec, calibration: Calibration | None
) -> tuple[PipelineSpec, Mapping[str, tuple[Words, ...]]]:
    """The config with calibrated numbers in their places, and what a person should know of each engine."""
    notes: dict[str, tuple[Words, ...]] = {}
    engines = dict(spec.query_engines)
    for name, engine in spec.query_engines.items():
        wanting = [step for step in engine.postprocessors if _wants(step)]
        if not wanting:
            continue
        found = calibration.engines.get(name) if calibration else None
        if found is None:
            notes[name] = (_NOT_YET,)
            continue
        if found.made_with != made_with(spec, name):
            notes[name] = (_OUTDATED,)
        steps = [_filled(step, found) for step in engine.postprocessors]
        engines[name] = engine.model_copy(update={"postprocessors": steps})
    return spec.model_copy(update={"query_engines": engines}), notes


def _wants(step: object) -> bool:
    if isinstance(step, Evidence):
        return step.calibrated
    return isinstance(step, SimilarityCutoff) and step.cutoff == "calibrated"


def _filled(step: Any, found: EngineCalibration) -> Any:
    if not _wants(step):
        return step
    if isinstance(step, Evidence):
        return step.model_copy(update=found.evidence.model_dump())
    return step.model_copy(update={"cutoff": found.cutoff})

"""The other files that a config names: word lists, calibrations and adapters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipelines.config.calibration import applied, read_calibration
from pipelines.errors import Problem, SearchaskError

if TYPE_CHECKING:
    from pipelines.components.runtime.moderation import Moderator
    from pipelines.config import Config


def with_files(config: Config) -> tuple[Config, list[Problem]]:
    """The config with its calibration in place, and what is wrong with the files that it names.

    A calibration that is not there yet is no error: what it is made with must be ingested first.
    """
    from dataclasses import replace

    problems = list(_word_list(config))
    config, wrong = _with_adapter(config)
    problems += wrong
    calibration = None
    if config.spec.calibration:
        file = config.resolve("calibration")
        try:
            calibration = read_calibration(file) if file.exists() else None
        except SearchaskError as error:
            problems.append(_problem(config, str(error), "calibration"))
    spec, notes = applied(config.spec, calibration)
    return replace(config, spec=spec, notes=notes), problems


def moderator_of(config: Config) -> Moderator | None:
    """Who moderates; None where nobody does. Raises SearchaskError where its files or keys are wrong."""
    spec = config.spec.moderation
    if spec is None:
        return None
    from pipelines.components.runtime.moderation import Moderator

    return Moderator(spec, config.resolve("moderation", "words") if spec.words else None)


def _with_adapter(config: Config) -> tuple[Config, list[Problem]]:
    """The config with its embed model's adapter read, which must be one for this model."""
    model = config.spec.embed_model
    if not model.adapter:
        return config, []
    from dataclasses import replace

    from pipelines.models.adapter import read_adapter

    file = config.resolve("embed_model", "adapter")
    try:
        adapter = read_adapter(file)
        if adapter.model != model.key:
            raise SearchaskError(
                f"{file} was trained for another embed_model than {model.label}: train it again"
            )
    except SearchaskError as error:
        return config, [_problem(config, str(error), "embed_model", "adapter")]
    spec = config.spec.model_copy(update={"embed_model": model.holding(adapter)})
    return replace(config, spec=spec), []


def _word_list(config: Config) -> Iterator[Problem]:
    if config.spec.moderation and config.spec.moderation.words:
        from pipelines.text.word_list import WordList

        try:
            WordList(config.resolve("moderation", "words"))
        except SearchaskError as error:
            yield _problem(config, str(error), "moderation", "words")


def _problem(config: Config, message: str, *path: str) -> Problem:
    node = config.tree.at(path)
    key = ".".join(path)
    if node is None:
        return Problem(str(config.path), 1, 1, key, message)
    return Problem(node.file, node.line, node.column, key, message)

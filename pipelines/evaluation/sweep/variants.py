"""The variants of a base config: all of a grid, or some of it drawn at random; each a valid config."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from math import prod
from typing import Any

from pipelines.config import Config
from pipelines.config.patched import patched
from pipelines.errors import ConfigError, Problem
from pipelines.evaluation.indexes import index_key
from pipelines.evaluation.sweep.experiments import MOST, Experiments
from pipelines.evaluation.sweep.yaml_text import flow
from pipelines.marked_yaml import Marked, dotted
from pipelines.marked_yaml import Path as Keys
from pipelines.references import RUN_HERE

BASE = "base"
_SHORT = 40
"""Characters of a value in a name."""

Changes = Mapping[Keys, Marked]


@dataclass(frozen=True, slots=True)
class Variant:
    """A config that is measured."""

    name: str
    """`base`, or what is changed: `chunk_size=256 top_k=6`."""
    changes: dict[str, Any]
    """By path, as the file of experiments writes it; empty for the base."""
    config: Config
    edits: int = 0
    """Changes to other values than the base has."""

    @property
    def index(self) -> str:
        """Equal for variants that share an index."""
        return index_key(self.config)


def variants(experiments: Experiments) -> list[Variant]:
    """The base, then its variants, those that share an index one after another.

    A variant that is the base by other words is left out. Raises ConfigError with every problem of any of them.
    """
    base = experiments.base
    found = [Variant(BASE, {}, base)]
    problems: list[Problem] = []
    blame = _Blame(experiments)
    chosen = list(_chosen(experiments))
    names = _names(experiments)
    for changes in chosen:
        try:
            config = patched(base, changes)
        except ConfigError as error:
            problems += blame.placed(error.problems, changes)
            continue
        problems += _unpriced(experiments, config)
        if experiments.engine not in config.spec.query_engines:
            message = f"this variant has no query engine '{experiments.engine}'"
            problems += blame.placed([Problem(str(base.path), 1, 1, "query_engines", message)], changes)
        if not same(config, base):
            plain = {dotted(path): value.plain() for path, value in changes.items()}
            name = " ".join(f"{names[path]}={_short(value.plain())}" for path, value in changes.items())
            found.append(Variant(name, plain, config, _edits(base, config, changes)))
    problems += _unpriced(experiments, base)
    if problems:
        raise ConfigError(sorted(set(problems)))
    order = {key: place for place, key in reversed(list(enumerate(each.index for each in found)))}
    return sorted(found, key=lambda each: order[each.index])


def _edits(base: Config, config: Config, changes: Changes) -> int:
    def at(of: Config, path: Keys) -> Any:
        node = of.tree.at(path)
        return None if node is None else node.plain()

    return sum(at(base, path) != at(config, path) for path in changes)


def same(one: Config, other: Config) -> bool:
    """Whether two configs mean the same, the folders included to which their paths are relative."""
    specs = [each.spec.model_copy(update={"extends": ""}) for each in (one, other)]
    return specs[0] == specs[1] and _folders(one) == _folders(other)


def _folders(config: Config) -> dict[Keys, object]:
    """Where the files are that a config names."""
    found: dict[Keys, object] = {
        ("loaders", name): config.base_of("loaders", name) for name in config.spec.loaders
    }
    for path in (("storage",), ("embed_model", "adapter"), ("calibration",), ("moderation", "words")):
        node = config.tree.at(path)
        if node is not None and isinstance(node.value, str):
            found[path] = config.resolve(*path)
    return found


def _chosen(experiments: Experiments) -> Iterator[Changes]:
    values = experiments.values
    count, draws = prod(map(len, values.values())), experiments.draws
    if draws is None or draws >= count:
        if count > MOST:
            raise ConfigError(
                [
                    _at_key(
                        experiments,
                        "experiments",
                        f"{count:,} variants are too many: at most {MOST:,}, or `search: {{random: 20}}`",
                    )
                ]
            )
        for chosen in product(*values.values()):
            yield dict(zip(values, chosen, strict=True))
        return
    drawn: set[tuple[int, ...]] = set()
    source = random.Random(experiments.seed)
    while len(drawn) < draws:
        places = tuple(source.randrange(len(each)) for each in values.values())
        if places not in drawn:
            drawn.add(places)
            yield {path: each[place] for (path, each), place in zip(values.items(), places, strict=True)}


def _at_key(experiments: Experiments, key: str, message: str) -> Problem:
    node = experiments.marks[key]
    return Problem(node.file, node.key_line, node.key_column, key, message)


def _unpriced(experiments: Experiments, config: Config) -> Iterator[Problem]:
    """A budget in money for a model whose price nobody gave."""
    if experiments.budget.money is None:
        return
    for part in ("llm", "embed_model"):
        model = getattr(config.spec, part)
        if model is not None and model.type not in RUN_HERE and model.price is None:
            message = f"money can't be counted: `{part}` gives no `price`"
            yield replace(_at_key(experiments, "budget", message), key="budget.money")


class _Blame:
    """Finds the line of the experiments from which a problem comes."""

    def __init__(self, experiments: Experiments) -> None:
        self._base, self._file = experiments.base, str(experiments.file)
        self._alone: dict[tuple[Keys, int], set[Problem]] = {}

    def placed(self, problems: list[Problem], changes: Changes) -> Iterator[Problem]:
        """The problems, each at the value that is to blame, or at all of them together."""
        for problem in problems:
            if problem.file == self._file:
                yield problem
                continue
            guilty = [path for path, value in changes.items() if problem in self._of(path, value)]
            path = guilty[0] if guilty else next(iter(changes))
            value = changes[path]
            named = changes if not guilty else {path: value}
            told = ", ".join(f"{dotted(at)} {_short(each.plain())}" for at, each in named.items())
            message = f"with {told}: {problem}"
            yield Problem(value.file, value.line, value.column, dotted(path), message)

    def _of(self, path: Keys, value: Marked) -> set[Problem]:
        """What is wrong with the base where this one value is changed."""
        key = (path, id(value))
        if key not in self._alone:
            self._alone[key] = set()
            try:
                patched(self._base, {path: value})
            except ConfigError as error:
                self._alone[key] = set(error.problems)
        return self._alone[key]


def _names(experiments: Experiments) -> dict[Keys, str]:
    """Paths by their last key, or whole where two have the same."""
    lasts = [_last(path) for path in experiments.values]
    return {
        path: last if lasts.count(last) == 1 else dotted(path)
        for path, last in zip(experiments.values, lasts, strict=True)
    }


def _last(path: Keys) -> str:
    place = max(at for at, step in enumerate(path) if isinstance(step, str))
    return dotted(path[place:])


def _short(value: Any) -> str:
    text = flow(value)
    return text if len(text) <= _SHORT else text[: _SHORT - 1] + "…"

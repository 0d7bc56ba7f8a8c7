"""The file of a sweep: a base config, which of its values are tried, how, and what may be spent on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any

from pipelines.config import Config, load_config
from pipelines.errors import ConfigError, Problem
from pipelines.evaluation.gates import SHORT
from pipelines.evaluation.metrics import METRICS
from pipelines.evaluation.sweep.places import check, path_of
from pipelines.marked_yaml import MAX_BYTES, Marked, dotted, parse
from pipelines.marked_yaml import Path as Keys
from pipelines.references import suggestion

MOST = 1_000
"""Variants of one sweep."""
_KEYS = ("base", "questions", "split", "engine", "metric", "search", "budget", "experiments")


@dataclass(frozen=True, slots=True)
class Budget:
    """What a sweep may take; it stops before the next variant once one of these is passed."""

    runs: float | None = None
    """Variants, besides the base."""
    minutes: float | None = None
    money: float | None = None
    """In the currency of the config's prices."""


@dataclass(frozen=True, slots=True)
class Experiments:
    """What a file of experiments says."""

    file: Path
    base: Config
    questions: Path | None
    split: str
    engine: str
    """Empty for the first of the base."""
    metric: str
    draws: int | None
    """Variants that are drawn at random; None for all of them."""
    seed: int
    budget: Budget
    values: Mapping[Keys, tuple[Marked, ...]] = field(repr=False)
    """By path of the base, what is tried."""
    marks: Mapping[str, Marked] = field(repr=False)
    """By key of the file, where it stands."""


def read_experiments(file: str | Path) -> Experiments:
    """Read a file of experiments; raises ConfigError with everything that is wrong with it and with its base."""
    file = Path(file)
    root = _root(file)
    reading = _Reading(file, root)
    found = reading.experiments()
    if found is None or reading.problems:
        raise ConfigError(sorted(set(reading.problems)))
    return found


def _root(file: Path) -> dict[str, Marked]:
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a file name"
        raise ConfigError([Problem(str(file), 1, 1, "", f"can't be read: {reason}")]) from None
    tree, problems = parse(content, str(file))
    if not problems and (tree is None or not isinstance(tree.value, dict)):
        message = "a file of experiments is a map with `base`, `questions` and `experiments`"
        problems = [Problem(str(file), 1, 1, "", message)]
    if problems:
        raise ConfigError(problems)
    assert tree is not None and isinstance(tree.value, dict)
    return tree.value


class _Reading:
    """Reads the values of one file and keeps every problem."""

    def __init__(self, file: Path, root: dict[str, Marked]) -> None:
        self._file, self._root = file, root
        self.problems: list[Problem] = []

    def experiments(self) -> Experiments | None:
        """All of it; None where there is no base to try anything on."""
        self._keys(self._root, _KEYS, "")
        for key in ("base", "experiments"):
            if key not in self._root:
                self.problems.append(Problem(str(self._file), 1, 1, key, "missing"))
        base = self._base()
        draws, seed = self._search()
        questions, engine = self._text("questions"), self._text("engine")
        if base is not None and engine and engine not in base.spec.query_engines:
            known = suggestion(engine, base.spec.query_engines)
            self._wrong(self._root["engine"], "engine", f"the base has no query engine '{engine}'{known}")
        values = dict(self._values(base))
        metric, budget = self._metric(), self._budget()
        if base is None:
            return None
        return Experiments(
            file=self._file,
            base=base,
            questions=self._file.parent / Path(questions).expanduser() if questions else None,
            split=self._text("split"),
            engine=engine or next(iter(base.spec.query_engines)),
            metric=metric,
            draws=draws,
            seed=seed,
            budget=budget,
            values=values,
            marks=self._root,
        )

    def _base(self) -> Config | None:
        named = self._text("base")
        if not named:
            return None
        path = self._file.parent / Path(named).expanduser()
        try:
            return load_config(path)
        except ConfigError as error:
            self.problems += error.problems
            return None

    def _metric(self) -> str:
        named = self._text("metric") or "mrr"
        metric = SHORT.get(named, named)
        if metric not in METRICS:
            message = f"no metric is called '{named}'{suggestion(named, [*METRICS, *SHORT])}"
            self._wrong(self._root["metric"], "metric", message)
        return metric

    def _search(self) -> tuple[int | None, int]:
        node = self._root.get("search")
        if node is None or node.value == "grid":
            return None, 0
        if not isinstance(node.value, dict) or "random" not in node.value:
            self._wrong(node, "search", "must be grid, or {random: 12, seed: 0}")
            return None, 0
        self._keys(node.value, ("random", "seed"), "search.")
        draws = self._number(node.value, "search.", "random", least=1, whole=True)
        seed = self._number(node.value, "search.", "seed", least=0, whole=True)
        if draws is not None and draws > MOST:
            self._wrong(node.value["random"], "search.random", f"must be at most {MOST}")
        return int(draws or 1), int(seed or 0)

    def _budget(self) -> Budget:
        node = self._root.get("budget")
        if node is None:
            return Budget()
        if not isinstance(node.value, dict):
            self._wrong(node, "budget", "must be a map such as {runs: 20, minutes: 30, money: 1.0}")
            return Budget()
        self._keys(node.value, ("runs", "minutes", "money"), "budget.")
        return Budget(
            self._number(node.value, "budget.", "runs", least=1, whole=True),
            self._number(node.value, "budget.", "minutes", least=0),
            self._number(node.value, "budget.", "money", least=0),
        )

    def _values(self, base: Config | None) -> Iterator[tuple[Keys, tuple[Marked, ...]]]:
        node = self._root.get("experiments")
        if node is None:
            return
        if not isinstance(node.value, dict) or not node.value:
            self._wrong(node, "experiments", "must be a map such as node_parser.chunk_size: [128, 256]")
            return
        seen: dict[Keys, str] = {}
        for key, tried in node.value.items():
            try:
                path = path_of(key)
                inside = next((name for at, name in seen.items() if at[: len(path)] == path[: len(at)]), None)
                if inside is not None:
                    raise ValueError(f"is changed by {inside} too: name it once, with whole values")
                if base is not None:
                    check(path, base.spec)
            except ValueError as error:
                self.problems.append(Problem(tried.file, tried.key_line, tried.key_column, key, str(error)))
                continue
            seen[path] = key
            yield path, tuple(self._tried(key, tried))

    def _tried(self, key: str, node: Marked) -> Iterator[Marked]:
        if not isinstance(node.value, list) or not node.value:
            self._wrong(node, key, "must be a list of the values to try, such as [128, 256]")
            return
        seen: list[tuple[type, Any]] = []
        for each in node.value:
            plain = (type(each.value), each.plain())  # 1 and true are equal in Python
            if plain in seen:
                self._wrong(each, key, "stands in this list twice")
            seen.append(plain)
            yield each

    def _text(self, key: str) -> str:
        node = self._root.get(key)
        if node is None:
            return ""
        if not isinstance(node.value, str) or not node.value.strip() or "\0" in node.value:
            self._wrong(node, key, "must be text")
            return ""
        return node.value

    def _number(
        self, of: Mapping[str, Marked], prefix: str, key: str, *, least: float, whole: bool = False
    ) -> float | None:
        node = of.get(key)
        if node is None:
            return None
        value = node.value
        number = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
        if not number or not isfinite(value) or value < least:  # type: ignore[arg-type, operator]
            message = f"must be a {'whole ' if whole else ''}number, at least {least:g}"
            self._wrong(node, prefix + key, message)
            return None
        return value  # type: ignore[return-value]

    def _keys(self, of: Mapping[str, Marked], known: tuple[str, ...], prefix: str) -> None:
        for key, node in of.items():
            if key not in known:
                place = Problem(
                    node.file,
                    node.key_line,
                    node.key_column,
                    dotted((prefix + key,)),
                    f"unknown key{suggestion(key, known)}",
                )
                self.problems.append(place)

    def _wrong(self, node: Marked, key: str, message: str) -> None:
        self.problems.append(Problem(node.file, node.line, node.column, dotted((key,)), message))

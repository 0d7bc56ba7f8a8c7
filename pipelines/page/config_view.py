"""What the page shows of a config: its text and errors, where values come from, what the index was built with."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError

from pipelines.catalog import Catalog, Generation
from pipelines.catalog.derived import as_built
from pipelines.config import Config, load_config
from pipelines.config.variables import expand_text
from pipelines.describe import explain, written
from pipelines.errors import ConfigError, Problem
from pipelines.ingestion.fingerprints import LoadKey, generation_key, parse_key
from pipelines.marked_yaml import MAX_BYTES, parse
from pipelines.page.masking import Secret, masked, masked_line
from pipelines.page.table import Table
from pipelines.spec import Spec
from pipelines.words import Language, Words

_MOST_FILES = 20
"""Files of one chain of `extends` that are shown, at most."""
_PARTS = ("embed_model", "vector_store", "keyword")

_PROBLEM_HEAD = Words("File|Line|Column|Key|What is wrong", "文件|行|列|键|问题")
_EXPLAIN_HEAD = Words("Key|Value|Where from", "键|值|来源")
_BUILT_HEAD = Words("Key|The index was built with|The config says now", "键|索引构建时|当前配置")
_DEFAULT = Words("default", "默认值")
_ABSENT = Words("nothing", "无")
_UNKNOWN_RECIPE = Words("an earlier version of Searchask", "较早版本的 Searchask")
_NEW_ANALYSER = Words("an earlier version of it", "较早的版本")
_THIS_VERSION = Words("this version", "当前版本")

_NEVER = Words(
    "Nothing is ingested yet: the first run reads, cuts and embeds every document.",
    "尚未入库：首次运行会读取、切分并向量化全部文档。",
)
_SAME = Words(
    "The index was built as the config says. Rerunning only looks for new, changed and vanished documents.",
    "索引与当前配置一致。重新运行只会检查新增、修改和消失的文档。",
)
_SECOND = Words(
    "Rerunning builds a second index of {count} documents beside this one; questions go to it once it is complete.",
    "重新运行会在现有索引旁另建一个索引（{count} 个文档），完成后问题才会切换过去。",
)
_BACK = Words(
    "An index of this kind is still there: rerunning brings it in step with the documents, and questions go to it.",
    "符合此配置的索引仍然保留：重新运行会使其与文档同步，随后问题切换过去。",
)
_RECUT = Words(
    "node_parser was edited: {count} documents are cut again; only chunks with a new text are embedded.",
    "node_parser 已修改：{count} 个文档将重新切分，只有文本有变化的片段才重新向量化。",
)
_REREAD = Words(
    "They are read in another way since: {count} documents are read again; only chunks with a new text are embedded.",
    "读取方式已变化（加载选项或读取器版本）：{count} 个文档将重新读取，只有文本有变化的片段才重新向量化。",
)
_DROPPED = Words(
    "{loader} is no loader any more: its {count} documents leave the index.",
    "已不再有加载器 {loader}：它的 {count} 个文档将从索引中移除。",
)
_ADDED = Words(
    "{loader} has no document in the index yet: rerunning looks for some.",
    "加载器 {loader} 在索引中还没有文档：重新运行会查找。",
)


@dataclass(frozen=True, slots=True)
class FileText:
    """A config file as it may be shown."""

    path: Path
    text: str
    """With asterisks for secrets; empty where the file can't be read."""
    seen: str
    """The hash of its content, for `save`."""
    secrets: tuple[Secret, ...]
    """Where secrets are written down; a file with any can't be edited here, since their text is not shown."""


@dataclass(frozen=True, slots=True)
class YamlView:
    """A config file, those that it extends, and what is wrong with them."""

    files: tuple[FileText, ...]
    """The file itself first."""
    problems: Table


@dataclass(frozen=True, slots=True)
class BuiltWith:
    """How a config differs from what the index was built with."""

    differences: Table
    would_do: tuple[str, ...]
    """Sentences: what rerunning would do."""


def yaml_view(path: Path, language: Language) -> YamlView:
    """The text of a config and of all that it extends, and every error at its place."""
    problems: list[Problem] = []
    try:
        load_config(path)
    except ConfigError as error:
        problems = error.problems
    # Only YAML: `extends: /etc/passwd` must show nothing.
    shown = [each for each in chain_of(path) if each == path or each.suffix in (".yaml", ".yml")]
    files = tuple(file_text(each) for each in shown)
    return YamlView(files, problem_table(problems, path, language))


def file_text(path: Path) -> FileText:
    """One file as it may be shown."""
    content = content_of(path)
    shown, secrets = masked(content.decode("utf-8-sig", "replace")) if len(content) <= MAX_BYTES else ("", [])
    return FileText(path, shown, digest(content), tuple(secrets))


def content_of(path: Path) -> bytes:
    """A file's bytes, at most what a config may have and one more; none where it can't be read."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError:
        return b""


def digest(content: bytes) -> str:
    """A hash that tells whether a file is still what was seen."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def chain_of(path: Path) -> list[Path]:
    """A config file and those that it extends, as far as they can be followed."""
    found = [path]
    while len(found) < _MOST_FILES:
        tree, _ = parse(content_of(found[-1]), str(found[-1]))
        extends = tree.child("extends") if tree else None
        if extends is None or not isinstance(extends.value, str) or not extends.value:
            break
        try:
            base = Path(os.path.normpath(found[-1].parent / expand_text(extends.value, os.environ)))
        except ValueError:
            break
        if not base.is_file() or base in found:
            break
        found.append(base)
    return found


def problem_table(problems: Iterable[Problem], path: Path, language: Language) -> Table:
    """Everything that is wrong, with files relative to the folder of the config."""
    rows = [
        [_relative(each.file, path), str(each.line), str(each.column), each.key, masked_line(each.message)]
        for each in problems
    ]
    return Table(_PROBLEM_HEAD.of(language).split("|"), rows)


def explain_view(config: Config, search: str, language: Language) -> Table:
    """Every value in effect with its origin, or those whose key or value holds a text."""
    wanted = search.strip().casefold()
    rows = []
    for row in explain(config):
        value = masked_line(row.value)
        if wanted in row.key.casefold() or wanted in value.casefold():
            place, colon, line = row.origin.rpartition(":")
            origin = f"{_relative(place, config.path)}:{line}" if colon else _DEFAULT.of(language)
            rows.append([row.key, value, origin])
    return Table(_EXPLAIN_HEAD.of(language).split("|"), rows)


def _relative(file: str, config: Path) -> str:
    return os.path.relpath(file, config.parent) if file else file


def built_with(config: Config, catalog: Catalog | None, language: Language) -> BuiltWith:
    """What differs between the config and the index that answers, and what rerunning would do about it.

    Looks at no document; `catalog` is None where nothing was ever ingested.
    """
    head = _BUILT_HEAD.of(language).split("|")
    active = catalog.generations.active() if catalog else None
    if catalog is None or active is None:
        return BuiltWith(Table(head, []), (_NEVER.of(language),))
    rows = [list(row) for row in _differences(config, active, language)]
    documents = [row for row in catalog.documents(active.id) if row.content]
    said: list[str] = []
    if active.fingerprint != generation_key(config.spec):
        again = catalog.generations.find(generation_key(config.spec))
        said.append((_BACK if again else _SECOND).of(language, count=len(documents)))
    loads = {name: LoadKey.of(loader) for name, loader in config.spec.loaders.items()}
    parse_now, edits, gone = parse_key(config.spec), Counter[str](), Counter[str]()
    for row in documents:
        if row.loader not in loads:
            gone[row.loader] += 1
        elif loads[row.loader].of_content(row.path, row.content) != row.load:
            edits["load"] += 1
        elif row.parse != parse_now:
            edits["parse"] += 1
    for kind, sentence in (("parse", _RECUT), ("load", _REREAD)):
        if edits[kind]:
            said.append(sentence.of(language, count=edits[kind]))
    said += [_DROPPED.of(language, loader=name, count=count) for name, count in sorted(gone.items())]
    held = {row.loader for row in documents}
    said += [_ADDED.of(language, loader=name) for name in loads if name not in held]
    return BuiltWith(Table(head, rows), tuple(said or [_SAME.of(language)]))


def _differences(config: Config, active: Generation, language: Language) -> Iterator[tuple[str, str, str]]:
    """The keys of a generation's recipe whose value is another now, with both values."""
    try:
        then = as_built(config.spec, active)
    except ValidationError:  # written by a version whose fields were others
        yield "", _UNKNOWN_RECIPE.of(language), _THIS_VERSION.of(language)
        return
    alike = True
    for name in _PARTS:
        old, new = (_open(getattr(spec, name)) for spec in (then, config.spec))
        for key in dict.fromkeys([*old, *new]):
            if old.get(key) != new.get(key):
                alike = False
                shown = [
                    masked_line(written(part[key])) if key in part else _ABSENT.of(language)
                    for part in (old, new)
                ]
                yield f"{name}.{key}", shown[0], shown[1]
    if alike and active.fingerprint != generation_key(config.spec):
        yield "keyword", _NEW_ANALYSER.of(language), _THIS_VERSION.of(language)


def _open(part: Spec) -> dict[str, Any]:
    """The fields that decide a part's result, without secrets."""
    secret = {name for name, value in part if isinstance(value, SecretStr)}
    return part.model_dump(mode="json", by_alias=True, exclude=secret | set(part.operational))

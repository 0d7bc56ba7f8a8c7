"""The winning config as a file: the base with its comments and other values, or a file that extends it."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from pipelines.config import Config, load_config
from pipelines.errors import ConfigError, Problem, Refused, SearchaskError
from pipelines.evaluation.sweep.experiments import Experiments
from pipelines.evaluation.sweep.places import path_of
from pipelines.evaluation.sweep.variants import Variant, same
from pipelines.evaluation.sweep.yaml_text import block, flow, replaced
from pipelines.marked_yaml import Marked
from pipelines.marked_yaml import Path as Keys

_HEAD = re.compile(r"# Written by `searchask sweep` .*\(([0-9a-f]{12})\)\n")


def place_of(experiments: Experiments, out: str | None) -> Path:
    """Where the winner is to be written; raises Refused where a file is there that no sweep wrote, or that was edited.

    The base itself is written over only where `out` names it.
    """
    if out is None:
        file = experiments.file.parent / f"{experiments.base.path.stem}.best.yaml"
    else:
        file = Path(out)
        if file.exists() and file.resolve() == experiments.base.path.resolve():
            return file
    if file.is_symlink() or (file.exists() and not _ours(file)):
        raise Refused(f"{file} is there already, and not as a sweep wrote it; name another file by --out")
    return file


def write_winner(experiments: Experiments, winner: Variant, file: Path) -> None:
    """Write the winner's config; it is read again and compared first, and only kept where it is the same.

    Raises SearchaskError where it can't be written so.
    """
    base = experiments.base
    over = file.exists() and file.resolve() == base.path.resolve()
    texts = []
    if base.path.resolve().parent == file.resolve().parent:
        texts.append(_copy(base, winner))
    if not over:
        texts.append(_extending(base, winner, file))
    reasons = []
    for text in texts:
        if text is None:
            continue
        head = "" if over else _head(text, experiments)
        try:
            _keep(file, head + text, base, winner)
            return
        except ConfigError as error:
            reasons.append(str(error))
    why = (
        reasons[-1]
        if reasons
        else "not all of its values are written in that file itself; name another by --out"
    )
    raise SearchaskError(f"{file}: the winner can't be written here: {why}")


def _ours(file: Path) -> bool:
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    head = _HEAD.match(text)
    return head is not None and head[1] == _hash(text[head.end() :])


def _head(text: str, experiments: Experiments) -> str:
    name = "".join(char if char.isprintable() else "?" for char in experiments.file.name)
    return (
        f"# Written by `searchask sweep` {name}; edit it, and it is not written over again ({_hash(text)})\n"
    )


def _hash(text: str) -> str:
    # Line ends may change on their way through version control.
    plain = text.replace("\r\n", "\n").encode("utf-8", "surrogatepass")
    return hashlib.sha256(plain).hexdigest()[:12]


def _copy(base: Config, winner: Variant) -> str | None:
    """The text of the base with the values of the winner; None where one of them is not written in it."""
    text = base.path.read_bytes().decode("utf-8-sig")
    values = {path: _raw(winner.config, path) for path in map(path_of, winner.changes)}
    return replaced(text, values)


def _extending(base: Config, winner: Variant, file: Path) -> str:
    """A file that says what is other than in the base."""
    extends = os.path.relpath(base.path.resolve(), file.resolve().parent)
    differs = _over(base.tree, winner.config, (), base)
    assert isinstance(differs, dict)
    return f"extends: {flow(Path(extends).as_posix())}\n\n" + block(differs)


def _over(before: Marked, config: Config, path: Keys, base: Config) -> Any:
    """What merges with a value of the base into the one of the config."""
    after = config.tree.at(path)
    assert after is not None
    if (
        not isinstance(before.value, dict)
        or not isinstance(after.value, dict)
        or _type(before) != _type(after)
    ):
        return _raw(config, path)
    found: dict[str, Any] = {}
    for key, child in after.value.items():
        known = before.value.get(key)
        if known is None:
            found[key] = _raw(config, (*path, key))
        elif known.plain() != child.plain() or _templates(base, (*path, key)) != _templates(
            config, (*path, key)
        ):
            found[key] = _over(known, config, (*path, key), base)
    return found | {key: None for key in before.value if key not in after.value and key != "extends"}


def _type(node: Marked) -> Any:
    found = node.child("type")
    return found.value if found else None


def _templates(config: Config, path: Keys) -> Mapping[Keys, str]:
    return {at: text for at, text in config.templates.items() if at[: len(path)] == path}


def _raw(config: Config, path: Keys) -> Any:
    """The value at a path as a file has it: variables by name; None where the config has none there."""
    node = config.tree.at(path)
    if node is None:
        return None
    if path in config.templates:
        return config.templates[path]
    if isinstance(node.value, dict):
        return {key: _raw(config, (*path, key)) for key in node.value}
    if isinstance(node.value, list):
        return [_raw(config, (*path, place)) for place in range(len(node.value))]
    return node.value.replace("$", "$$") if isinstance(node.value, str) else node.value


def _keep(file: Path, text: str, base: Config, winner: Variant) -> None:
    """Put the text in its place, once it is known to be what was measured; raises ConfigError, SearchaskError."""
    part = None
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{file.name}.", suffix=".tmp", dir=file.parent)
        part = Path(name)
        with os.fdopen(handle, "wb") as opened:
            opened.write(text.encode())
            opened.flush()
            os.fsync(opened.fileno())
        if not same(load_config(part), winner.config):
            message = "it would not mean what was measured: a path in it is relative to another folder"
            raise ConfigError([Problem(str(file), 1, 1, "", message)])
        shutil.copymode(base.path, part)
        part.replace(file)
    except OSError as error:
        raise SearchaskError(f"{file} can't be written: {error.strerror}") from None
    finally:
        if part is not None:
            with suppress(OSError):
                part.unlink()

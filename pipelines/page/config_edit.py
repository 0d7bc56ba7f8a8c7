"""Saving an edited config: only what is valid, whole or not at all, and never over someone else's edit."""

from __future__ import annotations

import os
import stat
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

from pipelines.config import load_config
from pipelines.errors import ConfigError, Problem, Refused
from pipelines.page.config_view import chain_of, content_of, digest
from pipelines.page.masking import masked
from pipelines.words import Language, Words

MOST_BYTES = 300_000
"""Bytes of a config that is edited here; a config is mostly a hundredth of that."""

_SAVING = threading.Lock()
"""Held from the look at the file to its replacement, so that of two people at once one is told of the other."""

_GONE = Words("{name} is gone or can't be read; nothing was saved.", "{name} 已不存在或无法读取，未保存。")
_LINK = Words(
    "{name} is a link: edit the file that it points to. Nothing was saved.",
    "{name} 是链接：请编辑它指向的文件。未保存。",
)
_CHANGED = Words(
    "{name} was changed by someone else since you opened it. Copy your edit, open the file again; nothing was saved.",
    "{name} 在您打开之后已被他人修改。请复制您的修改并重新打开文件；未保存。",
)
_TOO_LARGE = Words(
    "The text is too large for a config: more than {most:,} bytes.", "文本过大：配置不能超过 {most:,} 字节。"
)
_NOT_TEXT = Words(
    "The text holds half a character, which no file can hold.", "文本含有不完整的字符，无法保存。"
)
_SECRET = Words(
    'a secret is written down here: put it into an environment variable and write "${{NAME}}"',
    '此处写有密钥：请放入环境变量，并写作 "${{NAME}}"',
)
_UNWRITABLE = Words("{name} can't be written: {reason}.", "无法写入 {name}：{reason}。")


def save(path: Path, text: str, language: Language, seen: str) -> str:
    """Replace a config file by an edited text; the hash of what is there now, for the next `save`.

    `seen` is the hash of what was opened. Raises ConfigError with every problem of the text, secrets in it or in
    the file included, and Refused where the file is another by now or can't be written.
    """
    with _SAVING:
        before = content_of(path)
        if path.is_symlink():
            raise Refused(_LINK.of(language, name=path.name))
        if not before:
            raise Refused(_GONE.of(language, name=path.name))
        if digest(before) != seen:
            raise Refused(_CHANGED.of(language, name=path.name))
        content = _encoded(text, before, language)
        _without_secrets(path, [before.decode("utf-8-sig", "replace"), text], language)
        try:
            _replace(path, content)
        except OSError as error:
            raise Refused(_UNWRITABLE.of(language, name=path.name, reason=error.strerror)) from None
        return digest(content)


def _encoded(text: str, before: bytes, language: Language) -> bytes:
    """The text as bytes, with the line ends that the file had."""
    if len(text) > MOST_BYTES:
        raise Refused(_TOO_LARGE.of(language, most=MOST_BYTES))
    lines = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n") + "\n"
    try:
        content = lines.replace("\n", "\r\n" if b"\r\n" in before else "\n").encode()
    except UnicodeEncodeError:
        raise Refused(_NOT_TEXT.of(language)) from None
    if len(content) > MOST_BYTES:
        raise Refused(_TOO_LARGE.of(language, most=MOST_BYTES))
    return content


def _without_secrets(path: Path, texts: list[str], language: Language) -> None:
    for text in texts:
        found = masked(text)[1]
        if found:
            message = _SECRET.of(language)
            raise ConfigError([Problem(str(path), at.line, at.column, at.key, message) for at in found])


def _replace(path: Path, content: bytes) -> None:
    """Check the content in the file's own folder, where all that it names is found, and put it in its place."""
    # No glob for configs takes a name that begins with a point and does not end in .yaml.
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _check(temporary, path)
        was = path.stat()
        temporary.chmod(stat.S_IMODE(was.st_mode))
        with suppress(PermissionError):
            os.chown(temporary, was.st_uid, was.st_gid)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _check(temporary: Path, path: Path) -> None:
    """Raise ConfigError, with the places as they are in the file itself."""
    problems: list[Problem] = []
    try:
        load_config(temporary)
    except ConfigError as error:
        problems = error.problems
    if path.resolve() in (each.resolve() for each in chain_of(temporary)):
        problems = [Problem(str(path), 1, 1, "extends", f"a loop: {path.name} extends itself"), *problems]
    if problems:
        raise ConfigError([_named(each, temporary, path) for each in problems])


def _named(problem: Problem, temporary: Path, path: Path) -> Problem:
    file = str(path) if problem.file == str(temporary) else problem.file
    message = problem.message.replace(str(temporary), str(path)).replace(temporary.name, path.name)
    return Problem(file, problem.line, problem.column, problem.key, message)

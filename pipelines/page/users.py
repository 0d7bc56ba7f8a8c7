"""The file of users: names with salted hashes of their passwords."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
import tempfile
import unicodedata
from base64 import b64decode, b64encode
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import ConfigError, Problem, SearchaskError
from pipelines.marked_yaml import Marked, parse

SHORTEST = 8
"""Characters of a password, at least."""
LONGEST = 256
"""Characters of a name or a password, at most."""

_N, _R, _P = 2**15, 8, 3
"""scrypt with 32 MiB, as the OWASP Password Storage Cheat Sheet lists it: as strong as its N = 2^17, r = 8, p = 1."""
_MOST_MEMORY = 2**28
_ENTRY = re.compile(
    r"scrypt\$(\d{1,7})\$(\d{1,2})\$(\d{1,2})\$([A-Za-z0-9+/=]{8,128})\$([A-Za-z0-9+/=]{8,128})"
)
_HEADER = "# People who may log in to the page. Hashes are written by: searchask user add FILE NAME\n"


@dataclass(frozen=True, slots=True)
class Hash:
    """A salted scrypt hash with its parameters."""

    n: int
    r: int
    p: int
    salt: bytes
    digest: bytes

    @classmethod
    def of(cls, password: str) -> Hash:
        """A new one, with a salt of its own."""
        salt = secrets.token_bytes(16)
        return cls(_N, _R, _P, salt, _scrypt(password, salt, _N, _R, _P, 32))

    @classmethod
    def parse(cls, text: str) -> Hash | None:
        """One as it stands in a file; None where it is none, or would cost more than a login may."""
        match = _ENTRY.fullmatch(text)
        if not match:
            return None
        n, r, p = (int(number) for number in match.groups()[:3])
        if n < 2 or n & (n - 1) or not r or not p or 128 * n * r * p > _MOST_MEMORY:
            return None
        try:
            return cls(n, r, p, b64decode(match[4], validate=True), b64decode(match[5], validate=True))
        except ValueError:
            return None

    def __str__(self) -> str:
        salt, digest = (b64encode(part).decode() for part in (self.salt, self.digest))
        return f"scrypt${self.n}${self.r}${self.p}${salt}${digest}"

    def __repr__(self) -> str:
        return "Hash(…)"

    def fits(self, password: str) -> bool:
        """Whether it is the hash of a password, in a time that does not depend on where they differ."""
        found = _scrypt(password, self.salt, self.n, self.r, self.p, len(self.digest))
        return hmac.compare_digest(found, self.digest)


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int, length: int) -> bytes:
    # The same letters may come as one code point or as two, by keyboard and system.
    plain = unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
    return hashlib.scrypt(plain, salt=salt, n=n, r=r, p=p, maxmem=_MOST_MEMORY + 2**20, dklen=length)


def read_users(file: Path) -> dict[str, Hash]:
    """The users of a file by name; raises `ConfigError` with all that is wrong in it."""
    return _users(_content(file), file)


def set_user(file: Path, name: str, password: str) -> bool:
    """Write a user into a file, made where it is missing; whether the name is new.

    Raises `SearchaskError` for a name or a password that won't do, `ConfigError` for a broken file.
    """
    name = _name(name)
    if not SHORTEST <= len(password) <= LONGEST:
        raise SearchaskError(
            f"a password has {SHORTEST} to {LONGEST} characters; this one has {len(password)}"
        )
    if not password.isprintable():
        raise SearchaskError("the password holds a character that can't be typed in a form")
    content = _content(file) if file.exists() else b""
    users = _users(content, file) if content.strip() else {}
    new = name not in users
    users[name] = Hash.of(password)
    _write(file, content.decode("utf-8-sig"), users, name)
    return new


def remove_user(file: Path, name: str) -> None:
    """Take a user out of a file; raises `SearchaskError` where there is none of that name."""
    name = unicodedata.normalize("NFC", name.strip())
    content = _content(file)
    users = _users(content, file)
    if name not in users:
        raise SearchaskError(f"{file}: no user is called {name!r}; there are: {', '.join(users) or 'none'}")
    del users[name]
    _write(file, content.decode("utf-8-sig"), users, name)


def _name(name: str) -> str:
    name = unicodedata.normalize("NFC", name.strip())
    if not name or not name.isprintable() or len(name) > LONGEST:
        raise SearchaskError(f"a name has 1 to {LONGEST} printable characters")
    return name


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise SearchaskError(
            f"{file}: can't be read: {error.strerror}; `searchask user add` makes it"
        ) from None


def _users(content: bytes, file: Path) -> dict[str, Hash]:
    tree, problems = parse(content, str(file))
    problems = list(problems)
    entries = tree.child("users") if tree else None
    for key, node in tree.value.items() if tree and isinstance(tree.value, dict) else ():
        if key != "users":
            problems.append(_problem(node, "", "only `users:` may stand here"))
    users: dict[str, Hash] = {}
    if not problems and (entries is None or not isinstance(entries.value, dict | None)):
        problems.append(Problem(str(file), 1, 1, "", "there must be a map `users:` of names and hashes"))
    elif entries is not None and isinstance(entries.value, dict):
        for name, node in entries.value.items():
            found = Hash.parse(node.value) if isinstance(node.value, str) else None
            if found is None:
                message = "is no hash: write it with `searchask user add FILE NAME`"
                problems.append(_problem(node, f"users.{name}", message))
            else:
                users[unicodedata.normalize("NFC", name)] = found
    if problems:
        raise ConfigError(sorted(problems))
    return users


def _problem(node: Marked, key: str, message: str) -> Problem:
    return Problem(node.file, node.key_line or node.line, node.key_column or node.column, key, message)


def _write(file: Path, text: str, users: dict[str, Hash], name: str) -> None:
    """Replace the file, which then says `users`: by one changed line where that is enough, else as a whole."""
    edited = _edited(text, name, users.get(name))
    try:
        kept = _users(edited.encode(), file) == users
    except ConfigError:
        kept = False
    if not kept:
        entries = [_line("  ", each, one) for each, one in users.items()]
        edited = f"{_HEADER}users:{'' if entries else ' {}'}\n{''.join(entries)}"
    target = file.resolve()  # a link stays a link
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)  # mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as out:
            out.write(edited)
            out.flush()
            os.fsync(out.fileno())
        Path(temporary).replace(target)
    except BaseException:
        with suppress(OSError):
            Path(temporary).unlink()
        raise


def _edited(text: str, name: str, entry: Hash | None) -> str:
    """The text with one entry set, or removed where it is None; may be wrong for unusual YAML."""
    lines = text.splitlines(keepends=True)
    tree, _ = parse(text.encode(), "")
    entries = tree.child("users") if tree else None
    if entries is None or not isinstance(entries.value, dict) or not entries.value:
        return text
    known = {unicodedata.normalize("NFC", each): node for each, node in entries.value.items()}
    at = known[name].key_line - 1 if name in known else max(node.line for node in known.values())
    indent = " " * (next(iter(known.values())).key_column - 1)
    if name not in known and not lines[at - 1].endswith("\n"):
        lines[at - 1] += "\n"
    lines[at : at + (name in known)] = [_line(indent, name, entry)] if entry else []
    return "".join(lines)


def _line(indent: str, name: str, entry: Hash) -> str:
    key = name if re.fullmatch(r"[A-Za-z][A-Za-z0-9_.@-]*", name) else json.dumps(name, ensure_ascii=False)
    return f'{indent}{key}: "{entry}"\n'

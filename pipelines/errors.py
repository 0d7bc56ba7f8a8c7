"""Every error a person can cause or meet.

SearchaskError              the one base to catch
├── ConfigError             a config file is wrong; carries every problem with its place
├── MissingExtra            a type needs an optional package; names the command that installs it
├── DocumentError           one document can't be used; the others go on
│   └── Quarantined         ... and its bytes must change before another try makes sense
│       └── Forbidden       ... or the moderation that holds it back
├── EndpointError           a model endpoint failed: unreachable, refused, or answered nonsense
├── StorageError            the storage can't be used: locked, read-only, full, foreign, too new
├── LimitReached            a limit of the config said no; what would have passed it was not sent
└── Refused                 a guard said no; nothing was changed
"""

from __future__ import annotations

from dataclasses import dataclass


class SearchaskError(Exception):
    """Base of every error that is shown to a person as one clear message."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong in a config file, at its place (1-based line and column)."""

    file: str
    line: int
    column: int
    key: str
    message: str

    def __str__(self) -> str:
        key = f" {self.key}:" if self.key else ""
        return f"{self.file}:{self.line}:{self.column}:{key} {self.message}"


class ConfigError(SearchaskError):
    """A config file is wrong; `problems` holds all that is, in the order of the file."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


class MissingExtra(SearchaskError):
    """A type was asked for whose package is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        self.extra = extra
        super().__init__(f'{what} needs an extra: pip install "searchask[{extra}]"')


class DocumentError(SearchaskError):
    """One document can't be read, cut or embedded now; the next run tries again."""


class Quarantined(DocumentError):
    """One document's own bytes are unusable; it is left alone until they change."""


class Forbidden(Quarantined):
    """Moderation says that a document must not be taken in."""


class EndpointError(SearchaskError):
    """A model endpoint failed; the message names its URL and model, never its key."""


class StorageError(SearchaskError):
    """The storage can't be used as it is; the message says what would help."""


class LimitReached(SearchaskError):
    """A limit of the config would be passed; the message says which, how much, and what was spent."""


class Refused(SearchaskError):
    """A guard stopped the run before it changed anything."""

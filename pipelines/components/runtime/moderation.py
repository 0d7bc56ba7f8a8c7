"""Who looks at questions, answers and documents: a word list, an endpoint, or both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from pipelines.components.moderation import Checked, ModerationEndpoint, ModerationSpec
from pipelines.errors import EndpointError
from pipelines.text.sentences import sentence_spans
from pipelines.text.word_list import WordList

if TYPE_CHECKING:
    import openai

_PIECE = 2_000
"""Characters of a document that are judged at once."""
_BATCH = 32
"""Pieces in one request."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided about a question, an answer or a document."""

    what: Checked
    blocked: bool
    by: str
    """`words`, `endpoint`, or empty where nobody objected."""
    reason: str
    failed: bool
    """Whether the endpoint failed, so that `on_failure` decided."""
    milliseconds: float

    def to_dict(self) -> dict[str, Any]:
        """As a trace holds it."""
        return {
            "what": self.what,
            "blocked": self.blocked,
            "by": self.by,
            "reason": self.reason,
            "ms": round(self.milliseconds, 2),
        }


class Judge:
    """A moderation endpoint."""

    def __init__(self, spec: ModerationEndpoint) -> None:
        from pipelines.models.openai import OPENAI_URL, openai_key, own_key

        self._spec = spec
        self._url = spec.base_url or OPENAI_URL
        self._key = own_key(spec.api_key) if spec.base_url else openai_key(spec.api_key)

    def verdict(self, texts: Sequence[str]) -> str:
        """Why one of the texts must not pass, empty where all may; raises EndpointError."""
        for start in range(0, len(texts), _BATCH):
            for result in self._asked(list(texts[start : start + _BATCH])):
                raised = sorted(name for name, is_so in _categories(result).items() if is_so is True)
                if self._spec.categories:
                    raised = [name for name in raised if name in self._spec.categories]
                    if raised:
                        return ", ".join(raised)
                elif result.flagged:
                    return ", ".join(raised) or "flagged"
        return ""

    def _asked(self, texts: list[str]) -> list[Any]:
        from pipelines.models.endpoint import CallFailed, endpoint_error, named
        from pipelines.models.openai import secrets_of

        try:
            results = list(self._client.moderations.create(model=self._spec.model, input=texts).results)
            sound = len(results) == len(texts) and all(isinstance(each.flagged, bool) for each in results)
        except Exception as error:  # the client library raises what it likes
            secrets = secrets_of(self._key)
            failure = endpoint_error(error, url=self._url, model=self._spec.model, secrets=secrets)
        else:
            if sound:
                return results
            failure = CallFailed(f"{named(self._spec.model, self._url)}: the answer holds no verdict")
        raise failure

    @cached_property
    def _client(self) -> openai.OpenAI:
        import openai

        return openai.OpenAI(
            api_key=self._key.get_secret_value(),
            base_url=self._url,
            timeout=self._spec.timeout,
            max_retries=self._spec.retries,
        )


def _categories(result: Any) -> dict[str, Any]:
    held = result.categories
    named: dict[str, Any] = held.model_dump(by_alias=True) if hasattr(held, "model_dump") else {}
    return named


class Moderator:
    """The moderation of one config; for all threads."""

    def __init__(self, spec: ModerationSpec, words: Path | None) -> None:
        """`words` is the word list's file, where the config names one; raises SearchaskError."""
        self._spec = spec
        self._words = WordList(words) if words else None
        self._judge = Judge(spec.endpoint) if spec.endpoint else None

    def looks_at(self, what: Checked) -> bool:
        """Whether that is to be looked at."""
        return what in self._spec.check

    def decide(self, what: Checked, text: str, *, fresh: str | None = None) -> Decision:
        """Whether a text may pass; the endpoint sees only what is `fresh` of it, where that is given."""
        began = perf_counter()
        by, reason, failed = self._objection(text, text if fresh is None else fresh)
        blocked = bool(by) and not (failed and self._spec.on_failure == "allow")
        return Decision(what, blocked, by, reason, failed, (perf_counter() - began) * 1000)

    def _objection(self, text: str, fresh: str) -> tuple[str, str, bool]:
        if self._words and (line := self._words.match(text)) is not None:
            return "words", f"line {line} of {self._words.name}", False
        if self._judge and fresh.strip():
            pieces = [fresh[start : start + _PIECE] for start in range(0, len(fresh), _PIECE)]
            try:
                if said := self._judge.verdict(pieces):
                    return "endpoint", said, False
            except EndpointError as error:
                then = "nothing passes" if self._spec.on_failure == "block" else "it was let pass"
                return "endpoint", f"the moderation endpoint failed, {then}: {error}", True
        return "", "", False

    def said(self, decision: Decision, language: str) -> str:
        """What a person is told who gets no answer, or no more of it."""
        texts = self._spec.question if decision.what == "question" else self._spec.answer
        texts = self._spec.unavailable if decision.failed else texts
        return texts.zh if language == "zh" else texts.en


class Held:
    """An answer as it is written, held back until its sentences were looked at."""

    def __init__(self, moderator: Moderator) -> None:
        self._moderator = moderator
        self._text = ""
        self._shown = 0

    def push(self, piece: str) -> Iterator[str | Decision]:
        """What may be shown now, or the decision that nothing more may be."""
        self._text += piece
        *whole, (last, _) = sentence_spans(self._text) or [(0, 0)]
        if whole and last > self._shown:
            ready = self._text[self._shown : last]
            decision = self._moderator.decide("answer", self._text[:last], fresh=ready)
            if decision.blocked:
                yield decision
                return
            if decision.failed:
                yield decision
            self._shown = last
            yield ready

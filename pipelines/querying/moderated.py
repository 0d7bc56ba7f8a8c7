"""Moderation around an answer: the question before, the pieces as they come, the whole at the end."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator

from pipelines.components.runtime.moderation import Decision, Held, Moderator
from pipelines.querying.answer import Answer, Retrieval
from pipelines.querying.trace import Trace

Piece = Retrieval | str | Answer


def moderated(
    moderator: Moderator,
    trace: Trace,
    reply: Callable[[], Generator[Piece, None, None]],
    refuse: Callable[[str], Answer],
) -> Iterator[Piece]:
    """The pieces of `reply` as far as they may be shown; `refuse` makes the answer that is given instead."""

    def noted(decision: Decision) -> bool:
        trace.moderation.append(decision.to_dict())
        return decision.blocked

    if moderator.looks_at("question"):
        decision = moderator.decide("question", trace.question)
        if noted(decision):
            yield Retrieval(trace.question, (), trace)
            yield refuse(moderator.said(decision, trace.language))
            return
    pieces = reply()
    if not moderator.looks_at("answer"):
        yield from pieces
        return
    held = Held(moderator)
    for piece in pieces:
        if isinstance(piece, str):
            for part in held.push(piece):
                if isinstance(part, str):
                    yield part
                elif noted(part):
                    pieces.close()
                    yield refuse(moderator.said(part, trace.language))
                    return
        elif isinstance(piece, Answer) and piece.outcome != "refused":
            decision = moderator.decide("answer", _all(piece))
            yield refuse(moderator.said(decision, trace.language)) if noted(decision) else piece
        else:
            yield piece


def _all(answer: Answer) -> str:
    """All of an answer that is shown."""
    return "\n".join([answer.text, *(citation.quote for citation in answer.citations)])

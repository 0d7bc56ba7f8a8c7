"""What an answer looks like in a chat of questions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from pipelines.errors import SearchaskError
from pipelines.filters import parse
from pipelines.page.markdown import escaped, inert, lines
from pipelines.page.site import Entry
from pipelines.querying.answer import Answer, Retrieval
from pipelines.querying.chat import Memory
from pipelines.querying.citations import UNSUPPORTED
from pipelines.querying.engine import LONGEST_QUESTION
from pipelines.querying.trace import Trace
from pipelines.text.language import answered_in
from pipelines.words import Language, Words

LONGEST = 100_000
"""Characters of a question that are taken; the engine uses the first of them."""

_REFUSED = Words("Not in your documents.", "文档中没有答案。")
_FAILED = Words("The answer could not be finished.", "回答未能完成。")
_STOPPED = Words("Stopped; this is not the whole answer.", "已停止，回答不完整。")
_CUT = Words(
    "Only the first {size:,} characters of the question were used.", "只使用了问题的前 {size:,} 个字符。"
)
_UNSUPPORTED = Words("no support found", "未找到依据")
_TOO_LONG = Words(
    "The question has {size:,} characters; ask in at most {limit:,}.",
    "问题有 {size:,} 个字符，请不要超过 {limit:,} 个。",
)

_MARKERS = re.compile(r" ?(?:\[\d+\])+")
_NO_SUPPORT = re.compile("|".join(re.escape(mark) for mark in UNSUPPORTED.values()))

_CONDITIONS = re.compile(r"[,，;；\n]")
"""Between the conditions that a person types."""


@dataclass(slots=True)
class Turn:
    """One question of a chat and what came of it."""

    number: int
    base: str
    engine: str
    question: str
    draft: str = ""
    """What was written so far."""
    found: Retrieval | None = None
    answer: Answer | None = None
    state: Literal["asking", "done", "failed", "stopped"] = "asking"
    error: str = ""

    @property
    def trace(self) -> Trace | None:
        """What is known of the way to the answer."""
        return self.answer.trace if self.answer else self.found.trace if self.found else None


@dataclass(slots=True)
class Chat:
    """The questions of one person in one tab; kept in the memory of the session, and nowhere else."""

    turns: list[Turn] = field(default_factory=list)
    shown: int = -1
    """Index of the turn whose evidence is shown."""
    memories: dict[str, Memory] = field(default_factory=dict)
    """What was asked and answered, by knowledge base: what is known of one is not told to another."""

    @property
    def turn(self) -> Turn | None:
        """The turn whose evidence is shown."""
        return self.turns[self.shown] if -len(self.turns) <= self.shown < len(self.turns) else None


TURNS = 200
"""Questions that a chat keeps; the oldest are let go, so that a tab left open for months stays small."""


def ask(
    chat: Chat, entry: Entry, question: str, engine: str, language: Language, *, only: str = ""
) -> Iterator[Turn]:
    """Ask and yield the new turn whenever more of it is there; what goes wrong is in the turn, never raised.

    `only` holds conditions such as `folder=hr, language=zh`.
    """
    del chat.turns[: max(0, len(chat.turns) - TURNS + 1)]
    turn = Turn(chat.turns[-1].number + 1 if chat.turns else 1, entry.name, engine, _kept(question))
    chat.turns.append(turn)
    chat.shown = len(chat.turns) - 1
    if len(question) > LONGEST:
        turn.state, turn.error = "failed", _TOO_LONG.of(language, size=len(question), limit=LONGEST)
        yield turn
        return
    try:
        filters = parse(
            [part for part in _CONDITIONS.split(only) if part.strip()], answered_in(turn.question)
        )
        memory = chat.memories.setdefault(entry.name, Memory())
        with entry.open() as base:
            told = memory.history(base.engine(engine).name, base.config.spec.chat.memory_tokens)
            for piece in base.stream(question, engine, history=told, filters=filters):
                if isinstance(piece, Answer):
                    turn.answer, turn.state = piece, "done"
                    memory.add(piece)
                elif isinstance(piece, Retrieval):
                    turn.found = piece
                else:
                    turn.draft += piece
                yield turn
    except SearchaskError as error:
        turn.state, turn.error = "failed", str(error)
        yield turn
    finally:
        if turn.state == "asking":
            turn.state = "stopped"


def _kept(question: str) -> str:
    """As much of a question as a chat keeps: what is used of it."""
    whole = question.strip()
    return whole if len(whole) <= LONGEST_QUESTION else whole[:LONGEST_QUESTION] + "…"


def messages(chat: Chat, language: Language) -> list[dict[str, str]]:
    """The chat as Gradio's Chatbot takes it; nothing in it is markup but what is made here."""
    said = []
    for turn in chat.turns:
        said.append({"role": "user", "content": escaped(turn.question)})
        said.append({"role": "assistant", "content": written(turn, language)})
    return said


def written(turn: Turn, language: Language) -> str:
    """The answer of a turn as Markdown, its markers as links that the page lights evidence by."""
    if turn.answer and turn.answer.outcome == "refused":
        return f"> **{_REFUSED.of(language)}**\n>\n> {escaped(turn.answer.text)}"
    text = _marked(turn, language)
    if turn.answer and turn.answer.label:
        text = f"> **{escaped(turn.answer.label)}**\n\n{text}"
    if text and len(turn.question) > LONGEST_QUESTION:
        text = f"> {_CUT.of(language, size=LONGEST_QUESTION)}\n\n{text}"
    if turn.state == "failed":
        return f"{text}\n\n> **{_FAILED.of(language)}**\n>\n> {escaped(turn.error)}".strip()
    if turn.state == "stopped":
        return f"{text}\n\n> **{_STOPPED.of(language)}**".strip()
    return text or "…"


def _marked(turn: Turn, language: Language) -> str:
    """The text of a turn, with a link to its evidence behind each sentence that has some.

    `argv[1]` inside a sentence is no marker, whatever is cited.
    """
    if turn.answer is None:
        return escaped(turn.draft)
    text, numbers = turn.answer.text, {str(each.number) for each in turn.answer.citations}
    parts: list[str] = []
    done = behind = 0
    for sentence in turn.answer.sentences:
        said = sentence.text.strip()  # as the whole text was, which may begin with a table's indented row
        if (at := text.find(said, behind)) < 0:
            continue
        behind = at + len(said)
        if mark := (_MARKERS if sentence.supported else _NO_SUPPORT).match(text, behind):
            parts.append(inert(text[done:behind]))
            parts.append(
                _links(turn.number, mark[0], numbers) if sentence.supported else _unsupported(language)
            )
            done = behind = mark.end()
    return lines("".join([*parts, inert(text[done:])]))


def _links(turn: int, markers: str, numbers: set[str]) -> str:
    """Markers as links to the evidence of a turn."""
    return re.sub(
        r"\[(\d+)\]",
        lambda found: f"[{found[1]}](#cite-{turn}-{found[1]})" if found[1] in numbers else inert(found[0]),
        markers,
    )


def _unsupported(language: Language) -> str:
    # Beside a Chinese letter an asterisk means emphasis only where a mark of punctuation, here the `;`, is between.
    return f" &#8203;*⟨{_UNSUPPORTED.of(language)}⟩*&#8203;"


def titled(turn: Turn, language: Language) -> str:
    """An answer under the name of its engine, to stand beside another."""
    name = turn.trace.engine if turn.trace else turn.engine
    seconds = sum(stage.milliseconds for stage in turn.trace.stages) / 1000 if turn.trace else 0.0
    return f"**{escaped(name)}** · {seconds:.2f} s\n\n{written(turn, language)}"

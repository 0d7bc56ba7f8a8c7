"""What an answer looks like: a chat of questions, and beside it the evidence of one of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pipelines.errors import SearchaskError
from pipelines.filters import parse
from pipelines.page.markdown import escaped, inert, lines
from pipelines.page.site import Entry
from pipelines.page.words import Language, Words
from pipelines.querying.answer import Answer, Citation, Retrieval
from pipelines.querying.chat import Memory
from pipelines.querying.citations import UNSUPPORTED
from pipelines.querying.engine import LONGEST_QUESTION
from pipelines.querying.trace import IN_CONTEXT, Candidate, Trace

LONGEST = 100_000
"""Characters of a question that are taken; the engine uses the first of them."""

_REFUSED = Words("Not in your documents.", "文档中没有答案。")
_FAILED = Words("The answer could not be finished.", "回答未能完成。")
_STOPPED = Words("Stopped; this is not the whole answer.", "已停止，回答不完整。")
_CUT = Words(
    "Only the first {size:,} characters of the question were used.", "只使用了问题的前 {size:,} 个字符。"
)
_UNSUPPORTED = Words("no support found", "未找到依据")
_PAGE = Words("p. {page}", "第 {page} 页")
_OPEN = Words("Open the document here", "在文档中打开")
_SOURCES = Words("Sources", "来源")
_NO_EVIDENCE = Words(
    "No passage was good enough to answer from. The inspector below the answer shows what was looked at.",
    "没有足以回答的段落。回答下方的“检查”列出了查看过的内容。",
)
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
        filters = parse([part for part in _CONDITIONS.split(only) if part.strip()])
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


def evidence(chat: Chat, language: Language) -> dict[str, Any]:
    """The source panel for the turn that is shown: cited passages in the order of their numbers, then the others."""
    turn = chat.turn
    if turn is None or turn.trace is None:
        return {"turn": 0, "cited": [], "read": [], "none": ""}
    by_node = {each.node: each for each in turn.trace.candidates}
    citations = turn.answer.citations if turn.answer else ()
    read = [each for each in turn.trace.candidates if each.fate == IN_CONTEXT]
    refused = turn.answer is not None and turn.answer.outcome != "answered"
    passages: dict[str, list[Citation]] = {}
    for each in citations:
        passages.setdefault(each.node, []).append(each)
    return {
        "turn": turn.number,
        "cited": [_cited(turn.number, each, by_node.get(node), language) for node, each in passages.items()],
        "read": [] if refused else [_read(turn.number, each, language) for each in read],
        "none": _NO_EVIDENCE.of(language) if refused else "",
    }


def _cited(
    turn: int, citations: Sequence[Citation], candidate: Candidate | None, language: Language
) -> dict[str, Any]:
    """A passage with all that is quoted from it."""
    first = citations[0]
    return {
        "id": f"{turn}-{first.number}",
        "label": "".join(f"[{each.number}]" for each in citations),
        "cited": True,
        "open": _OPEN.of(language),
        "document": first.document,
        "place": place_words(first.page, first.heading, language),
        "found": found_by(candidate) if candidate else "",
        "pieces": _pieces(turn, citations, candidate),
    }


def _pieces(turn: int, citations: Sequence[Citation], candidate: Candidate | None) -> list[dict[str, str]]:
    """A passage's text in order, its quotes under the ids of the marks that light them.

    Quotes that overlap are lit together.
    """
    passage = citations[0].passage
    lit: list[tuple[int, int, str]] = []
    for start, end, name in sorted(
        (*_quoted(each, candidate), f"{turn}-{each.number}") for each in citations
    ):
        if lit and start < lit[-1][1]:
            first, last, names = lit.pop()
            lit.append((first, max(last, end), f"{names} {name}"))
        else:
            lit.append((start, end, name))
    pieces: list[dict[str, str]] = []
    done = 0
    for start, end, names in lit:
        pieces += [{"text": passage[done:start], "ids": ""}, {"text": passage[start:end], "ids": names}]
        done = end
    return [each for each in [*pieces, {"text": passage[done:], "ids": ""}] if each["text"]]


def _read(turn: int, candidate: Candidate, language: Language) -> dict[str, Any]:
    return {
        "id": f"{turn}-r{candidate.rank}",
        "open": _OPEN.of(language),
        "label": f"#{candidate.rank}",
        "cited": False,
        "document": candidate.document,
        "place": place_words(candidate.page, candidate.heading, language),
        "found": found_by(candidate),
        "pieces": [{"text": candidate.text, "ids": ""}],
    }


def _quoted(citation: Citation, candidate: Candidate | None) -> tuple[int, int]:
    """Where in its passage the quote of a citation stands; the whole passage where it can't be told."""
    if candidate and candidate.start is not None and citation.start is not None and citation.end is not None:
        start, end = citation.start - candidate.start, citation.end - candidate.start
        if 0 <= start < end <= len(citation.passage):
            return start, end
    start = citation.passage.find(citation.quote)
    return (start, start + len(citation.quote)) if start >= 0 else (0, len(citation.passage))


def place_words(page: int | None, heading: str, language: Language) -> str:
    """Where in a document: its page and its heading, as far as it has them."""
    parts = [_PAGE.of(language, page=page)] if page else []
    return " · ".join([*parts, *([heading] if heading else [])])


def found_by(candidate: Candidate) -> str:
    """Which retrievers found a passage, and at which rank."""
    return " · ".join(f"{name} #{told['rank']:.0f}" for name, told in candidate.by.items())


def as_markdown(turn: Turn | None, language: Language) -> str:
    """A question with its answer and its sources, to paste elsewhere."""
    if turn is None or turn.answer is None:
        return ""
    label = [f"> {turn.answer.label}", ""] if turn.answer.label else []
    copied = [f"**{turn.question}**", "", *label, turn.answer.text]
    if turn.answer.citations:
        copied += ["", f"{_SOURCES.of(language)}:", ""]
        for each in turn.answer.citations:
            place = place_words(each.page, each.heading, language)
            quote = " ".join(each.quote.split())
            copied.append(f"{each.number}. {each.document}{' · ' + place if place else ''}: “{quote}”")
    return "\n".join(copied)


def titled(turn: Turn, language: Language) -> str:
    """An answer under the name of its engine, to stand beside another."""
    name = turn.trace.engine if turn.trace else turn.engine
    seconds = sum(stage.milliseconds for stage in turn.trace.stages) / 1000 if turn.trace else 0.0
    return f"**{escaped(name)}** · {seconds:.2f} s\n\n{written(turn, language)}"

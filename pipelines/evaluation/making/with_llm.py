"""Questions that the config's LLM writes for a passage; what it writes is checked against the passage."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from pipelines.components.runtime.consulting import DATA
from pipelines.components.runtime.fence import fenced, tag_of
from pipelines.components.runtime.json_values import found
from pipelines.components.runtime.replies import without_thinking
from pipelines.evaluation.making.asking import Counting
from pipelines.evaluation.making.chunks import Chunk, Source
from pipelines.evaluation.making.drafts import Draft, trimmed
from pipelines.text.language import language_of
from pipelines.words import Words

PURPOSE = "make question"
RESERVED = 400
"""Tokens of the context window beside prompt, passage and reply."""
_LONGEST = {"question": 300, "answer": 300, "quote": 1_500}

NO_FORM = "the model wrote no question in the form it was asked for"
NO_QUOTE = "the words that the model quoted are not in the passage"
OTHER_LANGUAGE = "the question is in another language than its passage"
NEEDS_PASSAGE = "the question speaks of its passage"

SYSTEM = Words(
    """You write test questions for a search system. The passage stands in <{tag}> tags.
Write one question that a person who has never seen the passage might ask and that the passage answers.
- Name what it is about (people, products, places, rules); never write "the passage", "the text", "the document".
- Use your own words, do not copy a sentence.
- The answer is short: a few words, taken from the passage.
- The quote is the sentence of the passage that holds the answer, copied exactly.
Reply with JSON only: {{"question": "…", "answer": "…", "quote": "…"}}""",
    """你在为一个检索系统编写测试问题。资料在 <{tag}> 标签里。
写一个没见过这段资料的人可能会问、而资料能回答的问题。
- 写明问的是什么（人、产品、地点、规定）；不要写“本文”“这段资料”“上文”。
- 用自己的话问，不要照抄句子。
- 答案要短：几个词，取自资料。
- quote 是资料中包含答案的那一句，一字不差地抄下来。
只回复 JSON：{{"question": "…", "answer": "…", "quote": "…"}}""",
)
_LABELS = {
    "question": r"question|问题|问",
    "answer": r"answer|答案|回答|答",
    "quote": r"quote|evidence|引文|引用|原文|依据",
}
_OWN_PASSAGE = re.compile(
    r"\b(?:the|this|given|provided) (?:passage|text|document|article|excerpt|section|author|context)\b|"
    r"本文|文中|上文|下文|该文|这段|这篇|此文|资料[中里]|段落|文章|作者认为|根据(?:资料|材料|上述)",
    re.IGNORECASE,
)


def ask(llm: Counting, source: Source, chunk: Chunk) -> Draft | str:
    """A question for a chunk, or why there is none; raises EndpointError and LimitReached."""
    from llama_index.core.schema import NodeWithScore, TextNode

    system = SYSTEM.of(chunk.language, tag=tag_of("")) + "\n" + DATA[chunk.language]
    metadata = {"document": source.path, "heading": chunk.heading, "table_header": chunk.table_header}
    node = NodeWithScore(node=TextNode(text=chunk.text, metadata=metadata), score=1.0)
    said = llm.ask(
        system, lambda room: fenced(1, node, room), purpose=PURPOSE, about=source.path, reserved=RESERVED
    )
    told = parsed(said)
    return _draft(source, chunk, told) if told else NO_FORM


def parsed(said: str) -> dict[str, str] | None:
    """Question, answer and quote of a reply, as JSON or as lines with labels; None where one is missing."""
    said = without_thinking(said)
    values: dict[str, Any] = found(said) or {}
    told = {}
    for name, labels in _LABELS.items():
        value = next((text for key, text in values.items() if re.fullmatch(labels, str(key), re.I)), None)
        if value is None and not values:
            match = re.search(rf"^[\s\-*#>_]*(?:{labels})[\s*_]*[:：][\s*_]*(.+)$", said, re.M | re.I)
            value = match[1] if match else None
        if isinstance(value, list) and value:
            value = value[0]
        text = " ".join(str(value).split()) if isinstance(value, str | int | float) else ""
        text = text.strip("*_` ").strip()
        if not re.search(r"\w", text) or text in ("…", "...") or len(text) > _LONGEST[name]:
            return None
        told[name] = text
    return told


def _draft(source: Source, chunk: Chunk, told: dict[str, str]) -> Draft | str:
    question = told["question"]
    if language_of(question) != chunk.language:
        return OTHER_LANGUAGE
    if _OWN_PASSAGE.search(question):
        return NEEDS_PASSAGE
    span = place(told["quote"], chunk.text)
    if span is None:
        return NO_QUOTE
    start, end = span
    return Draft(
        question,
        (told["answer"],),
        source.path,
        chunk.text[start:end],
        chunk.start + start,
        "llm",
        chunk.language,
    )


def place(quote: str, text: str) -> tuple[int, int] | None:
    """Where a quote stands: exactly, or else without regard to white space, width, case and punctuation."""
    quote = quote.strip().strip("\"'“”‘’「」").strip()
    at = text.find(quote)
    if at >= 0 and re.search(r"\w", quote):
        return at, at + len(quote)
    wanted, _ = _bare(quote)
    plain, places = _bare(text)
    if len(wanted) < 4 or (at := plain.find(wanted)) < 0:
        return None
    start, end = places[at], places[at + len(wanted) - 1] + 1
    while end < len(text) and text[end] in "。.！!？?”\"’'）)":
        end += 1
    return trimmed(text, start, end)


def _bare(text: str) -> tuple[str, list[int]]:
    """Letters and digits alone, each with its place in the text."""
    found: list[str] = []
    places: list[int] = []
    for place, char in enumerate(text):
        for folded in unicodedata.normalize("NFKC", char).casefold():
            if folded.isalnum():
                found.append(folded)
                places.append(place)
    return "".join(found), places

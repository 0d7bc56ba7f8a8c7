"""What a model's reply says, however weakly it keeps to the form it was asked for."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

LONGEST = 500
"""Characters of one text to search for; a weak model may go on and on."""
LONGEST_PASSAGE = 1_000
"""Characters of a passage that a model makes up."""
_READ = 20_000

_THINKING = re.compile(r"<(think(?:ing)?|reasoning)>.*?(?:</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_THOUGHT = re.compile(r"\A.*</(?:think(?:ing)?|reasoning)>", re.DOTALL | re.IGNORECASE)
_LABEL = re.compile(
    r"^[\s*#>_]*(?:translation|keywords?|passage|answer|(?:the )?(?:rewritten |standalone |stand-alone |new |search |"
    r"follow-up |sub-?)?(?:question|quer(?:y|ies))s?|译文|翻译|关键词|段落|答案|输出|(?:改写|独立|完整|改写后)?的?问题|"
    r"改写(?:结果)?)[\s*_]*\d{0,2}[\s*_]*[:：][\s*_]*",
    re.IGNORECASE,
)
_ITEM = re.compile(
    r"^\s*(?:[-*+•·–]|\(?\d{1,2}[.)、．:：]|（\d{1,2}）|[①-⑳]|[a-h][.)])\s*(?=\S)", re.IGNORECASE
)
_INLINE = re.compile(r"(?:^|\s)\(?\d{1,2}[.)、]\s*")
_QUOTED = re.compile(r'"([^"\n]{2,})"|“([^”\n]{2,})”|「([^」\n]{2,})」|\'([^\n]{2,}?)\'(?=\s*[,\]])')
_LEAD_IN = re.compile(
    r"^(?:sure|certainly|of course|okay|ok|here(?:'s| are| is)|these are|below|the following|i would|you could|当然|"
    r"好的|以下|下面|这里是)(?!\w)|^(?:好的|以下|下面|当然|这里是)",
    re.IGNORECASE,
)
_REFUSAL = re.compile(
    r"^(?:i(?:['’]m| am) (?:sorry|unable)|sorry|i can(?:no|['’])t|i do(?:n['’]t| not) (?:know|have)|as an ai"
    r"|unfortunately|i hope|hope this|let me know|抱歉|很抱歉|对不起|我无法|我不知道|作为一个|作为AI|希望|no_answer)",
    re.IGNORECASE,
)
_QUOTES = "\"'`“”‘’「」*_ \t"
_NAMES = ("question", "query", "text", "sub_question", "问题")


def without_thinking(said: str) -> str:
    """The reply behind what a reasoning model tells itself."""
    said = _THINKING.sub("", said[:_READ])
    # A chat template may open the block itself, so that only its end is seen.
    return _THOUGHT.sub("", said).strip()


def one_line(said: str) -> str:
    """The first text that says something, without labels, quotes and pleasantries; empty where none does."""
    return next(iter(items(said, 1)), "")


def prose(said: str, longest: int = LONGEST_PASSAGE) -> str:
    """The reply as one paragraph, without an introduction; empty where it only apologises."""
    lines = [line.strip() for line in without_thinking(said).splitlines()]
    kept = [line for line in lines if line and not line.startswith("```")]
    while kept and kept[0].endswith((":", "：")):
        kept = kept[1:]
    text = " ".join(kept)
    text = _LABEL.sub("", text).strip(_QUOTES)
    return "" if _REFUSAL.match(text) or not re.search(r"\w", text) else text[:longest].strip()


def items(said: str, limit: int, *, beside: Sequence[str] = ()) -> list[str]:
    """The entries of a list in any form, each once and none that stands in `beside`, at most `limit`."""
    said = without_thinking(said)
    seen = {folded(text) for text in beside}
    found: list[str] = []
    for text in _from_json(said) or _from_lines(said):
        text = text[:LONGEST]
        if folded(text) and folded(text) not in seen:
            seen.add(folded(text))
            found.append(text)
    return found[:limit]


def folded(text: str) -> str:
    """A text without case, width, spaces and punctuation: equal for what is the same question."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).casefold())


def _bare(line: str) -> str:
    text = _ITEM.sub("", line).strip().removesuffix(",").strip(_QUOTES)
    return _LABEL.sub("", text).strip(_QUOTES)


def _says_something(text: str) -> bool:
    has_words = re.search(r"\w", text) and not re.fullmatch(r"[\[{][\W\d]*", text)
    return bool(has_words) and not text.endswith((":", "：")) and not _REFUSAL.match(text)


def _from_lines(said: str) -> list[str]:
    lines = [line for line in said.splitlines() if line.strip() and not line.strip().startswith("```")]
    marked = [line for line in lines if _ITEM.match(line)]
    if len(marked) == 1 and len(_INLINE.findall(marked[0])) > 1:
        lines = [part for part in _INLINE.split(marked[0]) if part.strip()]
    elif marked:
        lines = marked
    elif len(lines) == 1:
        quoted = ["".join(match) for match in _QUOTED.findall(lines[0])]
        if len(quoted) > 1 or (quoted and lines[0].lstrip().startswith(("[", "{"))):
            lines = quoted
    kept = (_bare(line) for line in lines)
    return [text for line in kept if _says_something(text := line if marked else _led_in(line))]


def _led_in(text: str) -> str:
    """A line without what introduces it; empty for one that only introduces others."""
    if not _LEAD_IN.match(text):
        return text
    if match := re.search(r"[:：]\s*(?=\S)", text):
        return _bare(text[match.end() :])
    return text if text.endswith(("?", "？")) else ""


def _from_json(said: str) -> list[str]:
    """The texts of JSON values that stand at the start of a line."""
    return [text.strip() for value in _values(said) for text in _texts(value) if re.search(r"\w", text)]


def _values(said: str) -> Iterator[Any]:
    done = 0
    for match in re.finditer(r"^[ \t]*(?=[\[{])", said, re.MULTILINE):
        if match.end() < done:
            continue
        try:
            value, done = json.JSONDecoder().raw_decode(said, match.end())
        except (ValueError, RecursionError):
            continue
        yield value


def _texts(value: Any, depth: int = 0) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list) and depth < 3:
        for part in value:
            yield from _texts(part, depth + 1)
    elif isinstance(value, dict) and depth < 3:
        named = [value[name] for name in _NAMES if isinstance(value.get(name), str)]
        lists = [part for part in value.values() if isinstance(part, list)]
        plain = [part for part in value.values() if isinstance(part, str)]
        for part in named[:1] or lists or plain[:1]:
            yield from _texts(part, depth + 1)

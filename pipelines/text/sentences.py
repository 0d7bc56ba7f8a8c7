"""Where sentences and clauses begin and end, in Chinese, English and mixed text.

One compiled expression, no state and no model: functions of a module, so that a splitter that holds one of
them can be pickled.
"""

from __future__ import annotations

import re
from itertools import accumulate

Span = tuple[int, int]

_HAN = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_CLOSERS = r"""(?:["'”’」』）)\]】》〉]*+(?:[*_]++(?=\s|\Z))?+)"""
_ITEM = (
    r"(?:[-*+•‣◦●○▪·](?=[ \t])|\(?\d{1,3}[.)](?=[ \t])|\d{1,3}、|[（(]?[一二三四五六七八九十]{1,3}[）)、])"
)

# Words whose full stop never ends a sentence, and those whose full stop does not before a number.
_TITLES = "Mr Dr Ms St Lt vs cf al ca Mrs Gen Col Sgt Rev Hon Gov Sen Rep viz e.g i.e Prof Capt".split()
_COUNTERS = (
    "No Ch Eq pp Jan Feb Mar Apr Jun Jul Aug Sep Oct Nov Dec Nos Fig Vol Sec Art Ref Tab Figs Eqs".split()
)


def _after(words: list[str]) -> str:
    """An expression that holds just after one of `words`; a lookbehind has one width, so one for each width."""
    widths: dict[int, list[str]] = {}
    for word in words:
        widths.setdefault(len(word), []).append(re.escape(word))
    return "(?:" + "|".join(rf"(?<=\b(?:{'|'.join(group)}))" for group in widths.values()) + ")"


# A full stop that ends nothing: after an initial (U.S., J. Smith), a title, a counter, or before lower case. No
# abbreviation has five letters: looking for them only where a shorter word ends saves half of the time.
_NO_STOP = rf"""(?:
    (?<![a-z]{{5}}) (?<!\d) (?:
        (?<=(?<![\w'’])[A-Za-z])\. | {_after(_TITLES)}\. | {_after(_COUNTERS)}\.\s*\d
    )
  | \.{_CLOSERS}\s+[a-z]
)"""

_STOP = rf"""(?:
    (?:[。！？；]|…(?!\s*[a-z])) [。！？；…!?.]*+ {_CLOSERS}
  | (?!{_NO_STOP}) \. [.!?]*+ {_CLOSERS} (?=\s|\Z)
  | [!?]++ [!?.]*+ (?!["'”’)]++\s+[a-z]) {_CLOSERS} (?=\s|\Z|[{_HAN}])
  | (?<=[{_HAN}])\.(?=[{_HAN}])
)"""

# A line that is a sentence of its own: heading, table row, code fence, rule, list item that is not wrapped.
_LINE = rf"""(?<![^\n]) [^\S\n]*+
    (?: \#{{1,6}}[ \t][^\n]*+ | \|[^\n]*+ | (?:```|~~~)[^\n]*+ | (?:[-*_=][ \t]?){{3,}}+[^\S\n]*+
      | {_ITEM} [^\n]{{1,200}}+ (?!\n[^\S\n]+[^\s\-*+•|\#\d(（])
    ) (?=\n|\Z)"""

# A line break inside a paragraph: the line is about as long as lines that are wrapped, and prose goes on.
_WRAP = rf"""(?<![:：|]) (?:
    (?<=[^\n]{{30}}) (?<![^\n]{{130}}) \r?\n [^\S\n]*+ (?=[a-z])
  | (?<=[^\n]{{55}}) (?<![^\n]{{130}}) (?<=[a-z,)"”\d -]) \r?\n [^\S\n]*+ (?!{_ITEM}) (?=[A-Z0-9"“(])
  | (?<=[^\n]{{18}}) (?<![^\n]{{80}}) (?<=[{_HAN}，、）」”]) \r?\n [^\S\n]*+ (?!{_ITEM}) (?=[{_HAN}“「《（])
)"""

_SENTENCE = re.compile(
    rf"""(?:
      {_LINE}
    | (?:[^\S\n]*\n)*+ (?:[^\S\n]*+{_ITEM})?+
      (?: [^\r\n.!?。！？…；]++ | {_WRAP} | \r(?!\n) | (?!{_STOP})[.!?…]++ )*+ {_STOP}?+
    )
    [^\S\n]*+ (?:\n(?:[^\S\n]*\n)*+)?+
    """,
    re.VERBOSE,
)

_CLAUSE = re.compile(rf"(?:[^，、；：,;:]++|[,;:](?!\s|\Z))*+(?:[，、；：]|[,;:](?=\s|\Z)|\Z){_CLOSERS}\s*+")


def sentences(text: str) -> list[str]:
    """The sentences of `text`; joined they are `text` again. LlamaIndex's splitters take this function."""
    found: list[str] = _SENTENCE.findall(text)
    return [sentence for sentence in found if sentence]


def sentence_spans(text: str) -> list[Span]:
    """Sentences as (start, end); they cover `text` without a gap, white space going with what is before it."""
    return _spans(sentences(text))


def clause_spans(text: str) -> list[Span]:
    """Clauses as (start, end), for a sentence that is too long; they cover `text` without a gap."""
    return _spans([clause for clause in _CLAUSE.findall(text) if clause])


def _spans(pieces: list[str]) -> list[Span]:
    ends = list(accumulate(map(len, pieces)))
    return list(zip([0, *ends], ends, strict=False))

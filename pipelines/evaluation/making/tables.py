"""Questions from the rows of tables."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from pipelines.evaluation.making.chunks import Chunk, Source
from pipelines.evaluation.making.drafts import Draft, short
from pipelines.evaluation.making.names import only_nouns
from pipelines.text.language import language_of
from pipelines.text.stop_words import STOP_WORDS

_ROW = re.compile(r"^[ \t]*\|[^\n]*\|[ \t]*$", re.MULTILINE)
_RULE = re.compile(r"[|\s:-]+")
_BAR = re.compile(r"(?<!\\)\|")
_LABEL_EN = re.compile(r"[A-Za-z][A-Za-z' -]{2,40}")
_LABEL_ZH = re.compile(r"[\u4e00-\u9fff]{2,10}")
_VAGUE = frozenset(
    """note notes remark remarks comment comments description example examples name item key value type what how why
    where when who page flag period result results yes no total meaning purpose use details status action
    备注 说明 描述 示例 例子 名称 项目 序号 编号 备考 合计 总计 含义 意思 用途 作用 内容 操作 类型 结果 其他""".split()
)
_KEY = re.compile(r"(?=.*(?:[A-Za-z]{3}|[\u4e00-\u9fff]{2}))(?![IVX]+$)[^|*<>#\n]{1,39}[^|*<>#\n:：.]")
_SUMS = re.compile(r"(?:sub)?total|sum|average|合计|总计|小计|平均", re.IGNORECASE)
_FEWEST_COLUMNS, _MOST_COLUMNS = 2, 8


def tables(source: Source, chunk: Chunk) -> Iterator[Draft]:
    """What stands in a cell, asked by the name of its row and of its column."""
    header = _cells(chunk.table_header) if chunk.table_header else []
    found = list(_ROW.finditer(chunk.text))
    keys = Counter(_cells(row)[0] for row in _ROW.findall(source.text))
    for number, row in enumerate(found):
        cells = _cells(row[0])
        if number + 1 < len(found) and _is_rule(found[number + 1][0]):
            header = cells
            continue
        if (
            _is_rule(row[0])
            or len(cells) != len(header)
            or not all(header)
            or not _FEWEST_COLUMNS <= len(cells) <= _MOST_COLUMNS
        ):
            continue
        if keys[cells[0]] > 1 or not _KEY.fullmatch(cells[0]) or _SUMS.match(cells[0]):
            continue
        for label, value in zip(header[1:], cells[1:], strict=True):
            if question := _question(cells[0], label, value):
                quote = row[0].strip()
                start = chunk.start + row.start() + row[0].index(quote)
                yield Draft(question, short(value), source.path, quote, start, "table", language_of(question))


def _question(key: str, label: str, value: str) -> str:
    if (
        not 1 <= len(value) <= 60
        or "](" in value
        or re.search(r"\d", label)
        or value in ("-", "–", "—", "/", "n/a", "N/A", "无")
        or value == key
    ):
        return ""
    if label.casefold() in _VAGUE or key.casefold() in _VAGUE:
        return ""
    if _LABEL_ZH.fullmatch(label) and language_of(key) == "zh" and only_nouns(label) and only_nouns(key):
        return f"{key}的{label}是{'多少' if re.match(r'[约¥￥$]?[0-9]', value) else '什么'}？"
    if _LABEL_EN.fullmatch(label) and _noun(label) and language_of(key) == "en" and _names(key):
        name = " ".join(word if word.isupper() else word.lower() for word in label.split())
        be = (
            "are"
            if name.split(" per ")[0].split(" of ")[0].endswith("s") and not name.endswith("ss")
            else "is"
        )
        return f"What {be} the {name} of {key}?"
    return ""


def _noun(label: str) -> bool:
    words = label.casefold().split()
    return (
        len(words) <= 4
        and min(map(len, words)) > 1
        and not (set(words) - {"of", "per", "in"}) & (STOP_WORDS | _VAGUE)
    )


def _names(key: str) -> bool:
    if re.search(r"\b\d{4}$|^(?:Q[1-4]|FY)\b", key):  # a time is no thing that has something
        return False
    words = key.split()
    return (
        len(words) <= 5
        and (key[0].isupper() or key.startswith("`"))
        and words[0].casefold() not in STOP_WORDS
    )


def _cells(row: str) -> list[str]:
    cells = [cell.strip().strip("*").replace("\\|", "|") for cell in _BAR.split(row.strip())]
    return cells[1:-1] if len(cells) > 2 else [""]


def _is_rule(row: str) -> bool:
    return bool(_RULE.fullmatch(row)) and "-" in row

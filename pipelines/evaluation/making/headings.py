"""Questions from headings that ask, or that say what one does; and from pairs of question and answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from pipelines.evaluation.making.chunks import Chunk, Source
from pipelines.evaluation.making.drafts import LONGEST_ANSWER, Draft, short, trimmed
from pipelines.text.language import language_of
from pipelines.text.outline import Outline
from pipelines.text.sentences import sentence_spans
from pipelines.text.stop_words import STOP_WORDS

_LONGEST = 120
"""Characters of a heading that is a question."""
_EVIDENCE = 500
"""Characters of the text under a heading that are its evidence, about."""

_FEWEST = 2
"""Words of a heading that say what it is about; with fewer it is clear in its place only."""
_LOOSE = re.compile(
    r"\b(?:this|these|here|above|below)\b|^(?:那|这|而|还有|另外)|[本该此上下](?:文|节|章|手册|指南|教程|文档|FAQ| )",
    re.IGNORECASE,
)
_ENDS = re.compile(r"[.。！!？?；;][\"”’」』)）]*$")
_NO_PROSE = re.compile(r"\||```|~~~|[-*] |1[.)]|>|<|!\[")
_NUMBER = re.compile(
    r"^\s*(?:(?:\d+\.)*\d+\.?|[（(]?[一二三四五六七八九十]+[)）、.]"
    r"|第[一二三四五六七八九十\d]+[章节条部分]+|Q\d*[:：.]?|问[:：])\s*"
)
_ASKS_EN = re.compile(
    r"(?:how (?:do|does|can|should|is|are|much|many|long|often)|what (?:is|are|does|do|happens|should"
    r"|can)|why (?:do|does|is|are|"
    r"did|was)|who (?:is|are|can|does|may)|when (?:do|does|is|are|should|can)|where (?:do|does|is|are"
    r"|can)|which|can i|may i|"
    r"do i|should i|is there|are there)\b",
    re.IGNORECASE,
)
_HOW_TO = re.compile(r"(how|when|where) to (?=\w)", re.IGNORECASE)
_ASKS_ZH = re.compile(
    r"^(?:如何|怎么|怎样|怎么样|为什么|为何|什么是|什么时候|哪些|哪里|谁)|(?:吗|呢|怎么办|是什么"
    r"|怎么做|怎么样|有哪些|多少钱|多久)$"
)
_DOES_ZH = re.compile(
    r"(?:安装|配置|设置|添加|新增|增加|删除|移除|修改|更改|更换|升级|更新|创建|新建|导入|导出|备份"
    r"|恢复|申请|提交|取消|"
    r"注册|登录|重置|启动|停止|部署|编译|使用|选择|查看|上传|下载|打开|关闭|连接|测量|清洁|报销|办理"
    r"|预订|退货)(?=[^：:—]{2,20}$)"
)
_VERBS = """add build change check choose compile configure connect convert copy create customize debug delete deploy
disable download edit enable export find fix import install join make manage migrate monitor move open order patch
prepare publish remove rename renew replace request reset restore return run schedule send set share start stop submit
test track transfer uninstall update upgrade upload use verify write""".split()
_PAIRED = re.compile(r"#\s*(?P<question>[^\n]+)\n+(?P<answer>\S.*)", re.DOTALL)


def _gerund(verb: str) -> str:
    if verb in ("set", "run", "stop", "submit", "debug", "transfer"):
        return verb + verb[-1] + "ing"
    return (verb[:-1] if verb.endswith("e") else verb) + "ing"


_GERUNDS = {_gerund(verb): verb for verb in _VERBS}
_DOING = re.compile(rf"({'|'.join(_GERUNDS)})(?: and ({'|'.join(_GERUNDS)}))? (?=\w)", re.IGNORECASE)
_DO = re.compile(rf"({'|'.join(_VERBS)}) (?=(?:a|an|the|your|new|another|several|one) )", re.IGNORECASE)


def pair(source: Source) -> Iterator[Draft]:
    """The question of a document that is a pair of question and answer."""
    match = _PAIRED.match(source.text)
    if source.format != "faq" or match is None:
        return
    question, (start, end) = match["question"].strip(), trimmed(source.text, *match.span("answer"))
    answer = source.text[start:end]
    gold = short(answer) or short(_lead(answer, LONGEST_ANSWER))
    yield Draft(question, gold, source.path, answer, start, "faq", language_of(question))


def headings(source: Source, chunk: Chunk) -> Iterator[Draft]:
    """Questions from the headings in a chunk that ask or tell what one does, where text follows."""
    if not source.markdown or source.format == "faq":
        return
    outline = Outline(chunk.text)
    for start, end in pairwise([*outline.headings, len(chunk.text)]):
        line = chunk.text.find("\n", start, end)
        title = outline.heading_at(start).split(" > ")[-1]
        if line < 0 or not (question := asked(title)):
            continue
        start, end = trimmed(chunk.text, line, end)
        lead = _lead(chunk.text[start:end], _EVIDENCE)
        if len(lead) < 20 or not _ENDS.search(lead) or _NO_PROSE.match(lead) or source.text.count(lead) > 1:
            continue
        first = lead[: sentence_spans(lead)[0][1]]
        yield Draft(
            question,
            short(_plain(lead)) or short(_plain(first)),
            source.path,
            lead,
            chunk.start + start,
            "heading",
            language_of(question),
        )


def asked(heading: str) -> str:
    """The question that a heading asks or answers; empty for a heading that is a mere subject."""
    title = _plain(_NUMBER.sub("", heading)).strip(" .。:：")
    if not 4 <= len(title) <= _LONGEST or _LOOSE.search(title) or _told(title) < _FEWEST:
        return ""
    if language_of(title) == "zh":
        return _asked_zh(title)
    if title.endswith("?") and len(title.split()) > 2:
        return title[0].upper() + title[1:]
    if _ASKS_EN.match(title) and len(title.split()) > 3:
        return title[0].upper() + title[1:] + "?"
    if match := _HOW_TO.match(title):
        be = "do" if match[1].lower() == "how" else "should"
        return f"{match[1].capitalize()} {be} I {_rest(title[match.end() :])}?"
    if match := _DOING.match(title):
        verbs = " and ".join(_GERUNDS[verb.lower()] for verb in match.groups() if verb)
        return f"How do I {verbs} {_rest(title[match.end() :])}?"
    if match := _DO.match(title):
        return f"How do I {match[1].lower()} {_rest(title[match.end() :])}?"
    return ""


def _asked_zh(title: str) -> str:
    if title.endswith(("？", "?")):
        return title[:-1] + "？" if not re.search(r"[?？].", title) else ""
    if any(mark in title for mark in "：:—，；？"):
        return ""
    if _ASKS_ZH.search(title):
        return title + "？"
    return f"如何{title}？" if _DOES_ZH.match(title) else ""


def _told(title: str) -> int:
    """How many words of a heading say what it is about."""
    import rjieba

    words = rjieba.cut(title) if language_of(title) == "zh" else re.findall(r"[\w'’-]+", title)
    return sum(word.casefold() not in STOP_WORDS and bool(re.search(r"\w", word)) for word in words)


def _rest(words: str) -> str:
    """The rest of a heading in the middle of a sentence: Title Case gives way, names stay."""
    found = words.split()
    capitals = sum(word[:1].isupper() for word in found)
    if capitals > 1 and capitals >= 0.7 * len([word for word in found if len(word) > 3]):
        found = [word if not word.istitle() else word.lower() for word in found]
    return " ".join(found)


def _lead(text: str, most: int) -> str:
    """The first sentences of the first paragraph, as many as fit."""
    paragraph = re.split(r"\n\s*\n", text, maxsplit=1)[0]
    end = 0
    for _, stop in sentence_spans(paragraph):
        if end and stop > most:
            break
        end = stop
    return paragraph[:end].rstrip()


def _plain(text: str) -> str:
    """Markdown without emphasis, links and anchors."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"\{#[^}]*\}|\*\*|__", "", text)
    return " ".join(text.split())

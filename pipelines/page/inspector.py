"""How an answer came about: every candidate and its fate, the time of each stage, the prompt."""

from __future__ import annotations

from pipelines.page.evidence import finder
from pipelines.page.table import Table
from pipelines.querying.names import fate, stage
from pipelines.querying.trace import Candidate, Trace
from pipelines.words import Language, Words

_SNIPPET = 90

_HEAD = {
    "rank": Words("rank", "名次"),
    "document": Words("document", "文档"),
    "terms": Words("matched words", "匹配的词"),
    "fate": Words("what became of it", "结果"),
    "text": Words("text", "内容"),
}
_STAGES = [
    Words("stage", "阶段"),
    Words("ms", "毫秒"),
    Words("tokens in", "输入 token"),
    Words("tokens out", "输出 token"),
]
_SUSPICIOUS = Words("⚠ {fate}; reads like an order to a model", "⚠ {fate}；像是给模型下的指令")
_PAGE = Words("{document}, p. {page}", "{document}，第 {page} 页")
_ROLES = {
    "system": Words("system", "系统"),
    "user": Words("user", "用户"),
    "assistant": Words("assistant", "助手"),
}
_TOTAL = Words("all", "合计")


def candidates(trace: Trace | None, language: Language) -> Table:
    """Every candidate with its rank and score per retriever, its matched words and its fate."""
    found = trace.candidates if trace else []
    retrievers = list(dict.fromkeys(name for each in found for name in each.by))
    head = [_HEAD["rank"], _HEAD["document"]]
    rows = []
    for each in found:
        ranks = [
            f"{each.by[name]['rank']:.0f} ({each.by[name]['score']:.3f})" if name in each.by else "–"
            for name in retrievers
        ]
        place = each.document
        if each.page:
            place = _PAGE.of(language, document=each.document, page=each.page)
        text = " ".join(each.text.split())
        snippet = text[:_SNIPPET] + ("…" if len(text) > _SNIPPET else "")
        rows.append([str(each.rank), place, *ranks, " ".join(each.terms), _fate(each, language), snippet])
    after = [_HEAD["terms"], _HEAD["fate"], _HEAD["text"]]
    return Table(
        [
            *(words.of(language) for words in head),
            *(finder(name, language) for name in retrievers),
            *(words.of(language) for words in after),
        ],
        rows,
    )


def _fate(candidate: Candidate, language: Language) -> str:
    told = fate(candidate.fate, language)
    return _SUSPICIOUS.of(language, fate=told) if candidate.suspicious else told


def stages(trace: Trace | None, language: Language) -> Table:
    """The time of each stage, and their sum."""
    found = trace.stages if trace else []
    rows = [
        [
            stage(each.name, language),
            f"{each.milliseconds:,.1f}",
            "" if each.tokens_in is None else f"{each.tokens_in:,}",
            "" if each.tokens_out is None else f"{each.tokens_out:,}",
        ]
        for each in found
    ]
    if rows:
        rows.append([_TOTAL.of(language), f"{sum(each.milliseconds for each in found):,.1f}", "", ""])
    return Table([words.of(language) for words in _STAGES], rows)


def prompt(trace: Trace | None, language: Language) -> str:
    """The messages that were sent to the LLM, word for word; empty where none wrote."""
    sent = trace.prompt if trace else []
    blocks = []
    for message in sent:
        role = _ROLES.get(message["role"])
        blocks.append(f"── {role.of(language) if role else message['role']} ──\n{message['content']}")
    return "\n\n".join(blocks)

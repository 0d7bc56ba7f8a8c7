"""Example questions for a knowledge base, made of the headings of its documents."""

from __future__ import annotations

import re
from collections import Counter
from itertools import chain, zip_longest

from sqlalchemy import select

from pipelines.catalog import Catalog
from pipelines.catalog.database import explained
from pipelines.catalog.tables import documents, nodes
from pipelines.text.language import language_of
from pipelines.words import Language

EXAMPLES = 4
_DOCUMENTS = 300
"""Documents whose headings are looked at, chosen as if by lot and always the same."""
_CHUNKS = 30
"""Chunks from the beginning of each."""

_NUMBER = r"[\d.]+|[一二三四五六七八九十百]+"
_NUMBERING = re.compile(
    rf"^(?:第\s*(?:{_NUMBER})\s*[章节條条部分篇讲课]+[\s:：、.]*|[(（\[](?:{_NUMBER}|[a-z])[)）\]]\s*|"
    r"[\d.]+\d[.)、：:]?\s+|\d+[.)、：:]\s*|[一二三四五六七八九十百]+[、.：:]\s*|"
    r"(?:chapter|section|part|appendix|step|figure|table|slide|page)\s+[\divxa-z]{1,4}\b[\s:.–—-]*)",
    re.IGNORECASE,
)
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_MARKS = re.compile(r"[*`#~“”\"\\]|(?<!\w)_|_(?!\w)")
_UNFIT = re.compile(r"[<>|{}=@\u0000-\u001f\ufffd]|://|\.{3}|…")
_LETTER = re.compile(r"[^\W\d_]")
_ASKS_ZH = re.compile(r"^(?:如何|怎么|怎样|为什么|为何|什么是|何时|谁)|(?:吗|呢|是什么|怎么办|多少)$")
_ASKS_EN = re.compile(
    r"^(?:how|what|when|where|why|who|which)\s+(?:is|are|was|were|do|does|did|can|should|will|must)\s"
    r"|^(?:is|are|do|does|can|should)\s+(?:i|we|you|it|they|the|there)\s",
    re.IGNORECASE,
)
_ABOUT = re.compile(r"^(?:about\s+|关于)(?=.{2})", re.IGNORECASE)
_BOILERPLATE = frozenset(
    (
        "contents|table of contents|toc|index|introduction|overview|summary|abstract|conclusion|conclusions|notes|"
        "references|bibliography|appendix|glossary|acknowledgements|preface|foreword|about|about us|license|"
        "copyright|disclaimer|changelog|change log|see also|readme|examples|example|faq|q&a|further reading|"
        "revision history|document history|getting started|navigation|main menu|untitled|"
        "目录|前言|序言|序|引言|概述|简介|介绍|摘要|总结|小结|结论|结语|附录|参考文献|参考资料|致谢|附则|总则|版权|"
        "版权声明|免责声明|修订记录|变更记录|更新日志|说明|备注|注意|其他|其它|示例|例子|常见问题|关于我们|无标题"
    ).split("|")
)


def examples(catalog: Catalog, language: Language) -> list[str]:
    """Up to `EXAMPLES` questions, each from another document, in both languages where the documents are.

    The page's language comes first. The same documents give the same questions.
    """
    by_language: dict[str, list[str]] = {"zh": [], "en": []}
    for headings in _headings(catalog):
        best = min(headings, key=lambda place: (not _asks(headings[place]), place), default=None)
        if best is not None:
            question = _question(headings[best])
            by_language[language_of(headings[best])].append(question)
    own, other = ("zh", "en") if language == "zh" else ("en", "zh")
    mixed = chain.from_iterable(zip_longest(by_language[own], by_language[other]))
    return list(dict.fromkeys(question for question in mixed if question))[:EXAMPLES]


def _headings(catalog: Catalog) -> list[dict[int, str]]:
    """The headings that questions can be made of, by their order, of each document."""
    active = catalog.generations.active()
    if active is None:
        return []
    some = (
        select(documents.c.id, documents.c.content)
        .where(documents.c.generation == active.id, documents.c.chunks > 0)
        .order_by(documents.c.content, documents.c.id)  # a hash: as good as a lot, and drawn alike each time
        .limit(_DOCUMENTS)
        .subquery()
    )
    query = (
        select(some.c.id, nodes.c.heading)
        .join(nodes, nodes.c.document == some.c.id)
        .where(nodes.c.position < _CHUNKS, nodes.c.heading != "")
        .order_by(some.c.content, some.c.id, nodes.c.position)
    )
    found: dict[int, dict[str, None]] = {}
    with explained("the catalog"), catalog.engine.connect() as connection:
        for document, heading in connection.execute(query):
            found.setdefault(document, {})[_cleaned(heading)] = None
    times = Counter(heading.casefold() for headings in found.values() for heading in headings)
    return [
        {
            place: heading
            for place, heading in enumerate(headings)
            if times[heading.casefold()] == 1 and _is_fit(heading)
        }
        for headings in found.values()
    ]


def _cleaned(path: str) -> str:
    """The last heading of a path `A > B`, without numbering and Markdown."""
    heading = _MARKS.sub("", _LINK.sub(r"\1", path.rsplit(" > ", 1)[-1]))
    heading = " ".join(heading.split())
    return _NUMBERING.sub("", heading).strip().rstrip(":：。.;；,，、").strip()


def _is_fit(heading: str) -> bool:
    """Whether a heading says enough, and not too much, to ask about it."""
    bare = heading.rstrip("?？!！").strip().casefold()
    letters = len(_LETTER.findall(bare))
    if bare in _BOILERPLATE or _UNFIT.search(heading) or letters < 0.6 * len(bare.replace(" ", "")):
        return False
    if language_of(heading) == "zh":
        return letters >= 2 and len(heading) <= 30
    return letters >= 4 and len(heading) <= 80 and len(heading.split()) <= 12


def _asks(heading: str) -> bool:
    """Whether a heading is a question already, with its mark or without."""
    asks = _ASKS_ZH if language_of(heading) == "zh" else _ASKS_EN
    return heading.endswith(("?", "？")) or bool(asks.search(heading))


def _question(heading: str) -> str:
    """A heading as a question in its own language."""
    chinese = language_of(heading) == "zh"
    if _asks(heading):
        return heading if heading.endswith(("?", "？")) else heading + ("？" if chinese else "?")
    heading = _ABOUT.sub("", heading)
    return f"关于“{heading}”，文档怎么说？" if chinese else f"What do the documents say about “{heading}”?"

"""Whether words name something that a question can ask about: a reader knows what is meant without its passage."""

from __future__ import annotations

import re

from pipelines.evaluation.making.chunks import Source
from pipelines.text.stop_words import STOP_WORDS
from pipelines.text.terms import key_of

_ARTICLE = re.compile(r"(?:the|a|an)\s+", re.IGNORECASE)
_VAGUE_EN = frozenset(
    """number lot few result reason example case goal aim purpose way kind type part rest first second third last next
    former latter same other another following above below figure table section chapter note exception problem
    question answer difference idea point fact thing person people man woman time day year""".split()
)
_STARTS_ZH = re.compile(
    r"[他她它这那该此其本我你您咱各某有每第另由据在从对为当如因但并而且且又也还就则却即若虽把被将让使向于和与及或所以不没"
    r"只仅最更很较曾已正再才都均未无同之前后]|(?:目前|其中|后来|当时|随后|此后|随着|通过|根据|按照"
    r"|一般|通常|例如|比如|"
    r"另外|因此|所以|然而|虽然|由于|如果|同时|全部|之一|部分|多数|大多|许多|一些|主要|首先|最后|现在"
    r"|今天|记者|作者|本文|有人|"
    r"现任|前者|后者|两者|双方|以上|以下|上述|下列)"
)
_VAGUE_ZH = re.compile(
    r"原因|结果|目的|目标|现场|主角|父亲|母亲|地点|时间|原本|内容|方法|问题|情况|特点|作用|意义|关键"
    r"|部分$|方面$"
)
_INSIDE_ZH = re.compile(r"[的了着是在和与及就也都将被把很不没而但且，。、；：！？“”\"'（）()\s]")
_ENDS_ZH = re.compile(
    r"(?:就|都|也|还|又|仅|只|便|才|更|则|均|可|可以|应|必须|需要|主要|一般|通常|正式|曾|曾经|当时"
    r"|目前|同样|分别|一律|统一|一并|后|时|前)$"
)
_NAMES = frozenset("nr ns nt nz nrt nrfg eng".split())
_NOUNS = _NAMES | frozenset("n j b vn a an l s ng".split())
_NEWS = re.compile(
    r"[\d一二三四五六七八九十]日[电讯]|记者|编辑|本报|来源|责编|原标题|新华社|中新[社网]|央视网|消息"
)
ROLES_ZH = (
    "员工",
    "职工",
    "客户",
    "用户",
    "会员",
    "学生",
    "乘客",
    "住户",
    "供应商",
    "访客",
    "申请人",
    "学员",
    "业主",
    "实习生",
)
_NO_NAME = re.compile(
    r"\b(?:he|she|it|they|his|her|its|their|this|these|that|those|which|who|is|are|was|were|be|been"
    r"|has|have|had|do|does|did|"
    r"when|where|while|if|because|although|but|or)\b",
    re.IGNORECASE,
)
_JOINING = frozenset("of the and de la von van ul al bin du da".split())


def bare(subject: str) -> str:
    """A subject without its article, quotes and marks."""
    return _ARTICLE.sub("", subject.strip(' \t*_"“”«»《》「」'), count=1)


def is_name(subject: str, source: Source) -> bool:
    """Whether an English subject is a name, by its capitals or since the document is called so."""
    words = bare(subject).split()
    if not words or len(words) > 8 or words[0].casefold() in STOP_WORDS | _VAGUE_EN:
        return False
    if key_of(subject) in source.titles and not subject.startswith(("The ", "This ")):
        return True
    if _NO_NAME.search(subject):
        return False
    capitals = [word for word in words if word[:1].isupper() or word[:1].isdigit()]
    article = _ARTICLE.match(subject.strip())
    if len(words) == 1:  # at the start of a sentence any word is capitalised
        elsewhere = re.search(rf"[a-z,]\s{re.escape(words[0])}\b", source.text)
        return bool(capitals and not article and elsewhere and len(words[0]) > 2)
    if article:
        return len(capitals) >= 2 or bool(capitals and words[0][:1].islower())
    # Without an article all of it is the name: "Bank of China", not "Succession for the Yuan dynasty".
    return len(capitals) >= 2 and all(word in _JOINING or word in capitals for word in words)


def is_name_zh(subject: str, source: Source, *, strict: bool = True) -> bool:
    """Whether a Chinese subject is a name; `strict`: the document is called so, or sets it in title marks."""
    plain = subject.strip("《》「」“”\"' ")
    if not plain_zh(plain):
        return False
    if key_of(plain) in source.titles or subject.startswith("《"):
        return True
    return (
        not strict
        and len(plain) > 2
        and only_nouns(plain)
        and not _VAGUE_ZH.search(plain)
        and source.text.count(plain) > 1
    )


def plain_zh(words: str) -> bool:
    """Whether Chinese words may be a subject at all: no pronoun, no particle, no part of a date line."""
    if not 2 <= len(words) <= 20 or words in STOP_WORDS or words.isdigit():
        return False
    return not any(
        (_STARTS_ZH.match(words), _INSIDE_ZH.search(words), _ENDS_ZH.search(words), _NEWS.search(words))
    )


def leading_name(clause: str) -> str:
    """The nouns that a Chinese clause begins with, where one of them is a name; empty where it begins with none."""
    taken = _leading(clause)
    while taken and (taken[-1][1] in ("a", "vn", "b") or taken[-1][0].endswith("出")):
        taken.pop()
    name = "".join(word for word, _ in taken)
    named = any(kind in _NAMES and len(word) > 1 for word, kind in taken) and 3 <= len(name) <= 20
    return name if named and not _VAGUE_ZH.search(name) and not _NEWS.search(clause) else ""


def leading_nouns(clause: str) -> str:
    """The nouns that a Chinese clause begins with."""
    return "".join(word for word, _ in _leading(clause))


def _leading(clause: str) -> list[tuple[str, str]]:
    taken: list[tuple[str, str]] = []
    for word, kind in tagged(clause):
        if kind not in _NOUNS or _STARTS_ZH.match(word):
            break
        taken.append((word, kind))
    return taken


def only_nouns(subject: str) -> bool:
    """Whether a Chinese subject has no verb in it."""
    return all(kind in _NOUNS for _, kind in tagged(subject))


def tagged(text: str) -> list[tuple[str, str]]:
    """Chinese words with their part of speech, as ICTCLAS names it: `n` noun, `nr` person, `v` verb, …"""
    import rjieba

    return [(word, kind) for word, kind in rjieba.tag(text)]


def lowered(subject: str, source: Source) -> str:
    """An English subject in the middle of a sentence: an article, or a word that is no name, is written small."""
    first, _, rest = subject.partition(" ")
    if first in ("The", "A", "An"):
        return f"{first.lower()} {rest}"
    if first.isalpha() and first[1:].islower() and rest == rest.lower():
        small = re.search(rf"\b{first.lower()}\b", source.text)
        capital = re.search(rf"[a-z,]\s{first}\b", source.text)
        return subject[0].lower() + subject[1:] if small and not capital else subject
    return subject

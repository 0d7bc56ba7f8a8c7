"""Questions from sentences that say what something is."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipelines.evaluation.making.chunks import Source
from pipelines.evaluation.making.drafts import LONGEST_ANSWER, Draft, short
from pipelines.evaluation.making.names import bare, is_name, is_name_zh, lowered, tagged
from pipelines.evaluation.making.statements import Statement
from pipelines.text.stop_words import STOP_WORDS
from pipelines.text.terms import key_of

_IS = re.compile(
    r"""(?P<subject>[^,;:()]{2,80}?)
    (?P<aside>\s*\([^()]{1,120}\))? (?:,[^,]{1,60},)?
    \s(?P<be>is|was|are|were)\s
    (?P<told>(?:a|an|the|one\sof)\s[^;]{8,}?)
    (?=\.['\"”’)]*$|;|,?\s(?:which|who|whose|where)\s|,\s(?:and|but|while|although|with|located|known)\s)""",
    re.VERBOSE,
)
_MEANS = re.compile(
    r"(?:The\sterm\s)?[\"“]?(?P<subject>[^,;:()\"“”]{2,50}?)[\"”]?\s(?P<verb>refers\sto|means"
    r"|stands\sfor)\s(?P<told>[^;]{8,}?)(?=[.;])",
    re.VERBOSE,
)
_DOES = re.compile(
    r"(?P<subject>`[^`\n]{4,40}`)\s(?P<told>(?!(?:is|was|has|does so)\s)"
    r"(?P<verb>[a-z]{2,}s)\s[^;]{8,}?)(?=[.;](?:\s|$))"
)
_GENERIC = re.compile(r"(?:A|An)\s[a-z][a-z-]+(?:\s[a-z][a-z-]+)?")
_NO_KIND = re.compile(
    r"(?:the|one of the)\s(?:same|case|result|reason|fact|only|first|last|latter|former|following|most"
    r"|best|main)\b|"
    r"(?:a|an)\s(?:result|reason|lot|bit|little|few|way|matter|good|bad|great|major|very|more|part"
    r"|member|common)\b"
)
# What something was once, to somebody: no answer to the question what it is.
_PASSING = re.compile(
    r"\b(?:component|example|admirer|disaster|part|product|factor|success|failure|attempt|response"
    r"|problem|basic|key|important|"
    r"beloved|favou?rite|source|reaction|supporter|follower|friend|critic)\b"
)
_PERSON = re.compile(
    r"\b(?:actor|actress|singer|politician|writer|author|poet|novelist|footballer|player|composer"
    r"|scientist|physicist|"
    r"mathematician|philosopher|painter|artist|engineer|inventor|figure|general|king|queen|emperor"
    r"|president|minister|director|"
    r"producer|musician|journalist|lawyer|economist|theologian|reformer|explorer|businessman"
    r"|businesswoman|coach|professor|"
    r"commander|lieutenant|tenor|soprano|duke|duchess|prince|princess|son|daughter|soldier|pilot"
    r"|sculptor|bishop|saint|cricketer|wrestler|boxer|judge|nurse|teacher|activist|diplomat|admiral|"
    r"colonel|captain|sergeant|designer|editor|critic|broadcaster|presenter|dancer|choreographer"
    r"|songwriter|priest|"
    r"missionary|swimmer|sprinter|driver|golfer|scholar|linguist|psychologist|surgeon|physician"
    r"|statesman|nobleman|"
    r"officer|comedian|rapper|drummer|guitarist|historian|chemist|biologist|architect|entrepreneur|athlete)\b"
)
_BORN = re.compile(r"\bborn\b|\bb\.\s|\d{4}\s?[–-]\s?(?:\w+ ){0,3}\d{4}|年.{0,8}[生—－–-]|生於|生于|生卒")
_LIST = re.compile(
    r"\b(?:list|name|title|album|film|novel|book|song|series|band|magazine|opera|play|fort|ship|company)\b"
)

_IS_ZH = re.compile(
    r"""(?P<subject>(?:《[^》]{1,25}》|[「“]?[^，。、；：（(“”「《》\s是为]{2,18}[」”]?))\s?
    (?P<aside>[（(][^）)]{0,90}[）)])?
    (?:，(?:又称|亦称|简称|又名|也称|也叫|别名|原名|全称|英文)[^，。]{1,30})?
    ，?(?P<be>是指|指的是|是|为)\s?(?P<told>[^；]{4,}?)(?=[，。；]|$)""",
    re.VERBOSE,
)
_SO_CALLED = re.compile(
    r"所谓的?[“「]?(?P<subject>[^，。”」是指]{2,15})[”」]?，?(?:就?是指|指的是|就?是|指)"
    r"(?P<told>[^。；]{4,}?)(?=[。；，]|$)"
)
_POINTS = re.compile(
    r"[“「]?(?P<subject>[^，。、；：（(“”「《》\s是]{2,15})[”」]?(?:[（(][^）)]{0,60}[）)])?(?:是指"
    r"|指的是|(?<!令人发)(?<![手脚食中拇无名小])指)(?![责导出挥向示定望数])(?P<told>[^。；]{4,}?)"
    r"(?=[。；，]|$)"
)
_DOES_ZH = re.compile(
    r"(?P<subject>`[^`\n]{4,40}`)\s?(?P<told>(?!表|总是"
    r"|从不)[\u4e00-\u9fff](?<![的和是里中与或在上下、，])[^；]{6,}?)(?=[。；])"
)
_KIND_ZH = re.compile(r"(?:一|指|位于|由|世界|中国|中华|日本|美国|英国|法国|德国|台湾|香港|澳门|\d)")
_NO_KIND_ZH = re.compile(
    r"(?:不|否|因|为了|这|那|他|她|它|他们|如此|什么|谁|怎|所以|以便|非常|十分|很|最|第一次|一样|一致"
    r"|一直|一起|一般|一定|通过|必须|能|可以|在|从|由于|对)"
)
_GOES_ON = re.compile(r"，(?:并|由|尤其|以及|及|和|在|用|为|经|主要|拥有|从|以)[^，。；]{2,}")
_PERSON_ZH = re.compile(
    r"(?:演员|歌手|作家|诗人|政治家|政治人物|导演|运动员|球员|教授|学者|科学家|皇帝|将领|画家|主席"
    r"|总统|物理学家|数学家|"
    r"历史学家|哲学家|音乐家|作曲家|配音员|声优|主持人|艺人|模特儿|官员|大臣|教练|商人|企业家|记者"
    r"|律师|医生|法官|军人|"
    r"君主|国王|王后|僧人|艺术家|小说家|漫画家|教育家|革命家|选手|主教|宗室|皇后|妃|亲王|丞相|将军"
    r"|人物|之[子女妻父母弟兄孙])$|^一[位名]"
)


def definitions(source: Source, statement: Statement) -> Iterator[Draft]:
    """What something is, where the sentence begins by saying so."""
    found = _chinese(source, statement) if statement.language == "zh" else _english(source, statement)
    for question, told in found:
        yield Draft(
            question,
            short(told),
            source.path,
            statement.quote,
            statement.start,
            "definition",
            statement.language,
        )
        return


def _english(source: Source, statement: Statement) -> Iterator[tuple[str, str]]:
    if match := _DOES.match(statement.text):
        yield f"What does {match['subject']} do?", match["told"]
    if match := _IS.match(statement.text):
        subject, told = match["subject"].strip(), match["told"]
        generic = bool(_GENERIC.fullmatch(subject)) and match["be"] == "is"
        thing = not generic and _is_thing(subject, source)
        if (generic or thing or is_name(subject, source)) and not _NO_KIND.match(told):
            aside = match["aside"] or ""
            if match["be"] == "is" and "born" not in aside.casefold():
                aside = ""  # years of something that still is are not those of a life
            who = not subject.startswith(("The ", "A ", "An ")) and _is_person(aside, told)
            past = match["be"] in ("was", "were") and not who and not match["aside"]
            if thing and not told.startswith("a"):
                return
            if past and subject.isalpha() and subject.istitle() and key_of(subject) not in source.titles:
                return  # a surname, whose bearer was named before
            if not (past and (_PASSING.search(told) or not told.startswith("a"))) and (
                not who or " " in subject
            ):
                yield f"{'Who' if who else 'What'} {match['be']} {lowered(subject, source)}?", told
    if (match := _MEANS.match(statement.text)) and is_name(match["subject"], source):
        verb = {"refers to": "refer to", "means": "mean", "stands for": "stand for"}[
            " ".join(match["verb"].split())
        ]
        yield f"What does {lowered(match['subject'], source)} {verb}?", match["told"]


def _is_thing(subject: str, source: Source) -> bool:
    """Whether a subject without an article is a kind of thing that the document speaks of elsewhere too."""
    words = subject.split()
    known = words[0].isalpha() and words[0].casefold() not in STOP_WORDS and len(words) <= 2
    small = rf"[a-z,]\s{re.escape(subject[0].lower() + subject[1:])}\b"
    return known and all(word.islower() for word in words[1:]) and bool(re.search(small, source.text))


def _is_person(aside: str, told: str) -> bool:
    head = re.split(r"\b(?:of|for|by|from|in|to|with|directed|starring|based)\b", told)[0]
    people, things = ([each.end() for each in kind.finditer(head)] or [0] for kind in (_PERSON, _LIST))
    return people[-1] > things[-1] or (
        things == [0] and bool(_BORN.search(aside))
    )  # "film director", "novel"


def _chinese(source: Source, statement: Statement) -> Iterator[tuple[str, str]]:
    text = statement.text
    if (match := _DOES_ZH.match(text)) and tagged(match["told"])[0][1] in ("v", "vn", "p"):
        yield f"{match['subject']} 有什么作用？", match["told"]
    if match := _SO_CALLED.match(text):
        yield f"“{match['subject']}”是什么意思？", match["told"]
    if (match := _POINTS.match(text)) and is_name_zh(match["subject"], source, strict=False):
        yield f"{match['subject']}指的是什么？", match["told"]
    if match := _IS_ZH.match(text):
        subject, told = match["subject"].strip("「」“” "), _whole(text, *match.span("told"))
        own = key_of(bare(subject)) in source.titles
        if (
            is_name_zh(subject, source, strict=not told.startswith("一"))
            and not _NO_KIND_ZH.match(told)
            and (match["be"] != "为" or own)
            and (own or _KIND_ZH.match(told))
        ):
            who = _PERSON_ZH.search(match["told"]) or (own and _BORN.search(match["aside"] or ""))
            yield (f"{subject}是谁？" if who and not subject.startswith("《") else f"{subject}是什么？"), told


def _whole(text: str, start: int, end: int) -> str:
    """What is told, with the clauses without which it would break off."""
    while (match := _GOES_ON.match(text, end)) and match.end() - start <= LONGEST_ANSWER:
        end = match.end()
    return text[start:end]

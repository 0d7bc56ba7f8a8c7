"""Questions from sentences that lay down a rule: how many, how long, by when, at what time, by whom.

Rules are written about common things ("expense reports", 年假), which are clear without a name: there is one such
rule in a person's documents.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipelines.evaluation.making.chunks import Source
from pipelines.evaluation.making.drafts import Draft, short
from pipelines.evaluation.making.names import leading_nouns, lowered, plain_zh
from pipelines.evaluation.making.statements import Statement

_WHO = r"(?P<subject>(?:(?:The|A|An|Each|Every|All|Your)\s)?[A-Z]?[a-z][\w'-]*(?:\s[a-z][\w'-]*){0,4}?)"
_COUNT = (
    r"(?:\d[\d,.]*|one|two|three|four|five|six|seven|eight|nine|ten|twelve|fourteen|fifteen|twenty|thirty|sixty"
    r"|ninety)"
)
_SPAN = rf"(?P<span>{_COUNT}\s(?:(?:working|business|calendar)\s)?(?:minutes?|hours?|days?|weeks?|months?|years?))"
_MUST = r"(?P<must>must|may|can|should|has\sto|have\sto|needs?\sto)"
_CLOCK = (
    r"(?:(?:\d{1,2}(?:[:.]\d\d)?(?:\s?[ap]\.?m\.?)?|seven|eight|nine|ten|eleven|noon|midnight)(?:\so'clock)?)"
)
_END = r"(?=[.,;]|$)"

_WITHIN = re.compile(
    rf"{_WHO}\s{_MUST}\s(?P<do>[a-z][^,;:]{{3,60}}?)\s"
    rf"(?:(?P<within>within)\s{_SPAN}(?P<rest>(?:\s(?:of|after|from|before)\s[^,;:.]{{1,40}})?)"
    rf"|(?:at\sleast\s)?(?P<ahead>{_COUNT}\s(?:(?:working|business)\s)?[a-z]+\s(?:ahead|in\sadvance"
    rf"|before\s[^,;:.]{{2,30}}))"
    rf"(?P<more>(?:\s[^,;:.]{{1,40}})?)){_END}"
)
_GETS = re.compile(
    rf"{_WHO}\s(?P<get>gets?|receives?|have|has|(?:are|is)\sentitled\sto)\s(?:(?:up\sto|at\sleast|at\smost)\s)?"
    rf"(?P<number>{_COUNT})\s(?P<what>[a-z]+s(?:\sof(?:\s[a-z]+){{1,3}}?)?)(?P<rest>(?:\s(?:a|per|each"
    rf"|every|in)\s[a-z]+(?:\s[a-z]+)?)?){_END}"
)
_OPENS = re.compile(
    rf"{_WHO}\s(?P<do>opens?|closes?|starts?|begins?|ends?|leaves?|departs?)\s(?P<at>at\s{_CLOCK}(?:\s"
    rf"(?:on|every|in)\s[^,;.]{{3,30}})?){_END}"
)
_COSTS = re.compile(
    rf"{_WHO}\scosts?\s(?P<price>(?:[$€£¥]\s?\d[\d,.]*\d|\d[\d,.]*\s(?:euros?|dollars?|pounds?|yuan"
    rf"|cents))(?:\s[^,;.]{{2,30}})?){_END}"
)
_LASTS = re.compile(
    rf"{_WHO}\s(?P<be>takes?|lasts?|(?:is|are)\svalid\sfor)\s(?:(?:about|up\sto|at\smost)\s)?{_SPAN}{_END}"
)
_BY = re.compile(
    rf"{_WHO}\s(?:is|are|must\sbe)\s(?P<done>issued|approved|signed|paid|handled|reviewed|managed"
    rf"|checked|maintained)\sby\s(?P<by>the\s[^,;.]{{3,40}}?){_END}"
)
_ACTS = {
    "issued": "issues", "approved": "approves", "signed": "signs", "paid": "pays", "handled": "handles",
    "reviewed": "reviews", "managed": "manages", "checked": "checks", "maintained": "maintains",
}  # fmt: skip
_VAGUE = frozenset(
    "it they this that these those he she we you i one some many most others both each there which who what".split()
)
_MANY = re.compile(r"^(?:all )?(?:\w+ )*?\w+(?<!s)s$|^(?:staff|people|children)$", re.IGNORECASE)

_NUMBER_ZH = r"(?:\d+|[一二两三四五六七八九十]{1,3})"
_UNIT_ZH = r"(?:个?工作日|天|日|周|个星期|个月|年|小时|个小时|分钟)"
_AHEAD_ZH = re.compile(
    rf"(?P<modal>应当?|须|必须|需要?|要)?(?:至少)?提前(?P<span>{_NUMBER_ZH}{_UNIT_ZH})"
    rf"(?P<rest>[^，。；\d]{{2,16}})$"
)
_WITHIN_ZH = re.compile(
    rf"(?P<before>[^，。；\d]{{0,12}}?)(?P<modal>应当?|须|必须|需要?|可以?)"
    rf"(?P<after>[^，。；\d]{{0,12}}?)在(?P<from>[^，。；\d]{{0,10}}?)"
    rf"(?P<span>{_NUMBER_ZH}{_UNIT_ZH})[之以]?内(?P<rest>[^，。；\d]{{2,18}})$"
)
_HAS_ZH = re.compile(
    rf"(?P<before>[^，。；\d]{{0,8}}?(?:享有|享受|可享受|有|可请|可休|获得))(?P<number>{_NUMBER_ZH})"
    rf"(?P<unit>个工作日|天|次|个月|小时|元|件|份)"
    r"(?P<noun>(?:的|带薪)*[^，。；\d的了]{1,8})$"
)
_CLOCK_ZH = re.compile(
    r"(?P<day>每天|每日|工作日|周[一二三四五六日末]|周末)?(?P<clock>(?:早上|上午|中午|下午|晚上)?"
    r"(?:\d{1,2}[:：点时]\d{0,2}|[一二三四五六七八九十]{1,2}点)半?)"
    r"(?P<do>开门|关门|开始|结束|开放|上班|下班|营业|闭馆|开馆|发车)$"
)
_DONE_ZH = re.compile(
    r"(?:应|须|必须|需|要)?由(?P<by>[^，。；由]{2,16}?)(?P<do>审批|批准|负责|签发|发放|审核|签字|管理"
    r"|承担|支付|维护|保管|办理|受理)$"
)
_LASTS_ZH = re.compile(
    rf"(?P<what>有效期|保修期|试用期|期限|保存期|合同期|宽限期)(?:为|是)?(?P<span>{_NUMBER_ZH}{_UNIT_ZH})$"
)
_CLAUSE = re.compile(r"[^，。；！？]+")
_BEFORE_ZH = re.compile(
    r"[\u4e00-\u9fff]{2,8}?(?=应|须|必须|需|要|可|由|每天|每日|工作日|有效期|保修期|保存期|提前)"
)
_THING_ZH = re.compile(r"[\u4e00-\u9fffA-Za-z]{2,10}")


def rules(source: Source, statement: Statement) -> Iterator[Draft]:
    """Questions for the numbers, times and people of a rule."""
    asked = _chinese(statement.text) if statement.language == "zh" else _english(source, statement.text)
    for question, answer in asked:
        yield Draft(
            question, short(answer), source.path, statement.quote, statement.start, "rule", statement.language
        )


def _english(source: Source, text: str) -> Iterator[tuple[str, str]]:
    for pattern, ask in (
        (_WITHIN, _within),
        (_GETS, _gets),
        (_OPENS, lambda m, who: (f"When {_do(who)} {who} {m['do'].removesuffix('s')}?", m["at"])),
        (_COSTS, lambda m, who: (f"How much {_do(who)} {who} cost?", m["price"])),
        (_LASTS, _lasts),
        (_BY, lambda m, who: (f"Who {_ACTS[m['done']]} {who}?", m["by"])),
    ):
        match = pattern.match(text)
        if match and not _VAGUE & set(match["subject"].casefold().split()):
            yield ask(match, _subject(match["subject"], source))


def _subject(subject: str, source: Source) -> str:
    first, _, rest = subject.partition(" ")
    if first in ("Each", "Every", "All", "Your"):
        return f"{first.lower()} {rest}"
    return (
        lowered(subject, source) if first in ("The", "A", "An") or rest else subject[0].lower() + subject[1:]
    )


def _do(who: str) -> str:
    return "do" if _MANY.match(who.removeprefix("the ").removeprefix("your ")) else "does"


def _within(match: re.Match[str], who: str) -> tuple[str, str]:
    must, done = match["must"], match["do"] + (match["more"] or "")
    if " to" in must:
        must, done = _do(who), f"{must.replace('has', 'have').replace('needs', 'need')} {done}"
    if match["within"]:
        return f"Within what time {must} {who} {done}?", f"within {match['span']}{match['rest']}"
    return f"How far ahead {must} {who} {done}?", match["ahead"]


def _gets(match: re.Match[str], who: str) -> tuple[str, str]:
    if "entitled" in match["get"]:
        be = "are" if _do(who) == "do" else "is"
        return f"How many {match['what']} {be} {who} entitled to{match['rest']}?", match["number"]
    get = "have" if match["get"] in ("has", "have") else match["get"].removesuffix("s")
    return f"How many {match['what']} {_do(who)} {who} {get}{match['rest']}?", match["number"]


def _lasts(match: re.Match[str], who: str) -> tuple[str, str]:
    if "valid" in match["be"]:
        return f"How long {match['be'].split()[0]} {who} valid?", match["span"]
    return f"How long {_do(who)} {who} {match['be'].removesuffix('s')}?", match["span"]


def _chinese(text: str) -> Iterator[tuple[str, str]]:
    for clause in _CLAUSE.findall(text):
        clause = clause.strip()
        if match := _LASTS_ZH.fullmatch(clause):
            yield f"{match['what']}是多久？", match["span"]
            return
        thing = leading_nouns(clause)
        fits = _asked(thing, clause) if _THING_ZH.fullmatch(thing) else None
        if fits is None and (match := _BEFORE_ZH.match(clause)) and plain_zh(match[0]):
            fits = _asked(match[0], clause)
        if fits is None:
            return  # what follows speaks of something else
        yield fits


def _asked(thing: str, clause: str) -> tuple[str, str] | None:
    said = clause[len(thing) :]
    if match := _AHEAD_ZH.match(said):
        return f"{thing}{match['modal'] or ''}提前多久{match['rest']}？", match["span"]
    if match := _WITHIN_ZH.match(said):
        before = f"{match['before']}{match['modal']}{match['after']}"
        return f"{thing}{before}在{match['from']}多长时间内{match['rest']}？", match["span"]
    if match := _HAS_ZH.match(said):
        noun = match["noun"].removeprefix("的")
        return f"{thing}{match['before']}多少{match['unit']}{noun}？", match["number"] + match["unit"]
    if match := _CLOCK_ZH.match(said):
        return f"{thing}{match['day'] or ''}几点{match['do']}？", match["clock"]
    if match := _DONE_ZH.match(said):
        return f"{thing}由谁{match['do']}？", match["by"]
    if match := _LASTS_ZH.match(said):
        return f"{thing}{match['what']}是多久？", match["span"]
    return None

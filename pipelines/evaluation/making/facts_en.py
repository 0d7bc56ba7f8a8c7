"""Questions from English sentences that tell when, where, how many or by whom."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipelines.evaluation.making.chunks import Source
from pipelines.evaluation.making.drafts import Draft, short
from pipelines.evaluation.making.names import is_name, lowered
from pipelines.evaluation.making.statements import Statement

_MONTH = "(?:January|February|March|April|May|June|July|August|September|October|November|December)"
_DATE = (
    rf"(?P<date>(?:{_MONTH}\s\d{{1,2}},\s|\d{{1,2}}\s{_MONTH}\s|{_MONTH},?\s)?(?:1[0-9]|20)\d\d)(?![\d–-])"
)
_END = r"(?=[.,;]?['\"”)]*$|[,;]\s|\s(?:during|as|and|when|at|for|with|by|after|but|under|because|to)\s)"
_SUBJECT = r"(?P<subject>[^,;:()]{2,70}?)"

_PAST = {
    "began": "begin", "became": "become", "won": "win", "lost": "lose", "left": "leave", "led": "lead",
    "built": "build", "wrote": "write", "made": "make", "took": "take", "held": "hold", "sold": "sell",
    "bought": "buy", "fell": "fall", "rose": "rise", "met": "meet", "came": "come", "went": "go",
    "died": "die", "married": "marry", "moved": "move", "closed": "close", "introduced": "introduce",
    "announced": "announce", "released": "release", "produced": "produce", "launched": "launch",
    "published": "publish", "opened": "open", "joined": "join", "founded": "found", "signed": "sign",
    "started": "start", "ended": "end", "established": "establish", "returned": "return", "entered": "enter",
    "adopted": "adopt", "passed": "pass", "visited": "visit", "arrived": "arrive", "invaded": "invade",
    "declared": "declare", "reached": "reach", "received": "receive", "graduated": "graduate",
    "created": "create", "acquired": "acquire", "merged": "merge", "abolished": "abolish", "elected": "elect",
    "conquered": "conquer", "captured": "capture", "appointed": "appoint", "discovered": "discover",
    "invented": "invent", "completed": "complete", "hosted": "host", "issued": "issue", "resigned": "resign",
    "expanded": "expand", "reduced": "reduce", "extended": "extend", "settled": "settle", "surrendered": "surrender",
    "proposed": "propose", "renamed": "rename", "approved": "approve", "accepted": "accept", "destroyed": "destroy",
    "attacked": "attack", "occupied": "occupy", "replaced": "replace", "purchased": "purchase", "developed": "develop",
    "granted": "grant", "awarded": "award", "divided": "divide", "crossed": "cross", "constructed": "construct",
    "designed": "design", "converted": "convert", "banned": "ban", "admitted": "admit", "expelled": "expel",
    "retired": "retire", "defeated": "defeat", "gained": "gain", "ratified": "ratify", "revoked": "revoke",
}  # fmt: skip
_DONE = frozenset(
    """born founded established built opened closed released published created formed introduced launched
    signed adopted completed constructed designed invented discovered abolished destroyed incorporated
    acquired elected appointed named written recorded held passed ratified dissolved merged demolished
    renamed inaugurated awarded crowned killed executed buried invaded captured conquered annexed
    granted chartered organized organised consecrated restored rebuilt sold bought broadcast filmed
    installed moved transferred""".split()
)
_BY = {
    "written": "wrote", "founded": "founded", "directed": "directed", "designed": "designed", "built": "built",
    "invented": "invented", "discovered": "discovered", "composed": "composed", "published": "published",
    "produced": "produced", "created": "created", "established": "established", "led": "led", "won": "won",
    "acquired": "acquired", "developed": "developed", "recorded": "recorded", "defeated": "defeated",
    "introduced": "introduced", "owned": "owned", "painted": "painted", "coined": "coined", "proposed": "proposed",
    "approved": "approved", "issued": "issued", "commissioned": "commissioned", "conquered": "conquered",
}  # fmt: skip
_HAS = {
    "has": "have", "have": "have", "had": "have", "get": "get", "gets": "get", "receive": "receive",
    "receives": "receive", "contains": "contain", "contained": "contain", "includes": "include",
    "employs": "employ", "employed": "employ", "covers": "cover", "won": "win", "sold": "sell", "holds": "hold",
    "needs": "need", "reads": "read", "takes": "take", "operates": "operate", "serves": "serve",
}  # fmt: skip
_NUMBER = (
    r"(?:(?:about|around|approximately|some|over|nearly|almost|roughly|at\smost|at\sleast|up\sto"
    r"|more\sthan)\s)?"
    r"(?P<number>\d[\d,.]*\d|\d|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty)"
    r"(?:\s(?:million|billion|thousand|hundred))?"
)
_PASSIVE = re.compile(
    rf"{_SUBJECT}\s(?P<be>was|were)\s(?P<how>(?:first|officially|formally|originally|finally)\s)?"
    rf"(?P<done>{'|'.join(sorted(_DONE))})(?P<rest>(?:\s[^,;:()]{{1,60}}?)?)\s(?:in|on)\s{_DATE}{_END}"
)
_ACTIVE = re.compile(
    rf"{_SUBJECT}\s(?P<past>{'|'.join(_PAST)})(?P<rest>(?:\s[^,;:()]{{1,60}}?)?)\s(?:in|on)\s{_DATE}{_END}"
)
_IN_PASSIVE = re.compile(
    rf"(?:In|On)\s{_DATE},?\s{_SUBJECT}\s(?P<be>was|were)\s(?P<done>{'|'.join(sorted(_DONE))})(?P<rest>"
    rf"(?:\s[^,;:()]{{1,60}}?)?)(?=[.,;])"
)
_IN_ACTIVE = re.compile(
    rf"(?:In|On)\s{_DATE},?\s{_SUBJECT}\s(?P<past>{'|'.join(_PAST)})(?P<rest>\s[^,;:()]{{2,70}}?)(?=[.,;])"
)
_BY_WHOM = re.compile(
    rf"{_SUBJECT}\s(?:was|were|is)\s(?P<done>{'|'.join(_BY)})\sby\s(?P<who>(?:the\s)?"
    rf"(?:[A-Z][\w.'’-]*\s?(?:and\s|of\s|de\s|von\s)?){{1,7}})(?=[.,;]|\sin\s|\sand\s|\sfor\s|\sfrom\s"
    rf"|\sas\s)"
)
_HOW_MANY = re.compile(
    rf"{_SUBJECT}\s(?P<has>{'|'.join(_HAS)})\s{_NUMBER}\s(?P<what>"
    rf"(?:[a-z][a-z-]+\s){{0,2}}[a-z][a-z-]+s)(?P<rest>(?:\s(?:of|a|per|in|for|on|after"
    rf"|each)\s[^,;:()]{{1,40}}?)?)(?=[.,;])"
)
_WHERE = re.compile(
    rf"{_SUBJECT}\s(?P<be>is|was|are|were)\s(?P<done>located|situated|based|born|headquartered"
    rf"|buried)\s(?P<place>(?:in|on|at|near|between|along)\s(?!\d|{_MONTH})[^;:()]{{3,80}}?)(?=[.;]|,\s"
    rf"(?:and|which|where|in\s\d)|\s(?:on|in)\s\d|\son\s{_MONTH}|\sin\s{_MONTH})"
)
_USED = re.compile(
    rf"{_SUBJECT}\s(?P<be>is|are)\sused\s(?P<how>for|to)\s(?P<what>[^;:()]{{6,120}}?)(?=\.$|;|,\s(?:and"
    rf"|but|which)\s)"
)
_CONSISTS = re.compile(rf"{_SUBJECT}\sconsists?\sof\s(?P<what>[^;:()]{{6,160}}?)(?=\.$|;)")
_THE_ONE = re.compile(
    r"The\s(?P<what>[a-z][^,;:()]{6,60}?)\s(?P<be>is|was)\s(?P<who>(?:the\s)?(?:[A-Z][\w.'’-]+\s?"
    r"(?:of\s|de\s|and\s)?){1,6})(?=[.,;])"
)
_LOOSE = re.compile(
    r"\b(?:he|she|it|they|his|her|its|their|this|these|that|those|which|who|also|there|him|them|we|our"
    r"|however|both)\b",
    re.IGNORECASE,
)

_LATER = re.compile(r"\s(?:later|then|subsequently|again|also|finally)(?=\?$)")
_SECOND = re.compile(r"\b(?:and|but) (?:was|were|is|are|has|had|did|then)\b")


def facts(source: Source, statement: Statement) -> Iterator[Draft]:
    """Questions that a sentence answers with a date, a place, a number or a name."""
    if statement.language != "en":
        return
    for question, answer in _asked(source, statement.text):
        question = _LATER.sub("", question)
        words = len(question.split())
        if 4 <= words <= 22 and not _LOOSE.search(question[4:]) and not _SECOND.search(question):
            yield Draft(question, short(answer), source.path, statement.quote, statement.start, "fact", "en")


def _asked(source: Source, text: str) -> Iterator[tuple[str, str]]:
    if (match := _PASSIVE.match(text) or _IN_PASSIVE.match(text)) and is_name(match["subject"], source):
        yield f"When {match['be']} {_of(match, source)} {match['done']}{match['rest']}?", match["date"]
    elif (match := _ACTIVE.match(text) or _IN_ACTIVE.match(text)) and is_name(match["subject"], source):
        yield f"When did {_of(match, source)} {_PAST[match['past']]}{match['rest']}?", match["date"]
    if (match := _BY_WHOM.match(text)) and is_name(match["subject"], source):
        yield f"Who {_BY[match['done']]} {_of(match, source)}?", match["who"]
    if (match := _WHERE.match(text)) and is_name(match["subject"], source):
        yield f"Where {match['be']} {_of(match, source)} {match['done']}?", match["place"]
    if (match := _THE_ONE.match(text)) and re.search(r"\s[A-Z]", match["what"]):
        yield f"What {match['be']} the {match['what']}?", match["who"]
    if (match := _USED.match(text)) and is_name(match["subject"], source):
        yield f"What {match['be']} {_of(match, source)} used for?", f"{match['how']} {match['what']}"
    if (match := _CONSISTS.match(text)) and is_name(match["subject"], source):
        many = "do" if " consist of" in match[0] else "does"
        yield f"What {many} {_of(match, source)} consist of?", match["what"]
    if (match := _HOW_MANY.match(text)) and is_name(match["subject"], source):
        yield _how_many(match, source)


def _how_many(match: re.Match[str], source: Source) -> tuple[str, str]:
    past = match["has"] in ("had", "won", "sold", "contained", "employed")
    do = "did" if past else "do" if match["has"] in ("have", "get", "receive") else "does"
    asked = f"How many {match['what']} {do} {_of(match, source)} {_HAS[match['has']]}{match['rest']}?"
    return asked, match["number"]


def _of(match: re.Match[str], source: Source) -> str:
    return lowered(match["subject"].strip(), source)

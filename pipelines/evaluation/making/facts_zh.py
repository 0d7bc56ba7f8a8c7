"""Questions from Chinese sentences that tell when, where, how many or by whom."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipelines.evaluation.making.chunks import Source
from pipelines.evaluation.making.drafts import Draft, short
from pipelines.evaluation.making.names import ROLES_ZH, is_name_zh, leading_name, tagged
from pipelines.evaluation.making.statements import Statement
from pipelines.text.terms import key_of

_DATE = r"(?P<date>(?:公元前?)?\d{3,4}年(?:\d{1,2}月(?:\d{1,2}[日号])?)?)(?:[（(][^）)]{1,20}[）)])?"
_CLAUSE = re.compile(r"[^，。；！？]+")
_GAP = re.compile(r"(?<=[^A-Za-z])\s+|\s+(?=[^A-Za-z])")
_ASIDE = re.compile(r"[（(][^（）()]*[）)]")
_EVENT = (
    "成立|创立|创办|创建|建成|始建|兴建|落成|出生|逝世|去世|开业|开馆|通车|发行|出版|上映|首播|启用|诞生|竣工|开幕|"
    "毕业|签署|建立|设立|开通|开播|投产|动工|开工|发布|推出"
)
_AT = re.compile(rf"(?:正式)?(?P<event>{_EVENT}|生|建)于{_DATE}$")
_WHEN = re.compile(rf"(?:(?:则|便|就)?于|在)?{_DATE}(?P<rest>[^\d，年]{{2,22}}(?<![时后前起间中]))$")
_WHO = re.compile(
    r"(?:是|便是|则)?由(?P<who>[^由，的]{2,16}?)(?P<done>创立|创办|创建|执导|编剧|主演|导演|编写|撰写"
    r"|设计|建造|发明|提出|"
    r"作曲|作词|演唱|开发|运营|主办|承办|管理|出版|发行|制作|兴建|组成|主编|负责)(?:的[^，]{0,8})?$"
)
_WHERE = re.compile(r"(?:坐落于|坐落在|位于|位处|地处)(?P<place>[^，]{2,40})$")
_BORN_AT = re.compile(r"(?:出生于|出生在|生于)(?P<place>[^\d，并的而后]{2,25})$")
_MEASURE = re.compile(
    r"(?:的)?(?P<what>总面积|占地面积|建筑面积|面积|人口|总人口|全长|总长|长度|海拔|高度|总高度|深度"
    r"|宽度|全程|总投资|年产量|售价|"
    r"票价|价格|租金|有效期|保修期|最高速度|最高时速|座位数)(?:为|是|达到?|约为?|共|有)*(?P<answer>"
    r"(?:约|超过)?\d[\d,.]*[万亿]?[^\d，]{1,8})$"
)
_ABOUT = r"(?P<about>约|共|近|超过|超|逾|不少于|至少|最多|不超过)?"
_UNITS = (
    "平方公里|平方千米|平方米|公里|千米|个工作日|个月|小时|分钟|万元|亿元|美元|欧元|名|位|个|座|所|家|条|次|天|元|岁|米|部|支|间|只|种|"
    "台|集|首|场|层|届|艘|架|辆|本|份|篇|级|门|站|枚|人|倍|吨|套|户|件|项|处|株|亩|公顷"
)
_MANY = re.compile(
    rf"(?P<before>[^\d，]{{1,14}}?){_ABOUT}(?P<number>\d[\d,.]*[万亿]?[多余]?"
    rf"|[两二三四五六七八九十]{{1,3}}[多余]?)"
    rf"(?P<unit>{_UNITS})(?P<noun>[^\d，的了着以之内前后左右]{{0,8}})$"
)
_SHARE = re.compile(
    rf"(?P<before>[^\d，]{{0,12}}?(?:增长|下降|上涨|下跌|提高|提升|减少|增加|上升|降低|回升|占|达到?"
    rf"|为))了?{_ABOUT}(?P<answer>\d[\d.]*[%％])$"
)
_SAID = re.compile(
    r"(?P<role>(?:[^，]{0,12}?)(?:董事长|总经理|总裁|副总裁|首席执行官|创始人|院长|校长|所长|局长|市长"
    r"|县长|会长|秘书长|部长|主席|处长|馆长|"
    r"主任|主教练|负责人|发言人))(?P<who>[\u4e00-\u9fff·]{2,4}?)(?:表示|介绍|说|告诉|指出|认为|称|透露"
    r"|强调|坦言|在接受)"
)
_HEADS = re.compile(
    r"(?:的)?(?P<role>首都|省会|首府|董事长|总裁|校长|创始人|作者|导演|主编|总部|官方语言|主题曲|别名"
    r"|简称)(?:是|为|设在|位于)(?P<answer>[^，的]{2,20})$"
)
_EVENT_OF_DAY = re.compile(rf"{_DATE}$")
_LOOSE = re.compile(r"[他她它这那该此其本我你您咱]|上述|前者|后者|以上|之一|双方")
_NO_EVENT = re.compile(r"[的至到—~–-]|以[来前后]|[前后间初末底中]")
_CITIES, _PEOPLE = ("首都", "省会", "首府"), ("董事长", "总裁", "校长", "创始人", "作者", "导演", "主编")


def facts(source: Source, statement: Statement) -> Iterator[Draft]:
    """Questions that a clause answers with a date, a place, a number or a name; its subject is a name."""
    if statement.language != "zh":
        return
    subject, day = "", ""
    for number, clause in enumerate(_CLAUSE.findall(_ASIDE.sub("", statement.text))):
        clause = _GAP.sub("", clause.strip())
        if number == 0 and (match := _EVENT_OF_DAY.fullmatch(clause)):
            day = match["date"]
            continue
        own, rest = _subject(source, clause)
        if not own and not (statement.leads and key_of(subject) in source.titles):
            # Only the first sentence of a document speaks of its subject from end to end.
            return
        subject = own or subject
        if day:
            rest, day = f"于{day}{rest}", ""
        for question, answer in _asked(subject, rest):
            if len(question) <= 45 and not _LOOSE.search(question.removeprefix(subject)):
                yield Draft(
                    question, short(answer), source.path, statement.quote, statement.start, "fact", "zh"
                )


def _subject(source: Source, clause: str) -> tuple[str, str]:
    """The name that a clause begins with, and what it says of it; an empty name where it begins with none."""
    if match := re.match(r"(?:《[^》]{1,25}》|“[^”]{2,20}”)", clause):
        return match[0], clause[match.end() :]
    for size in range(min(20, len(clause)), 1, -1):
        if is_name_zh(clause[:size], source):
            return clause[:size], clause[size:]
    name = next((role for role in ROLES_ZH if clause.startswith(role)), "") or leading_name(clause)
    return name, clause[len(name) :]


def _asked(subject: str, said: str) -> Iterator[tuple[str, str]]:
    yield from _when_where_who(subject, said)
    if match := _MEASURE.match(said):
        yield f"{subject}的{match['what']}是多少？", match["answer"]
    elif (match := _SHARE.match(said)) and not subject.endswith("率"):
        yield f"{subject}{match['before']}多少？", match["answer"]
    elif (match := _MANY.match(said)) and _does(match["before"]):
        answer = (match["about"] or "") + match["number"] + match["unit"]
        yield f"{subject}{match['before']}多少{match['unit']}{match['noun']}？", answer


def _when_where_who(subject: str, said: str) -> Iterator[tuple[str, str]]:
    if match := _AT.match(said):
        event = {"生": "出生", "建": "兴建"}.get(match["event"], match["event"])
        yield f"{subject}是{_which(match['date'])}{event}的？", match["date"]
    elif (match := _WHEN.match(said)) and not _NO_EVENT.match(match["rest"]):
        yield f"{subject}在{_which(match['date'])}{match['rest'].removesuffix('了')}？", match["date"]
    if match := _WHO.match(said):
        yield f"{subject}是由谁{match['done']}的？", match["who"]
    if match := _WHERE.match(said):
        yield f"{subject}位于哪里？", match["place"]
    if (match := _BORN_AT.match(said)) and not re.search(r"[年月日纪代家]", match["place"]):
        yield f"{subject}出生在哪里？", match["place"]
    if match := _HEADS.match(said):
        asks = (
            "在哪里"
            if match["role"] == "总部"
            else "是哪里"
            if match["role"] in _CITIES
            else "是谁"
            if match["role"] in _PEOPLE
            else "是什么"
        )
        yield f"{subject}的{match['role']}{asks}？", match["answer"]
    if (match := _SAID.match(said)) and tagged(match["who"])[0][1].startswith("nr"):
        yield f"{subject}{match['role']}是谁？", match["who"]


def _does(before: str) -> bool:
    """Whether the words before a number end with what is done, so that the number is its object."""
    words = tagged(before)
    return words[-1][1].startswith("v") or (words[-1][0] in ("了", "为") and len(words) > 1)


def _which(date: str) -> str:
    return "什么时候" if "月" in date else "哪一年"

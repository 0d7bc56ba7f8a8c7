"""Signs that a text gives orders to a model instead of telling a person something.

They are signs only: a passage that has one stays data like any other, and people are told of it.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_ABOVE = r"(?:above|previous|prior|preceding|earlier|foregoing|other|original|initial|system|your|all|any|these|those)"
_RULES = r"(?:instructions?|prompts?|rules?|directions?|guidelines?|directives?|commands?|passages?|documents?|context)"
_SIGNS = {
    "override": (
        rf"\b(?:ignore|disregard|forget|override|bypass|discard|skip)\b[^.\n]{{0,30}}\b{_ABOVE}\b[^.\n]{{0,30}}\b{_RULES}\b",
        r"\b(?:ignore|disregard|forget)\s+(?:everything|all|anything|what)\b[^.\n]{0,30}"
        r"\b(?:above|before|previous|said|told|so far|prior)\b",
        r"\b(?:ignore|disregard)\s+the\s+(?:above|previous|preceding|foregoing|rest)\b",
        r"\b(?:new|updated|real|actual|revised)\s+(?:system\s+)?(?:instructions?|prompt|task)\s*:",
        r"\b(?:do|must)\s+not\s+follow\s+(?:the|your|any)\b[^.\n]{0,30}\b(?:instructions?|rules?|prompt)\b",
        r"(?:忽略|無視|无视|忘记|忘掉|忘記|不要理会|不要遵守|不要遵循|抛开|跳过|覆盖|停止遵守)[^。！？\n]{0,12}"
        r"(?:以上|上面|上述|之前|先前|前面|此前|所有|全部|其他|其它|系统|原有|你的|一切)[^。！？\n]{0,12}"
        r"(?:指令|指示|命令|要求|规则|規則|提示|内容|設定|设定|资料|文档|限制)",
        r"(?:新的|最新|真正的)(?:系统)?(?:指令|指示|任务|提示词?)(?:是|为|如下|：|:)",
    ),
    "role": (
        r"\byou\s+are\s+(?:now|no\s+longer)\b",
        r"\b(?:from\s+now\s+on|henceforth|starting\s+now)\s*,?\s*(?:you|act|answer|respond|reply|speak)\b",
        r"\b(?:act|behave|respond|answer)\s+as\s+(?:if\s+you\s+(?:are|were)\b|(?:dan|an?\s+unrestricted|the\s+system|developer)\b)",
        r"\b(?:pretend|roleplay)\s+(?:to\s+be|that\s+you|as)\b",
        r"\b(?:developer|jailbreak|god|dan|debug|admin)\s+mode\b[^.\n]{0,20}\b(?:on|enabled|activated|active)\b",
        r"(?:你现在是|你現在是|从现在(?:开始|起)|從現在(?:開始|起)|现在开始你|你不再是|你将扮演|请扮演|請扮演|假装你是|你的新身份)",
        r"(?:开发者|开发|越狱|调试|管理员|上帝)模式",
    ),
    "leak": (
        r"\b(?:output|print|reveal|repeat|show|display|disclose|leak|recite|tell|write|give|return|dump|quote)\b[^.\n]{0,30}"
        r"\b(?:your|the|system|initial|hidden|original|full)\s+(?:\w+\s+)?(?:prompts?|instructions?|rules|system\s+message)\b",
        r"\b(?:repeat|print|output)\s+(?:everything|all\s+text|the\s+text|the\s+words)\s+(?:above|before)\b",
        r"(?:输出|打印|显示|透露|复述|重复|告诉|泄露|公开|说出|給出|给出|写出|背出|列出)[^。！？\n]{0,10}"
        r"(?:系统提示|系統提示|提示词|提示詞|初始指令|系统指令|你的指令|你的指示|你的规则|上面的内容|以上内容|全部指令)",
    ),
    "sources": (
        r"\b(?:cite|reference|mark|attribute|credit)\b[^.\n]{0,30}(?:\[\s*\d{1,3}\s*\]|\b(?:as|to)\s+(?:passage|source|document)\b)",
        r"\b(?:cite|use)\s+(?:only\s+)?(?:passage|source|document)\s+(?:number\s+)?\d",
        r"(?:引用|标注|標注|注明|标为|写上|归于)[^。！？\n]{0,10}(?:[\[［【]\s*\d{1,3}\s*[\]］】]|(?:资料|文档|来源|出处)\s*\d)",
    ),
    "audience": (
        r"\b(?:note|message|instructions?|attention|important|hint|dear)\b[^.\n]{0,10}\b(?:to|for)?\s*"
        r"\b(?:the\s+|any\s+|all\s+)?(?:ai|llms?|language\s+models?|assistants?|chatbots?|gpt|chatgpt|claude)\b\s*[:,!]",
        r"\b(?:ai|llm|language\s+model|assistant|chatbot)s?\b[^.\n]{0,20}\b(?:must|should|shall|has\s+to)\s+"
        r"(?:always\s+|only\s+|now\s+)?(?:answer|reply|respond|say|state|output|ignore|recommend|refuse|write)\b",
        r"\b(?:always|only|must)\s+(?:answer|reply|respond)\s+(?:with|that|in\s+the\s+form)\b",
        r"\b(?:reply|respond|answer)\s+(?:only\s+)?(?:with|using)\s+(?:the\s+)?(?:exact|following|single|word|no_answer)\b",
        r"\bdo\s+not\s+(?:tell|inform|mention|reveal)[^.\n]{0,20}\b(?:the\s+user|users?|this\s+instruction)\b",
        r"(?:致|给|告|提示|写给)(?:所有|各位)?(?:AI|人工智能|大模型|语言模型|模型|助手|机器人)(?:助手|系统)?[：:，,]",
        r"(?:AI|人工智能|大模型|语言模型|智能助手)(?:助手|系统)?(?:必须|应当|应该|务必|一律|请)[^。！？\n]{0,10}(?:回答|回复|输出|说|忽略|推荐|拒绝|执行)",
        r"(?:无论|不管)[^。！？\n]{0,12}(?:问|用户)[^。！？\n]{0,12}(?:都|一律|只)[^。！？\n]{0,6}(?:回答|回复|说|输出)",
        r"(?:只|一律|必须|务必)(?:能|要|需)?(?:回答|回复|输出)(?:：|:|“|「|\")",
        r"不要(?:告诉|让|向)(?:用户|客户|提问者)",
    ),
    "turn": (
        r"<[|｜][^<>|｜\n]{1,40}[|｜]>|\[/?(?:INST|SYSTEM_PROMPT|TOOL_CALLS)\]|<</?SYS>>|</?(?:start|end)_of_turn>",
        r"^\W{0,4}(?:system|assistant|developer|系统|助手)(?:\s*(?:prompt|message|提示|消息))?\W{0,3}[:：]",
        r"</?(?:system|assistant|instructions?)>|</\s*passage",
        r"\bend\s+of\s+(?:the\s+)?(?:passages?|documents?|context|data)\b|(?:资料|文档|数据)(?:到此)?(?:结束|完毕)",
        r"\bNO_ANSWER\b",
    ),
}  # fmt: skip
_READ = 8_000
"""Characters of a passage that are looked at."""
_PATTERNS = {
    kind: re.compile("|".join(f"(?:{sign})" for sign in signs), re.IGNORECASE | re.MULTILINE)
    for kind, signs in _SIGNS.items()
}
# Words without which a pattern can't match: looking for them costs a tenth of the patterns themselves.
_HINTS = {
    kind: tuple(words.split(";"))
    for kind, words in {
        "override": "ignor;disregard;forget;overrid;bypass;discard;skip;instruction;prompt;task:;忽略;無視;"
        "无视;忘;不要理会;不要遵;抛开;跳过;覆盖;停止遵守;新的;最新;真正的",
        "role": "you are now;you are no;from now;henceforth;starting now; as if you; as dan; as an unr;"
        " as unr; as the sys; as dev; as a unr;pretend;roleplay; mode;你现在是;你現在是;从现在;"
        "從現在;现在开始;你不再;扮演;假装你;新身份;模式",
        "leak": "prompt;instruction;rules;system message; above; before;提示;指令;你的指示;你的规则;内容",
        "sources": "cite;use ;referenc;mark;attribut;credit;引用;标注;標注;标为;注明;写上;归于",
        "audience": "llm;language model;assistant;chatbot;gpt;claude; ai ;ai:;ai,;ai!;always;must ;only ;"
        "reply;respond;do not ;人工智能;模型;助手;机器人;无论;不管;只;一律;必须;务必;不要;ai应;"
        "ai请",
        "turn": "<|;inst];system;tool_calls;sys>;_turn>;assistant;developer;系统;助手;instruction;"
        "passage;end of;结束;完毕;no_answer",
    }.items()
}
_GAPS = re.compile(r"[^\S\n]{2,}|[^\S\n ]")
_SPACED = re.compile(r"(?<=\b\w)[ .\-_*](?=\w\b)")
"""I g n o r e: between letters that are written apart."""
_APART = 4
"""Such gaps above which a text is read without them, too."""


@lru_cache(maxsize=2048)  # many questions find the same passages
def orders(text: str) -> tuple[str, ...]:
    """What kinds of order to a model a text seems to hold: `override`, `role`, `leak`, `sources`, …; mostly none."""
    read = unicodedata.normalize("NFKC", text[:_READ])
    found = dict.fromkeys(_found(_GAPS.sub(" ", read)))
    if len(_SPACED.findall(read)) > _APART:
        found.update(dict.fromkeys(_found(_GAPS.sub(" ", _SPACED.sub("", read)))))
    return tuple(found)


def _found(text: str) -> list[str]:
    low = text.lower()
    return [
        kind
        for kind, signs in _PATTERNS.items()
        if any(hint in low for hint in _HINTS[kind]) and signs.search(text)
    ]

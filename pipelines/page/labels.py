"""The words of an ingestion in both languages: what happens to a document, how far it is, how it ended, and why."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping

from pipelines.words import Language, Words

ACTIONS: Mapping[str, Words] = {
    "new": Words("new", "新增"),
    "changed": Words("changed", "已修改"),
    "stale": Words("stale", "需更新"),
    "moved": Words("moved", "已移动"),
    "vanished": Words("vanished", "已消失"),
    "failed": Words("failed", "失败"),
    "unchanged": Words("unchanged", "未变"),
}
STATES: Mapping[str, Words] = {
    "new": Words("not yet in", "尚未入库"),
    "done": Words("in the index", "已入库"),
    "failed": Words("failed", "失败"),
    "quarantined": Words("quarantined", "已隔离"),
}
STAGES: Mapping[str, Words] = {
    "read": Words("reading", "读取"),
    "cut": Words("cut, waiting", "已分块，等待中"),
    "embed": Words("embedding", "向量化"),
    "store": Words("storing", "写入"),
    "done": Words("done", "完成"),
    "removed": Words("removed", "已移除"),
}
OUTCOMES: Mapping[str, Words] = {
    "running": Words("running", "进行中"),
    "done": Words("done", "完成"),
    "failed": Words("ended with failures", "结束，有失败"),
    "interrupted": Words("interrupted", "已中断"),
    "refused": Words("refused", "已拒绝"),
    "stopped": Words("broke off", "异常终止"),
}

# What the lower floors say, by its beginning; what stands behind it (a name, an error) stays as it is.
_CHINESE = {
    "not in the index": "尚未入库",
    "edited, and ": "已修改，并且",
    "its content is another": "内容已改变",
    "it is read in another way since: loader options or a newer reader": "读取方式已改变：加载器选项或更新的读取程序",
    "node_parser was edited": "node_parser 已修改",
    "failed last time, is tried again: ": "上次失败，将重试：",
    "it was not read, and may be read now: ": "上次未能读取，现在可能可以：",
    "quarantined, is tried again since the config was edited: ": "已隔离，因配置修改而重试：",
    "moderation changed, and it is checked again: ": "内容审核已修改，将重新检查：",
    "moderation changed; it is checked, and nothing is embedded": "内容审核已修改，将重新检查，不再嵌入",
    "moderation has not looked at it yet; it is checked, and nothing is embedded": "内容审核尚未看过，将检查，不再嵌入",
    "quarantined, is tried again: ": "已隔离，将重试：",
    "quarantined until it changes: ": "已隔离，文件改变之前不再处理：",
    "it is again what is indexed": "又与索引中的一致",
    "edited since it was quarantined": "隔离之后已修改",
    "can't be read: ": "无法读取：",
    "the index is built anew beside the old one": "在旧索引旁重新建立索引",
    "it is gone from its loader": "加载器中已没有这个文档",
    "from ": "原为 ",
    "no text on ": "没有文字：",
    "unreadable fonts on ": "字体无法识别：",
    "there is no text in it": "文档中没有文字",
    "no text was found in it": "文档中没有文字",
    "the file is empty": "文件为空",
    "too large: ": "文件过大：",
}
_WHOLE = (
    (re.compile(r"from (.*), and node_parser was edited", re.S), r"原为 \1，并且 node_parser 已修改"),
    (re.compile(r"loader '(.*)' is gone from the config"), r"加载器 \1 已从配置中删除"),
    (re.compile(r"the encoding (\S+) is a guess"), r"编码 \1 是推测的"),
    (re.compile(r"(\d+) broken bytes were replaced"), r"替换了 \1 个损坏的字节"),
    (re.compile(r"(\d+) invisible characters were removed"), r"去掉了 \1 个不可见字符"),
    (re.compile(r"hidden text was left out \(([\d,]+) characters\)"), r"略去了隐藏的文字（\1 个字符）"),
    (re.compile(r"(line|entry) (\d+) has no question"), r"第 \2 条没有问题"),
    (re.compile(r"(line|entry) (\d+) has no answer"), r"第 \2 条没有答案"),
)


def label(words: Mapping[str, Words], key: str, language: Language) -> str:
    """What a key is called; the key itself where nobody named it."""
    return words[key].of(language) if key in words else key


def reason(text: str, language: Language) -> str:
    """What a lower floor says about a document, its known beginnings in the language of the page."""
    if language == "en":
        return text
    for pattern, chinese in _WHOLE:
        if match := pattern.fullmatch(text):
            return match.expand(chinese)
    for beginning in sorted(_CHINESE, key=len, reverse=True):
        if text.startswith(beginning):
            rest = text[len(beginning) :]
            follows = beginning.endswith((": ", "and "))  # what was said before, or another such reason
            return _CHINESE[beginning] + (reason(rest, language) if follows else rest)
    return text


def moment(seconds: float | None) -> str:
    """A time of day as people here write it, by the clock of the server."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds)) if seconds else ""


def duration(seconds: float, language: Language) -> str:
    """A rough length of time: `40 s`, `3 min`, `2 h 5 min`."""
    whole = max(1, round(seconds))
    units = ("s", "min", "h") if language == "en" else ("秒", "分钟", "小时")
    if whole < 60:
        return f"{whole} {units[0]}"
    minutes = round(whole / 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} {units[2]} {minutes} {units[1]}" if hours else f"{minutes} {units[1]}"

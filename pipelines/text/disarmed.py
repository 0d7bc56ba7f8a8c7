"""Text from documents for a prompt: nothing in it is read as a tag, a turn of the conversation, or a citation."""

from __future__ import annotations

import re

_ROLES = r"(?:system|assistant|developer|human|user|instructions?|response|系统|助手|用户|指令|指示)"
# The one character that makes it a sign gives way; all else stays as it is.
_SIGNS = re.compile(
    r"[<＜](?=\s*[/／]?\s*passage)|"
    r"[<＜](?=\s*[|｜])|"
    r"[<＜](?=\s*[/／]?\s*(?:s|bos|eos|sop|eop|system|assistant|developer|instructions?|think(?:ing)?|tool_calls?"
    r"|(?:start|end)_of_turn|start_header_id|end_header_id)\s*[>＞])|"
    r"<(?=</?SYS>>)|"
    r"[\[［](?=\s*/?\s*(?:INST|SYSTEM_PROMPT|TOOL_CALLS|TOOL_RESULTS|AVAILABLE_TOOLS|gMASK|sMASK)\s*[\]］])|"
    rf"(?<!\#)\#(?=\#{{0,5}}[ \t]*{_ROLES}[ \t]*(?:prompt|message|提示词?|消息)?[ \t]*[:：])|"
    r"^(?=[ \t]{0,3}(?:system|assistant|developer|human)[ \t]*(?:prompt|message)?[ \t]*[:：])",
    re.IGNORECASE | re.MULTILINE,
)
_MARKER = re.compile(r"[\[［【]\s*(\d{1,3}(?:\s*[,，、;；\-–]\s*\d{1,3})*)\s*[\]］】]")
_CODE = re.compile(r"^[ \t]{0,3}(```|~~~).*?(?:^[ \t]{0,3}\1|\Z)|`[^`\n]+`", re.DOTALL | re.MULTILINE)
_WORD_BEFORE = re.compile(r"[A-Za-z_]\w{0,60}\Z")
_CODE_AFTER = re.compile(r"\s?[=\[(+*/<>]|\.\w|->")


def disarmed(text: str) -> str:
    """Text in which nothing looks like a tag around passages or like a turn of the conversation."""
    return _SIGNS.sub("‹", text)


def unmarked(text: str, *, code: bool = False) -> str:
    """Text with `(3)` where it has `[3]`, which would read as a citation; `argv[3]` in code stays.

    `code`: all of it is code.
    """
    if not _MARKER.search(text):
        return text
    spans = [match.span() for match in _CODE.finditer(text)]

    def plain(match: re.Match[str]) -> str:
        start, end = match.span()
        if _WORD_BEFORE.search(text[max(0, start - 64) : start]) and (
            code or any(a < start < b for a, b in spans) or _CODE_AFTER.match(text, end)
        ):
            return match[0]
        return f"({match[1]})"

    return _MARKER.sub(plain, text)

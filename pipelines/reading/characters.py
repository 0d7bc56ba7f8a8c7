"""What text may hold: clean-up that loses nothing readable, and the test for garbage."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

from pipelines.errors import Quarantined

HAN = "\u2e80-\u2fdf\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
CJK = HAN + "\u3000-\u303f\u3040-\u30ff\uff00-\uffef\u2018\u2019\u201c\u201d\u2026\u2014"
"""Characters between which a line break is no space (Korean, which has spaces, is not among them)."""

_BREAKS = re.compile("\r\n?|\x0b|\x0c|\x85|\u2028|\u2029")
_DROPPED = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\ufff9-\ufffb\ufffe\uffff]|\\A\ufeff+")
_COMPATIBLE = re.compile("[\ufb00-\ufb06\u2e80-\u2fdf]")
_UNUSUAL = re.compile(
    "[^ -~\t\n\r\f\xa0-\u024f\u0400-\u04ff\u2010-\u2027\u3000-\u30ff\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff5e]"
)
_SURROGATES = re.compile("[\ud800-\udfff]")
_CONTROLS = bytes([*range(9), *range(11, 32), 127])
_WRAP = re.compile(f"(?<=[{CJK}])[ \t]*\n[ \t]*(?=[{CJK}])")


def is_plain(text: str) -> bool:
    """Whether it is ASCII without controls, as most English is: then there is nothing to look for."""
    return text.isascii() and len(text.encode("ascii").translate(None, _CONTROLS)) == len(text)


def clean(text: str) -> str:
    """The text with `\\n` line ends and without controls, soft hyphens and half characters."""
    if is_plain(text):
        return text
    text = _DROPPED.sub("", _BREAKS.sub("\n", text)).replace("\xa0", " ")
    return _SURROGATES.sub("\ufffd", text)


def plain_letters(text: str) -> str:
    """Ligatures and the look-alike radicals that PDF fonts produce, as the letters they stand for."""
    return _COMPATIBLE.sub(lambda match: unicodedata.normalize("NFKC", match.group()), text)


def join_lines(text: str) -> str:
    """One paragraph on one line: a break between Chinese characters is nothing, any other a space."""
    return " ".join(_WRAP.sub("", text.strip()).split())


def garbage(text: str) -> str:
    """Why this text can't be what its author wrote; empty where it can."""
    sample = text if len(text) <= 60_000 else text[:30_000] + text[-30_000:]
    if not sample or is_plain(sample):
        return ""
    kinds = {"Cc": "control", "Co": "private-use", "Cn": "unassigned", "Cs": "replacement"}
    bad = dict.fromkeys(kinds.values(), 0)
    for character, count in Counter(_UNUSUAL.findall(sample)).items():
        kind = "replacement" if character == "\ufffd" else kinds.get(unicodedata.category(character))
        if kind:
            bad[kind] += count
    visible = len(sample) - sample.count(" ") - sample.count("\n")
    worst = max(bad, key=lambda kind: bad[kind])
    total = sum(bad.values())
    if total > 1 and total > 0.05 * visible:
        return f"it does not decode to text: {round(100 * total / visible)}% are {worst} characters"
    return mojibake(sample)


def mojibake(text: str) -> str:
    """Whether UTF-8 was once read as another encoding and saved again; why, or empty."""
    if text.count("锟斤拷") * 3 > 0.02 * len(text) or re.search("[烫屯]{6}", text):
        return "its characters were lost before it was saved (锟斤拷)"
    for encoding, run in (
        ("gb18030", f"[{HAN}\ue000-\uf8ff€]{{3,}}"),
        ("cp1252", "[\x80-\u024f\u2013-\u20ac]{2,}"),
    ):
        runs = re.findall(run, text[:20_000])
        total = sum(map(len, runs))
        broken = sum(len(piece) for piece in runs if _is_utf8(piece, encoding))
        if broken >= 6 and broken > 0.4 * total:
            return f"it is UTF-8 that was read as {encoding} and saved again"
    return ""


def _is_utf8(piece: str, encoding: str) -> bool:
    """Whether a run of characters is really the bytes of other characters in UTF-8."""
    try:
        raw = piece.encode(encoding)
    except UnicodeEncodeError:
        return False
    for end in (len(raw), len(raw) - 1, len(raw) - 2):  # its last character may have been cut
        try:
            return len(raw[:end].decode("utf-8")) < end
        except UnicodeDecodeError:
            continue
    return False


def sound(text: str) -> str:
    """The text, cleaned; raises `Quarantined` where it is garbage."""
    why = garbage(text)
    if why:
        raise Quarantined(why)
    return clean(text)

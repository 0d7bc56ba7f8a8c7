"""Text that was wrapped at a fixed width -> paragraphs on one line each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from pipelines.reading.characters import CJK

_WIDE = re.compile(f"[{CJK}\uac00-\ud7a3]")
_ITEM = re.compile(r"^\s*(?:[-*+•]|\d+[.)])\s+\S")
_MARKUP = re.compile(r"^(?:>|#|\||=|-{2}|\*{3}|<|```|~~~|\[[^\]]+\]:|:|\.\.)")
_HARD_BREAK = re.compile(r"(?:  |\\)$")
_FENCE = re.compile(r"^\s{0,3}(```|~~~)")
_FINISHED = re.compile(r"[.!?。！？:：;；][\"'”’)）】」]*\s*$")


def unwrapped(text: str) -> str:
    """Join the lines of paragraphs that were wrapped by width; lists, tables, code, logs and verse stay as they are."""
    out: list[str] = []
    paragraph: list[str] = []
    fence = ""
    for line in text.split("\n"):
        mark = _FENCE.match(line)
        if fence or mark:
            out += _joined(paragraph)
            paragraph = []
            out.append(line)
            if mark:
                fence = "" if fence == mark.group(1) else fence or mark.group(1)
        elif line.strip():
            paragraph.append(line)
        else:
            out += [*_joined(paragraph), line]
            paragraph = []
    return "\n".join([*out, *_joined(paragraph)])


def _joined(lines: Sequence[str]) -> list[str]:
    """One paragraph's lines, joined where it was wrapped."""
    if len(lines) < 2:
        return list(lines)
    widths = [len(line) + len(_WIDE.findall(line)) for line in lines]
    widest = max(widths)
    if not 40 <= widest <= 130 or not _is_wrapped(lines, widths, widest):
        return list(lines)
    out = [lines[0]]
    for (above, line), width in zip(pairwise(lines), widths, strict=False):
        indented = line[:1].isspace() and not (_ITEM.match(lines[0]) and not line.startswith("     "))
        if (
            width <= 0.7 * widest
            or _ITEM.match(line)
            or _MARKUP.match(line)
            or _MARKUP.match(above)
            or indented
            or _HARD_BREAK.search(above)
        ):
            out.append(line)
        else:
            chinese = re.search(f"[{CJK}]$", above) and re.match(rf"\s*[{CJK}]", line)
            out[-1] = out[-1].rstrip() + ("" if chinese else " ") + line.strip()
    return out


def _is_wrapped(lines: Sequence[str], widths: Sequence[int], widest: int) -> bool:
    """Whether lines go on in mid-sentence: many begin in lower case, or all but the last are equally wide."""
    going_on = sum(
        line.lstrip()[:1].islower() and not _FINISHED.search(above) for above, line in pairwise(lines)
    )
    if going_on >= 0.4 * (len(lines) - 1):
        return True
    even = all(width >= widest - 4 for width in widths[:-1])
    return even and len(lines) > 2 and all(_WIDE.search(line) for line in lines[:-1])

"""Bytes -> text: the encoding is recognised, checked against what people write, and named.

General detectors are weak on a line or two of Chinese, where GBK, Big5 and Shift-JIS all decode; so each candidate
that decodes is scored by how common its characters are and how they stand together. charset-normalizer is asked for
the rest.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from pipelines.errors import Quarantined
from pipelines.reading.characters import HAN, clean, garbage
from pipelines.reading.frequent import JAPANESE, SIMPLIFIED, TRADITIONAL

SAMPLE = 64_000
"""Bytes that are scored; the whole file must still decode."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ALIASES = {
    **dict.fromkeys(("gb2312", "gbk", "gb_2312-80", "x-gbk", "cp936"), "gb18030"),
    **dict.fromkeys(("shift_jis", "shift-jis", "x-sjis", "sjis", "windows-31j"), "cp932"),
    **dict.fromkeys(("iso-8859-1", "latin-1", "latin1", "ascii", "us-ascii"), "cp1252"),
    **dict.fromkeys(("big5", "big5-eten", "x-x-big5"), "cp950"),
    **dict.fromkeys(("euc-kr", "ks_c_5601-1987"), "cp949"),
}
_FAMILIES = {
    "gb18030": (SIMPLIFIED, "gb2312", 0xD8),
    "cp950": (TRADITIONAL, "big5", 0xC7),
    "big5hkscs": (TRADITIONAL, "big5", 0xC7),
    "cp932": (JAPANESE, "shift_jis", 0x98),
    "euc_jp": (JAPANESE, "shift_jis", 0x98),
    "utf-16-le": (SIMPLIFIED | TRADITIONAL | JAPANESE, "gb2312", 0xD8),
    "utf-16-be": (SIMPLIFIED | TRADITIONAL | JAPANESE, "gb2312", 0xD8),
}
"""For each East Asian candidate: its frequent characters, and where its table's common half ends (lead byte)."""

_HAN = re.compile(f"[{HAN}]")
_KANA = re.compile("[\u3041-\u30ff]")
_STRANGE = re.compile("[\x80-\x9f\ue000-\uf8ff\ufffd\uff61-\uff9f\u2500-\u259f\ufff0-\uffff]")
_LATIN = re.compile("[\xc0-\u024f]+")
_STUCK = re.compile(f"(?<=[a-z])[{HAN}]|[{HAN}](?=[a-z])")


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text, the encoding it was in, and what a person should know about the guess."""

    text: str
    encoding: str
    notes: tuple[str, ...] = ()


def decode(content: bytes, *, encoding: str = "", declared: str = "") -> Decoded:
    """Recognise and decode; raises `Quarantined` where no encoding gives text that someone could have written."""
    decoded = _forced(content, encoding) if encoding else _recognised(content, declared)
    why = garbage(decoded.text)
    if why:
        raise Quarantined(why)
    return Decoded(clean(decoded.text), decoded.encoding, decoded.notes)


def _forced(content: bytes, encoding: str) -> Decoded:
    """Decode as the config says."""
    try:
        return Decoded(content.decode(encoding), encoding)
    except UnicodeDecodeError as error:
        raise Quarantined(f"it is not {encoding}, which the config says it is (byte {error.start})") from None
    except LookupError:
        raise Quarantined(f"there is no encoding {encoding!r}") from None


def _recognised(content: bytes, declared: str) -> Decoded:
    """A byte order mark, then UTF-8, then what the document declares, then the best score."""
    for mark, name in _BOMS:
        if content.startswith(mark):
            return Decoded(content.decode(name, "replace"), name)
    if b"\x1b$" in content[:SAMPLE] and (text := _strict(content, "iso2022_jp_2")) is not None:
        return Decoded(text, "iso2022_jp")
    wide = _utf16(content)
    if wide:
        return Decoded(content.decode(wide, "replace"), wide)
    if (text := _strict(content, "utf-8")) is not None:
        return Decoded(text, "utf-8")
    known = _known(declared)
    text = _strict(content, known) if known else None
    if text is not None and plausibility(text[:SAMPLE], known) > 0:
        return Decoded(text, known)
    if repaired := _nearly_utf8(content):
        return repaired
    return _best(content)


def _best(content: bytes) -> Decoded:
    """The candidate whose characters look most like writing."""
    sample = content[:SAMPLE]
    scores: dict[str, float] = {}
    for name in ("gb18030", "cp950", "cp932", "euc_jp", "big5hkscs", "cp1252", "utf-16-le", "utf-16-be"):
        text = _strict(sample, name, cut=len(sample) < len(content))
        if text is not None:
            scores[name] = plausibility(text, name)
    order = sorted(scores, key=lambda name: -scores[name])
    for name in order:
        if scores[name] > 0.25 and (text := _strict(content, name)) is not None:
            unsure = any(scores[name] - scores[other] < 0.15 for other in scores if other[:3] != name[:3])
            return Decoded(text, name, (f"the encoding {name} is a guess",) if unsure else ())
    other = _normalized(content)
    if other:
        return other
    for name in order:
        if scores[name] > 0 and (text := _strict(content, name)) is not None:
            return Decoded(text, name, (f"the encoding {name} is a guess",))
    raise Quarantined("its text encoding can't be recognised; set `encoding` if you know it")


def _normalized(content: bytes) -> Decoded | None:
    """charset-normalizer's opinion, where it is sure of an alphabet; it guesses too freely among East Asian ones."""
    from charset_normalizer import from_bytes

    match = from_bytes(content[:SAMPLE]).best()
    if match is None or match.percent_chaos > 10 or match.encoding.startswith(("utf_16", "utf_32", "big5")):
        return None
    text = _strict(content, match.encoding)
    letters = re.findall(r"[^\W\d_]", text or "")
    if text is None or len(letters) < 20 or any(_STRANGE.match(letter) for letter in letters):
        return None
    return Decoded(text, match.encoding, (f"the encoding {match.encoding} is a guess",))


def _known(name: str) -> str:
    """The superset that people mean when they declare an encoding."""
    name = name.strip().strip("\"'").lower()
    return _ALIASES.get(name, name)


def _strict(content: bytes, encoding: str, *, cut: bool = False) -> str | None:
    """The text, or None where a byte doesn't fit; with `cut` a broken last character is forgiven."""
    try:
        return codecs.getincrementaldecoder(encoding)("strict").decode(content, final=not cut)
    except (UnicodeError, LookupError):
        return None


def _utf16(content: bytes) -> str:
    """UTF-16 without a mark, told by the NUL halves of its ASCII; empty where it isn't."""
    sample = content[:SAMPLE]
    pairs = len(sample) // 2
    if pairs < 2 or len(content) % 2:
        return ""
    low, high = sample[0::2].count(0), sample[1::2].count(0)
    if low + high < 0.02 * pairs or low + high < 2:
        return ""
    name = "utf-16-le" if high > 4 * low else "utf-16-be" if low > 4 * high else ""
    if not name:
        return ""
    text = _strict(sample, name, cut=True)
    return name if text is not None and not garbage(text) else ""


def _nearly_utf8(content: bytes) -> Decoded | None:
    """UTF-8 with a few broken bytes, as after a cut or a careless join."""
    text = content.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    whole = sum(1 for character in text[:SAMPLE] if character > "\x7f") - broken
    if whole < 20 * broken:
        return None
    return Decoded(text, "utf-8", (f"{broken} broken bytes were replaced",))


def plausibility(text: str, encoding: str) -> float:
    """How much the non-ASCII characters look like writing: about 1 for prose, below 0.25 for accidents."""
    foreign = [character for character in text if character > "\x7f"]
    if not foreign:
        return 0.0
    family = _FAMILIES.get(encoding)
    if family is None:
        return _latin(text, len(foreign))
    frequent, table, common_until = family
    score = 0.1 * len(foreign) if encoding == "gb18030" else 0.0
    kana = 0
    for character in foreign:
        if character in frequent:
            score += 1.0
        elif _KANA.match(character):
            kana += 1
            score += 0.8 if frequent is JAPANESE else 0.3
        elif "\u3000" <= character <= "\u303f" or "\uff01" <= character <= "\uff5e":
            score += 0.8
        elif "\u2010" <= character <= "\u203b" or character in "·°±×÷":
            score += 0.6
        elif _STRANGE.match(character):
            score -= 2.0
        elif _HAN.match(character):
            score += _rarity(character, table, common_until)
        else:
            score -= 0.5
    if encoding == "euc_jp" and kana < 0.2 * len(foreign):
        return -1.0
    score -= len(_STUCK.findall(text))
    return score / len(foreign)


def _rarity(character: str, table: str, common_until: int) -> float:
    """What a Chinese character counts that is not among the most frequent."""
    try:
        raw = character.encode(table)
    except UnicodeEncodeError:
        return -0.6
    return 0.4 if raw[0] < common_until else -0.2


def _latin(text: str, foreign: int) -> float:
    """Plausibility of Western European text: accented letters stand singly inside words."""
    score = 0.0
    for match in _LATIN.finditer(text):
        run = match.group()
        beside = text[max(match.start() - 1, 0) : match.start()] + text[match.end() : match.end() + 1]
        if len(run) > 2 or any(side > "\x7f" for side in beside) or run in "×÷":
            score -= 0.5 * len(run)
        elif any(side.isalpha() for side in beside):
            score += 1.0 if len(run) == 1 else 0.5 * len(run)
    score += 0.7 * len(re.findall("[“”‘’–—…€£©®°«»·•§¿¡ª]", text))
    score -= 2.0 * len(re.findall("[\x80-\x9f]", text))
    return score / foreign

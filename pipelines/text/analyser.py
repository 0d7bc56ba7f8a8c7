"""Text -> the terms of keyword search, the same when indexing and when asking.

Chinese is segmented, with pairs of characters where the dictionary has no word; identifiers are kept whole
and in parts; Latin words are folded and stemmed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pipelines.spec import fingerprint
from pipelines.text.stop_words import STOP_WORDS

if TYPE_CHECKING:
    from rjieba import Jieba

_VERSION = 1
"""Raised whenever the terms of some text change: then keyword indexes are built anew."""

LONGEST_TERM = 64
"""Characters; longer runs (encoded data) are indexed by their parts only."""

_HAN = r"\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_RUN = re.compile(
    rf"""(?P<han>[{_HAN}]+)
    | (?P<latin>[^\W_{_HAN}\u3040-\u30ff\uac00-\ud7af]+
        (?:[-_./:@'’&+,=%~][^\W_{_HAN}\u3040-\u30ff\uac00-\ud7af]+)* (?:\+\+|\#)?)
    | (?P<other>[\u3040-\u30ff\uac00-\ud7af]+)""",
    re.VERBOSE,
)
_JOIN = re.compile(r"[-_./:@'’&+,=%~#]+")
_PART = re.compile(r"[^\W\d_]+|\d+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_POSSESSIVE = re.compile(r"['’]s?$")

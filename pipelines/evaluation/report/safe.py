"""Text from documents, questions and models, as a page may hold it."""

from __future__ import annotations

import re
from typing import Any

from markupsafe import Markup

from pipelines.text.invisible import visible

MOST = 4_000
"""Characters of one text that a page shows."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_LINE_ENDS = re.compile(r"\r\n?|[\u2028\u2029\x85]")


def clean(text: str, most: int = MOST) -> str:
    """The text, cut, without characters that a page can't hold or that deceive the eye."""
    cut = text[: most + 1]
    shown = _CONTROL.sub("\ufffd", _LINE_ENDS.sub("\n", visible(cut[:most]).text))
    return shown + "…" if len(cut) > most else shown


def finalized(value: Any) -> Any:
    """What a template prints of a value; whoever fills it can't forget to clean."""
    return value if isinstance(value, Markup) else clean(str(value))

"""A page from a template: everything in it is escaped and cleaned, and nothing in it comes from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import os
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from markupsafe import Markup

from pipelines.errors import SearchaskError
from pipelines.evaluation.questions import Question
from pipelines.evaluation.report.safe import finalized
from pipelines.evaluation.report.texts import said
from pipelines.querying.names import fate
from pipelines.words import Language

_TEMPLATES = Path(__file__).parent / "templates"


def rendered(template: str, language: Language, **values: Any) -> str:
    """The page that a template makes of values."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        finalize=finalized,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script = (_TEMPLATES / "report.js").read_text("utf-8")
    return environment.get_template(template).render(
        values,
        language=language,
        say=lambda key, **named: said(key, language, **named),
        fate=partial(fate, language=language),
        style=Markup((_TEMPLATES / "report.css").read_text("utf-8")),
        script=Markup(script),
        # Only the one script that belongs here runs, whatever a document has in it.
        script_hash=f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}",
    )


def write(file: Path, page: str) -> None:
    """Write a page as a whole, or leave what was there; raises SearchaskError where it can't be written."""
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(page, encoding="utf-8")
        part.replace(file)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise SearchaskError(f"{file} can't be written: {error.strerror}") from None


def spoken(questions: Iterable[Question]) -> Language:
    """The language of most questions; English where as many are in either."""
    counted = Counter(question.language for question in questions)
    return "zh" if counted["zh"] > counted.total() / 2 else "en"

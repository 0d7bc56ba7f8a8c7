"""`filters:`, which every retriever has."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from pipelines.errors import SearchaskError
from pipelines.filters import Filters, days, of
from pipelines.spec import Spec

Text = Annotated[str, Field(min_length=1)]
Texts = Text | list[Text]


def _dates(value: int | str | list[int | str]) -> int | str | list[int | str]:
    for one in value if isinstance(value, list) else [value]:
        try:
            days(str(one))
        except SearchaskError as error:
            raise PydanticCustomError("date", "{said}", {"said": str(error)}) from None
    return value


class FilterSpec(Spec):
    """Conditions on passages; all must hold, and several values of one field are alternatives."""

    document: Texts | None = None
    """Path relative to its loader, or a glob over it: `handbook/*.md`; without `/` the file's name alone."""
    folder: Texts | None = None
    """Folder that the document lies in, at any depth, or a glob over it: `2024/*`."""
    type: Texts | None = None
    """Format, as `searchask documents` and the readers call it (`pdf`, `markdown`), or a file's ending (`md`)."""
    date: Annotated[int | str | list[int | str] | None, AfterValidator(lambda v: v and _dates(v))] = None
    """Day of the last change: `2024`, `2024-05`, `2024-05-01`, `">=2024-05"`, `"2024-01..2024-06"`; a document
    whose source tells no day never matches."""
    language: Texts | None = None
    """Language of the document: `zh` or `en`."""
    heading: Texts | None = None
    """Words that stand in the passage's heading path, case aside."""

    def wanted(self) -> Filters | None:
        """The conditions; None where there are none."""
        given: dict[str, list[str]] = {}
        for name, value in self:
            if value is not None:
                given[name] = [str(one) for one in (value if isinstance(value, list) else [value])]
        return of(given) or None


class FilteredSpec(Spec):
    """What every retriever has."""

    filters: FilterSpec | None = None
    """What passages are looked for in: document, folder, type, date, language, heading."""

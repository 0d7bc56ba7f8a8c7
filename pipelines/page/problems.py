"""Why a knowledge base can't be asked, in a person's words."""

from __future__ import annotations

from pipelines.errors import ConfigError, SearchaskError
from pipelines.page.markdown import escaped
from pipelines.page.site import Site
from pipelines.words import Language, Words

_BROKEN = Words(
    "This config has errors; the Config tab shows them in place:", "此配置有错误，“配置”页标出了位置："
)
_EMPTY = Words(
    "Nothing is ingested yet. Open Documents and choose Ingest.", "尚未入库。请打开“文档”页，点击“入库”。"
)


def problem(site: Site, base: str, language: Language) -> str:
    """As Markdown; empty where all is well."""
    try:
        entry = site.entry(base)
        config = entry.config()
        if config.catalog_url is None and not entry.ingested():
            return _quoted([_EMPTY.of(language)])
        with entry.open():
            return ""
    except ConfigError as error:
        return _quoted([_BROKEN.of(language), *map(str, error.problems)])
    except SearchaskError as error:
        return _quoted([str(error)])


def _quoted(lines: list[str]) -> str:
    return "\n".join(f"> {escaped(line)}  " for line in lines)

"""How one document would be cut into chunks, shown before anything is embedded."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any, NoReturn, TypedDict

from pydantic import ValidationError

from pipelines.catalog import Catalog
from pipelines.config import Config
from pipelines.documents import Document, Loader, Source
from pipelines.errors import SearchaskError
from pipelines.ingestion.cut import Cut, cut
from pipelines.ingestion.fingerprints import LoadKey, content_hash
from pipelines.ingestion.scan import scan
from pipelines.page.document import indexed
from pipelines.text.tokens import count_tokens
from pipelines.words import Language, Words

if TYPE_CHECKING:
    from llama_index.core.base.embeddings.base import BaseEmbedding

SHOWN = 60_000
"""Characters of a document that are shown."""
CUT = 500_000
"""Characters of a document that are cut and counted; a person who turns a knob does not wait for more."""
_WORK = 5_000_000
"""Characters in all chunks together; with an overlap near the chunk size even a short text has that many."""
LISTED = 5_000
"""Documents that are offered, at most."""
_SIZES = range(16, 100_001)

_COUNTS = Words(
    "{chunks} chunks; tokens in a chunk: {least} to {most}, {mean} on average",
    "共 {chunks} 块；每块 {least} 到 {most} 个词元，平均 {mean} 个",
)
_NO_SIZE = Words(
    "node_parser `{type}` has no chunk_size: these are its chunks as the config has it.",
    "node_parser `{type}` 没有 chunk_size：这里按配置文件现在的写法切分。",
)
_PART_CUT = Words(
    "The document is long: only its first {count} characters were cut here.",
    "文档较长：这里只切分了前 {count} 个字符。",
)
_PART_SHOWN = Words("Only the first {count} characters are shown.", "只显示前 {count} 个字符。")
_REWRITTEN = Words(
    "This node parser writes its chunks anew, so they are shown one after the other and not in the text.",
    "这种 node_parser 会改写文字，因此各块依次列出，不在原文中标出。",
)
_EMPTY = Words("There is no text in this document.", "这个文档里没有文字。")
_WOULD_EMBED = Words(
    "node_parser `{type}` embeds every sentence to find where to cut, and a preview embeds nothing: "
    "there is none for it.",
    "node_parser `{type}` 要先对每个句子做向量化才能切分，而预览不做向量化，因此无法预览。",
)
_UNKNOWN = Words(
    "There is no document “{document}” among those of loader “{loader}” any more.",
    "加载器“{loader}”里已经没有文档“{document}”了。",
)
_BAD_SIZE = Words(
    "chunk_size must be a whole number from {least} to {most}.",
    "chunk_size 必须是 {least} 到 {most} 之间的整数。",
)
_BAD_OVERLAP = Words(
    "chunk_overlap must be a whole number from 0 to below chunk_size ({size}).",
    "chunk_overlap 必须是不小于 0、小于 chunk_size（{size}）的整数。",
)


class Segment(TypedDict):
    """A piece of text within which no chunk begins or ends."""

    text: str
    chunks: list[int]
    """Numbers, from 1, of the chunks that hold it; two where they overlap, none between chunks."""
    edge: bool
    """Whether a chunk begins with it."""


@dataclass(frozen=True, slots=True)
class Preview:
    """A document's chunks, and its text in pieces to draw their edges in."""

    note: str
    """Number of chunks, their tokens and the chunk size, in a line."""
    remarks: list[str]
    """What a person should know: that only a part is shown, that there is no chunk size."""
    segments: list[Segment]
    chunks: int
    chunk_size: int | None
    """As it was cut with; None where the node parser has none."""
    chunk_overlap: int | None


def previewable(config: Config, catalog: Catalog | None) -> list[tuple[str, str]]:
    """(label, value) of every document that can be previewed, at most `LISTED`; `catalog` is None before the first run.

    A loader that can't be listed has none here: the plan says why.
    """
    found: list[tuple[str, str]] = []
    several = len(config.spec.loaders) > 1
    for name in config.spec.loaders:
        paths = islice(_paths(config, catalog, name), LISTED - len(found))
        found += [(f"{name}: {path}" if several else path, json.dumps([name, path])) for path in paths]
    return found


def _paths(config: Config, catalog: Catalog | None, name: str) -> Iterator[str]:
    if config.spec.loaders[name].type in ("llama_index", "faq"):  # whose listing is a reading of everything
        active = catalog.generations.active() if catalog else None
        rows = catalog.documents(active.id) if catalog and active else []
        yield from (row.path for row in rows if row.loader == name)
        return
    try:
        yield from (source.path for source in _loader(config, name).scan() if not source.problem)
    except SearchaskError:
        return


def chosen(value: str) -> tuple[str, str]:
    """Loader and path of a value that `previewable` gave; raises `SearchaskError` for anything else."""
    try:
        loader, path = json.loads(value)
        return str(loader), str(path)
    except (TypeError, ValueError):
        raise SearchaskError("choose a document first") from None


def preview(
    config: Config,
    catalog: Catalog | None,
    loader: str,
    path: str,
    *,
    chunk_size: int | None = None,
    chunk_overlap: int | None = None,
    language: Language,
) -> Preview:
    """Cut a document as the config says, or with another chunk size; embeds and stores nothing.

    An overlap that the new size has no room for shrinks with it. Raises `SearchaskError` where it can't be cut.
    """
    spec, sized = _resized(config.spec.node_parser, chunk_size, chunk_overlap, language)

    def refuse() -> BaseEmbedding:
        _refuse(spec, language)

    parser = spec.build(embed_model=refuse)
    document = _document(config, catalog, loader, path, language)
    remarks = [] if sized or chunk_size is None else [_NO_SIZE.of(language, type=spec.type)]
    size, overlap = getattr(spec, "chunk_size", None), getattr(spec, "chunk_overlap", None)
    limit = min(CUT, _WORK * (size - overlap) // size) if size and overlap else CUT
    if len(document.text) > limit:
        remarks.append(_PART_CUT.of(language, count=f"{limit:,}"))
        document = Document(document.text[:limit], document.format, document.markdown)
    cuts = [one for one in cut(document, parser, key=0) if one.node.leaf]
    if not cuts:
        raise SearchaskError(_EMPTY.of(language))
    segments, whole = _segments(document.text, cuts)
    if any(one.node.start is None for one in cuts):
        remarks.append(_REWRITTEN.of(language))
    if not whole:
        remarks.append(_PART_SHOWN.of(language, count=f"{SHOWN:,}"))
    return Preview(
        note=_note(document.text, cuts, size, overlap, language),
        remarks=remarks,
        segments=segments,
        chunks=len(cuts),
        chunk_size=size,
        chunk_overlap=overlap,
    )


def _refuse(spec: Any, language: Language) -> NoReturn:
    raise SearchaskError(_WOULD_EMBED.of(language, type=getattr(spec, "class_", spec.type)))


def _resized(spec: Any, size: int | None, overlap: int | None, language: Language) -> tuple[Any, bool]:
    """The node parser with another size, and whether it has one at all."""
    fields = type(spec).model_fields
    if "chunk_size" not in fields:
        return spec, False
    size = spec.chunk_size if size is None else size
    if size not in _SIZES and size != spec.chunk_size:
        raise SearchaskError(_BAD_SIZE.of(language, least=_SIZES[0], most=f"{_SIZES[-1]:,}"))
    changed: dict[str, Any] = {"chunk_size": int(size)}
    if "chunk_overlap" in fields:
        own: int = spec.chunk_overlap
        if overlap is None:
            overlap = own if own < size else own * size // spec.chunk_size
        if not 0 <= overlap < size:
            raise SearchaskError(_BAD_OVERLAP.of(language, size=size))
        changed["chunk_overlap"] = overlap
    try:
        return type(spec).model_validate({**spec.model_dump(by_alias=True), **changed}), True
    except ValidationError:
        raise SearchaskError(_BAD_OVERLAP.of(language, size=size)) from None


def _loader(config: Config, name: str) -> Loader:
    return config.spec.loaders[name].build(base=config.base_of("loaders", name))


def _document(config: Config, catalog: Catalog | None, name: str, path: str, language: Language) -> Document:
    """A document's text as the next ingestion would see it, from the catalog where it was read like that before."""
    spec = config.spec.loaders.get(name)
    if spec is None:
        raise SearchaskError(_UNKNOWN.of(language, document=path, loader=name))
    row = indexed(catalog, name, path)
    key = LoadKey.of(spec)
    held = None
    if row and catalog and key.of_content(path, row.content) == row.load:
        held = catalog.text(row.load)
    if held and spec.type in ("web", "llama_index"):  # asked once, not at each turn of a knob
        return held
    loader = _loader(config, name)
    source = next((each for each in scan({name: loader})[name] if each.path == path), None)
    if source is None:
        raise SearchaskError(_UNKNOWN.of(language, document=path, loader=name))
    if source.problem:
        raise SearchaskError(f"{path}: {source.problem}")
    if held and row and source.modified and (source.size, source.modified) == (row.size, row.modified):
        return held
    return _read(loader, source, key, catalog)


def _read(loader: Loader, source: Source, key: LoadKey, catalog: Catalog | None) -> Document:
    try:
        raw = loader.fetch(source)
        known = catalog.text(key.of_content(source.path, content_hash(raw))) if catalog else None
        return known or loader.read(source, raw)
    except SearchaskError as error:
        raise SearchaskError(f"{source.path}: {error}") from None
    except OSError as error:
        raise SearchaskError(f"{source.path}: can't be read: {error.strerror}") from None


def _note(text: str, cuts: Sequence[Cut], size: int | None, overlap: int | None, language: Language) -> str:
    # Not the tokens that are embedded: those count the heading above a chunk, which chunk_size does not bound.
    tokens = [
        count_tokens(text[one.node.start : one.node.end] if one.node.text is None else one.node.text)
        for one in cuts
    ]
    parts = [
        _COUNTS.of(
            language,
            chunks=f"{len(cuts):,}",
            least=min(tokens),
            most=max(tokens),
            mean=round(sum(tokens) / len(tokens)),
        )
    ]
    named = {"chunk_size": size, "chunk_overlap": overlap}
    parts += [f"{name} {value}" for name, value in named.items() if value is not None]
    return ("；" if language == "zh" else "; ").join(parts)


def _segments(text: str, cuts: Sequence[Cut]) -> tuple[list[Segment], bool]:
    """The text in pieces, or the chunks one by one where they are not parts of it; and whether that is all."""
    spans = [(one.node.start, one.node.end) for one in cuts]
    if any(start is None or end is None for start, end in spans):
        return _one_by_one(text, cuts)
    return _pieces(text, [(start or 0, end or 0) for start, end in spans])


def _one_by_one(text: str, cuts: Sequence[Cut]) -> tuple[list[Segment], bool]:
    segments: list[Segment] = []
    room = SHOWN
    for number, one in enumerate(cuts, 1):
        node = one.node
        piece = text[node.start : node.end] if node.text is None else node.text
        segments.append(Segment(text=piece[:room], chunks=[number], edge=True))
        if len(piece) > room:
            return segments, False
        room -= len(piece)
    return segments, True


def _pieces(text: str, spans: Sequence[tuple[int, int]]) -> tuple[list[Segment], bool]:
    end = min(len(text), SHOWN)
    borders = sorted({0, end, *(place for span in spans for place in span if place < end)})
    order = sorted(range(len(spans)), key=lambda number: spans[number][0])
    starts = {start for start, _ in spans}
    segments: list[Segment] = []
    covering: list[int] = []
    following = 0
    for first, last in pairwise(borders):
        while following < len(order) and spans[order[following]][0] <= first:
            covering.append(order[following])
            following += 1
        covering = [number for number in covering if spans[number][1] > first]
        chunks = sorted(number + 1 for number in covering)
        segments.append(Segment(text=text[first:last], chunks=chunks, edge=first in starts))
    return segments, end == len(text)

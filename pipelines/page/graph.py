"""The graph around a term: what is named together with it, the documents called by it, the passages that name it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipelines.catalog import Catalog
from pipelines.catalog.around import Around
from pipelines.catalog.live import LiveNode, LiveNodes
from pipelines.catalog.structure import Structure
from pipelines.config import Config
from pipelines.errors import SearchaskError
from pipelines.page.document import Place
from pipelines.page.evidence import place_words
from pipelines.text.terms import units
from pipelines.words import Language, Words

MOST = 24
"""Neighbours that are drawn, and passages that are listed."""
COMPLETED = 12
"""Terms that are offered for what was typed so far."""
LONGEST = 200
"""Characters of a term that is looked for."""
_AROUND = 60
"""Characters shown of a passage on each side of the term."""

_NO_RETRIEVER = Words(
    "There is no graph: add a retriever of `type: graph` to the config, then ingest.",
    "没有图谱：请在配置中添加 `type: graph` 的检索器，然后入库。",
)
_NOT_BUILT = Words(
    "The graph is not built yet: ingest once more; nothing is embedded again.",
    "图谱尚未建立：请再次入库，不会重新向量化。",
)
_HINT = Words(
    "Write a name that your documents mention, or choose one while you type.",
    "请输入文档中提到的名称，或在输入时选择。",
)
_UNKNOWN = Words(
    "No document is called “{term}”, and none names it.", "没有文档名为“{term}”，也没有文档提到它。"
)
_ALONE = Words("Nothing else is named together with “{term}”.", "没有其他名称与“{term}”一同出现。")
_GONE = Words("This passage is no longer in the index: look again.", "这段文字已不在索引中：请重新查看。")
_TOGETHER = Words("{term}: named together in {count} passages", "{term}：在 {count} 个段落中一同出现")
_RELATED = Words("{term}: read in the text", "{term}：从文中读出的关系")
_CALLED = Words("Documents called “{term}”", "名为“{term}”的文档")
_RELATIONS = Words("What the text says of it", "文中的说法")
_NAMED_BY = Words("Named by {count} passages", "提到它的段落：{count}")
_FIRST = Words("Named by {count} passages; the first {most}", "提到它的段落：{count}，显示前 {most} 个")


def wanting(config: Config, catalog: Catalog | None, language: Language) -> str:
    """What is to be done before there is a graph to look at; empty where there is one."""
    if not any(each.type == "graph" for each in config.spec.retrievers.values()):
        return _NO_RETRIEVER.of(language)
    held = _active(catalog)
    return "" if held and held[0].graph.built else _NOT_BUILT.of(language)


def completions(catalog: Catalog | None, typed: str) -> list[str]:
    """Terms that begin like what was typed so far."""
    held = _active(catalog)
    return held[0].graph.terms_like(typed[:LONGEST], COMPLETED) if held and held[0].graph.built else []


def surroundings(config: Config, catalog: Catalog | None, term: str, language: Language) -> dict[str, Any]:
    """What `page.js` draws around a term; without one, or without a graph, a line that says what to do."""
    note = wanting(config, catalog, language)
    term = term.strip()[:LONGEST]
    held = _active(catalog)
    if note or not term or held is None:
        return _nothing(note or _HINT.of(language))
    structure, live = held
    found = structure.graph.around(term, most=MOST)
    if not (found.named_by or found.titled or found.relations):
        return _nothing(_UNKNOWN.of(language, term=term))
    return _view(structure, live, found, language)


def place(catalog: Catalog | None, node: str, term: str, language: Language) -> Place:
    """Where a passage stands, and in it the term; raises SearchaskError where it has left the index."""
    held = _active(catalog)
    found = held[1].get([node]).get(node) if held else None
    if found is None:
        raise SearchaskError(_GONE.of(language))
    start, end = next(_places(found.text, term), (0, 0))
    return Place(
        found.id,
        found.loader,
        found.document,
        None if found.start is None else found.start + start,
        found.text,
        found.text[start:end],
        found.heading,
    )


def _nothing(note: str) -> dict[str, Any]:
    return {"note": note, "term": "", "neighbours": [], "lists": []}


def _view(structure: Structure, live: LiveNodes, found: Around, language: Language) -> dict[str, Any]:
    firsts = {document: own[0] for document, own in structure.leaves(found.titled).items()}
    listed = [each.node for each in found.passages]
    tied = [each.node for each in found.relations]
    nodes = live.get(list(dict.fromkeys([*firsts.values(), *listed, *tied])))
    neighbours = _neighbours(found, language)
    words = _NAMED_BY if found.named_by <= len(listed) else _FIRST
    lists = [
        {
            "head": _CALLED.of(language, term=found.term),
            "rows": [_row(nodes[key], "", language) for key in firsts.values() if key in nodes],
        },
        {
            "head": _RELATIONS.of(language),
            "rows": [
                _row(nodes[each.node], f"{each.subject} — {each.relation} → {each.object}", language)
                for each in found.relations
                if each.node in nodes
            ],
        },
        {
            "head": words.of(language, count=found.named_by, most=len(listed)),
            "rows": [
                _row(nodes[key], _glimpse(nodes[key].text, found.term), language)
                for key in listed
                if key in nodes
            ],
        },
    ]
    return {
        "note": "" if neighbours else _ALONE.of(language, term=found.term),
        "term": found.term,
        "neighbours": neighbours,
        "lists": [each for each in lists if each["rows"]],
    }


def _neighbours(found: Around, language: Language) -> list[dict[str, Any]]:
    """What a model has tied to the term, then what stands beside it most often; `share` is the strength of a link."""
    counts = {each.term: each.passages for each in found.neighbours}
    tied = [end for each in found.relations for end in (each.subject_term, each.object_term)]
    terms = list(dict.fromkeys([*(each for each in tied if each and each != found.term), *counts]))[:MOST]
    top = max(counts.values(), default=1)
    return [
        {
            "term": term,
            "tied": term in tied,
            "share": counts.get(term, 1) / top,
            "title": (_TOGETHER if term in counts else _RELATED).of(
                language, term=term, count=counts.get(term, 0)
            ),
        }
        for term in terms
    ]


def _row(node: LiveNode, text: str, language: Language) -> Mapping[str, str]:
    return {
        "node": node.id,
        "document": node.document,
        "place": place_words(node.page, node.heading, language),
        "text": text,
    }


def _glimpse(text: str, term: str) -> str:
    """The words around the first place where a passage has the term."""
    start, end = next(_places(text, term), (0, 0))
    first, last = max(0, start - _AROUND), min(len(text), end + _AROUND)
    cut = " ".join(text[first:last].split())
    return f"{'…' if first else ''}{cut}{'…' if last < len(text) else ''}"


def _places(text: str, term: str) -> Iterator[tuple[int, int]]:
    """Where a text has a term, however it is written."""
    wanted, own = [each.text for each in units(term)], units(text)
    for first in range(len(own) - len(wanted) + 1 if wanted else 0):
        part = own[first : first + len(wanted)]
        if [each.text for each in part] == wanted:
            yield part[0].start, part[-1].end


def _active(catalog: Catalog | None) -> tuple[Structure, LiveNodes] | None:
    """What answers now; None where nothing is ingested."""
    active = catalog.generations.active() if catalog else None
    if catalog is None or active is None:
        return None
    reads = catalog.engine, active.id, active.cache_key
    return Structure(*reads), LiveNodes(*reads)

"""What the parts of a config say about each other: names that must exist, loops, and what is left out.

Works on plain data, so that it still finds everything when some parts are invalid.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Found = tuple[tuple[str | int, ...], str]
"""The path of a value and what is wrong with it."""

DEFAULT_RETRIEVERS = {
    "meaning": {"type": "vector"},
    "words": {"type": "keyword"},
    "both": {"type": "fusion", "of": ["meaning", "words"]},
}

NEEDED_PARSERS = {"window": "sentence_window", "auto_merging": "hierarchical"}
"""The node parser that a retriever can't do without."""


RUN_HERE = ("local", "fake", "huggingface", "fastembed")
"""Embed models that cost nothing."""


def suggestion(word: str, known: Iterable[str]) -> str:
    """` (did you mean …?)`, or the names that there are."""
    names = list(known)
    lower = {name.lower(): name for name in reversed(names)}
    close = difflib.get_close_matches(word.lower(), lower, n=1, cutoff=0.6)
    if close:
        return f" (did you mean '{lower[close[0]]}'?)"
    return f" (known: {', '.join(names)})" if names else ""


def completed(data: Mapping[str, Any]) -> dict[str, Any]:
    """The data with what follows from the rest: retrievers, an engine, and who writes its answers."""
    full = {key: value for key, value in data.items() if value is not None}
    full.setdefault("retrievers", DEFAULT_RETRIEVERS)
    names = list(full["retrievers"]) if isinstance(full["retrievers"], Mapping) else []
    full.setdefault("query_engines", {"answer": {"retriever": names[-1] if names else "both"}})
    if isinstance(full["query_engines"], Mapping):
        usual: dict[str, Any] = {"response": {"type": "compact" if full.get("llm") else "extractive"}}
        if full.get("llm") and not full.get("loaders"):
            usual["policy"] = {"type": "fallback"}
        full["query_engines"] = {
            name: {**usual, **engine} if isinstance(engine, Mapping) else engine
            for name, engine in full["query_engines"].items()
        }
    return full


def misreferences(data: Mapping[str, Any], *, need_llm: frozenset[str]) -> Iterator[Found]:
    """Names that refer to nothing, loops between retrievers, and responses (`need_llm`) without an LLM."""
    retrievers = _maps(data.get("retrievers"))
    for name, retriever in retrievers.items():
        for place, part in _parts(retriever.get("of")):
            if part not in retrievers:
                yield ("retrievers", name, *place), _unknown(part, [n for n in retrievers if n != name])
        if retriever.get("type") == "router" and retriever.get("by") == "llm" and not data.get("llm"):
            yield ("retrievers", name, "by"), "'llm' needs a model: add `llm:`, or use 'meaning'"
    yield from _graphs(data, retrievers)
    if not data.get("loaders") and not data.get("llm"):
        yield (
            ("loaders",),
            "there are no documents to answer from: name a loader, such as `files: {type: folder, path: docs}` (or an "
            "`llm`, which then answers from what it knows)",
        )
    yield from _loops(retrievers)
    yield from _wrongly_cut(data, retrievers)
    yield from _unpriced(data)
    for name, engine in _maps(data.get("query_engines")).items():
        wanted = engine.get("retriever")
        if isinstance(wanted, str) and wanted not in retrievers:
            yield ("query_engines", name, "retriever"), _unknown(wanted, retrievers)
        if not data.get("llm"):
            yield from _without_llm(name, engine, need_llm)
        yield from _without_files(name, engine, data.get("llm"))


def _unpriced(data: Mapping[str, Any]) -> Iterator[Found]:
    """Limits in money for models whose price nobody gave."""
    limits = _maps(data.get("limits"))
    asking = ("per_question", "per_day")
    graphs = _maps(data.get("retrievers")).values()
    reads = any(_maps(each).get("extract", {}).get("type") == "llm" for each in graphs)
    reading = (*asking, "per_ingestion") if reads else asking
    for part, names in (("llm", reading), ("embed_model", (*asking, "per_ingestion"))):
        model = data.get(part)
        asked = isinstance(model, Mapping) and model.get("price") is None
        free = isinstance(model, Mapping) and model.get("type") in RUN_HERE
        for name in names:
            if asked and not free and limits.get(name, {}).get("money") is not None:
                yield ("limits", name, "money"), f"money can't be counted: `{part}` gives no `price`"


def _graphs(data: Mapping[str, Any], retrievers: Mapping[str, Mapping[str, Any]]) -> Iterator[Found]:
    """Graphs that need a model in a config that has none, and two graphs where there can be one."""
    first: tuple[str, Any] | None = None
    for name, retriever in retrievers.items():
        if retriever.get("type") != "graph":
            continue
        extract = retriever.get("extract") or {"type": "names"}
        if isinstance(extract, Mapping) and extract.get("type") == "llm" and not data.get("llm"):
            message = "'llm' needs a model: add `llm:`, or use 'names'"
            yield ("retrievers", name, "extract", "type"), message
        if first is not None and extract != first[1]:
            yield ("retrievers", name, "extract"), f"there is one graph: write the `extract` of {first[0]!r}"
        first = first or (name, extract)
    store = data.get("graph_store")
    kind = store.get("type") if isinstance(store, Mapping) else "catalog"
    if kind != "catalog" and first is None:
        yield (
            ("graph_store", "type"),
            f"{kind!r} holds the graph of a `graph` retriever: add one to `retrievers`",
        )


def _without_files(name: str, engine: Mapping[str, Any], llm: Any) -> Iterator[Found]:
    """A response that uploads documents to a model behind no endpoint of the form that it needs."""
    response = engine.get("response")
    uploads = isinstance(response, Mapping) and response.get("type") == "uploaded_documents"
    if uploads and isinstance(llm, Mapping) and llm.get("type") == "llama_index":
        message = (
            "'uploaded_documents' needs an `llm` of type openai or openai_like, whose endpoint keeps files"
        )
        yield ("query_engines", name, "response", "type"), message


def _without_llm(name: str, engine: Mapping[str, Any], need_llm: frozenset[str]) -> Iterator[Found]:
    """The parts of an engine that need a model, in a config that has none."""
    response = engine.get("response")
    kind = response.get("type") if isinstance(response, Mapping) else None
    if kind in need_llm:
        message = f"'{kind}' needs a model: add `llm:`, or use 'extractive'"
        yield ("query_engines", name, "response", "type"), message
    policy = engine.get("policy")
    kind = policy.get("type") if isinstance(policy, Mapping) else None
    if kind in need_llm:
        yield (
            ("query_engines", name, "policy", "type"),
            f"'{kind}' needs a model: add `llm:`, or use 'strict'",
        )
    for key in ("question", "postprocessors"):
        steps = engine.get(key)
        for index, step in enumerate(steps if isinstance(steps, list) else ()):
            kind = step.get("type") if isinstance(step, Mapping) else None
            if kind in need_llm:
                message = f"'{kind}' needs a model: add `llm:`, or leave it out"
                yield ("query_engines", name, key, index, "type"), message


def _wrongly_cut(data: Mapping[str, Any], retrievers: Mapping[str, Mapping[str, Any]]) -> Iterator[Found]:
    """Retrievers over passages of a kind that the node parser does not cut."""
    parser = data.get("node_parser")
    cut = parser.get("type") if isinstance(parser, Mapping) else "sentence"
    for name, retriever in retrievers.items():
        needed = NEEDED_PARSERS.get(str(retriever.get("type")))
        if needed and isinstance(cut, str) and cut != needed:
            message = (
                f"'{retriever['type']}' needs `node_parser: {{type: {needed}}}` (this config cuts with '{cut}'); "
                "after that edit run `searchask ingest`"
            )
            yield ("retrievers", name, "type"), message


def _loops(retrievers: Mapping[str, Mapping[str, Any]]) -> Iterator[Found]:
    """Each loop between fusions once, at the entry that closes it."""
    done: set[str] = set()

    def visit(name: str, chain: tuple[str, ...]) -> Iterator[Found]:
        for place, part in _parts(retrievers[name].get("of")):
            if part in chain:
                loop = " → ".join((*chain[chain.index(part) :], part))
                yield ("retrievers", name, *place), f"a loop: {loop}"
            elif part in retrievers and part not in done:
                yield from visit(part, (*chain, part))
        done.add(name)

    for name in retrievers:
        if name not in done:
            yield from visit(name, (name,))


def _unknown(name: str, known: Iterable[str]) -> str:
    return f"there is no retriever '{name}'{suggestion(name, known)}"


def _maps(value: Any) -> dict[str, Mapping[str, Any]]:
    """The entries of a map that are maps themselves."""
    if not isinstance(value, Mapping):
        return {}
    return {str(name): entry for name, entry in value.items() if isinstance(entry, Mapping)}


def _parts(value: Any) -> list[tuple[tuple[str | int, ...], str]]:
    """The retrievers that an `of` names, one or a list or the keys of a map, with their places in the retriever."""
    if isinstance(value, str):
        return [(("of",), value)]
    if isinstance(value, Mapping):
        return [(("of", str(name)), str(name)) for name in value]
    if isinstance(value, list):
        return [(("of", i), name) for i, name in enumerate(value) if isinstance(name, str)]
    return []

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
        response = {"type": "compact" if full.get("llm") else "extractive"}
        full["query_engines"] = {
            name: {"response": response, **engine} if isinstance(engine, Mapping) else engine
            for name, engine in full["query_engines"].items()
        }
    return full


def misreferences(data: Mapping[str, Any], *, need_llm: frozenset[str]) -> Iterator[Found]:
    """Names that refer to nothing, loops between retrievers, and responses (`need_llm`) without an LLM."""
    retrievers = _maps(data.get("retrievers"))
    for name, retriever in retrievers.items():
        for index, part in _names(retriever.get("of")):
            if part not in retrievers:
                yield ("retrievers", name, "of", index), _unknown(part, [n for n in retrievers if n != name])
    yield from _loops(retrievers)
    for name, engine in _maps(data.get("query_engines")).items():
        wanted = engine.get("retriever")
        if isinstance(wanted, str) and wanted not in retrievers:
            yield ("query_engines", name, "retriever"), _unknown(wanted, retrievers)
        response = engine.get("response")
        kind = response.get("type") if isinstance(response, Mapping) else None
        if isinstance(kind, str) and kind in need_llm and not data.get("llm"):
            message = f"'{kind}' needs a model: add `llm:`, or use 'extractive'"
            yield ("query_engines", name, "response", "type"), message


def _loops(retrievers: Mapping[str, Mapping[str, Any]]) -> Iterator[Found]:
    """Each loop between fusions once, at the entry that closes it."""
    done: set[str] = set()

    def visit(name: str, chain: tuple[str, ...]) -> Iterator[Found]:
        for index, part in _names(retrievers[name].get("of")):
            if part in chain:
                loop = " → ".join((*chain[chain.index(part) :], part))
                yield ("retrievers", name, "of", index), f"a loop: {loop}"
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


def _names(value: Any) -> list[tuple[int, str]]:
    """The texts of a list with their index."""
    return (
        [(i, name) for i, name in enumerate(value) if isinstance(name, str)]
        if isinstance(value, list)
        else []
    )

"""What one document adds to the graph: what it is called, and what each of its chunks names."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from pipelines.catalog.rows import Names, Triplet
from pipelines.documents import Document
from pipelines.ingestion.cut import Cut
from pipelines.text.terms import key_of, stem_titles, terms_of, text_titles


def names_of(
    key: str, path: str, document: Document, cuts: Sequence[Cut], dictionary: Collection[str]
) -> Names:
    """A function of this document alone, so that no other has to be looked at when it comes, changes or goes."""
    titles = text_titles(document.text, markdown=document.markdown)
    mentions = [
        (one.node.id, term)
        for one in cuts
        if one.node.leaf
        for term in terms_of(one.text, one.node.heading, dictionary)
    ]
    return Names(key, tuple(titles), tuple(stem_titles(path)), tuple(mentions))


def with_paths(names: Names, cuts: Sequence[Cut], paths: Mapping[bytes, Sequence[Triplet]]) -> Names:
    """The names with what a model read in the chunks: both ends of each path are named by its chunk too."""
    read = [
        (one.node.id, triplet) for one in cuts if one.node.leaf for triplet in paths.get(one.node.digest, ())
    ]
    ends = [(node, key_of(end)) for node, triplet in read for end in (triplet.subject, triplet.object)]
    mentions = dict.fromkeys([*names.mentions, *((node, term) for node, term in ends if term)])
    return replace(names, mentions=tuple(mentions), paths=tuple(read))

"""What one document adds to the graph: what it is called, and what each of its chunks names."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pipelines.catalog.rows import Names
from pipelines.documents import Document
from pipelines.ingestion.cut import Cut
from pipelines.text.terms import stem_titles, terms_of, text_titles


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

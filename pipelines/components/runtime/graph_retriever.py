"""From the best documents on to those that they name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from llama_index.core.schema import MetadataMode, NodeWithScore

from pipelines.components.runtime.inquiry import Inquiry
from pipelines.components.runtime.retrievers import NEAR, Ranking, noted, own_score
from pipelines.errors import SearchaskError
from pipelines.index import Index
from pipelines.text.terms import mentions
from pipelines.words import Words

READ = 8
"""Passages of a document that are read for what it names."""
REACHED = 40
"""Documents, and passages, that are compared with the question at most."""
COMPARED = 200
"""Passages of a reached document that are compared with the question at most."""
FAMILIAR = 4.0
"""Inverse document frequencies of a name's words, summed, at which a link counts half."""
COMMON = 3.0
"""The sum below which a name is a common word and leads nowhere."""
SHARED = 0.25
"""What a link counts by a name that both only mention, beside 1 for one that is the other's title."""
SHARED_BY = 12
"""Passages that may mention a name for it to be a link."""

_NOT_BUILT = Words(
    "retriever {name!r}: the graph is not built yet: run `searchask ingest`, which embeds nothing again",
    "检索器 {name!r}：图谱尚未建立：请运行 `searchask ingest`，不会重新向量化",
)

Key = TypeVar("Key", int, str)


@dataclass(frozen=True, slots=True)
class Link:
    """How strongly a document or a passage is tied to what was found, from 0 to 1, and by what name."""

    strength: float
    name: str = ""


class Follow(Ranking):
    """Passages that another retriever finds, and those of documents that the best of them name."""

    def __init__(
        self, index: Index, part: Ranking, *, seeds: int, hops: int, weight: float, top_k: int, name: str
    ) -> None:
        super().__init__(index, top_k, name)
        self.part, self.seeds, self.hops, self.weight = part, seeds, hops, weight

    def find(self, query: Inquiry) -> list[NodeWithScore]:
        """All that is found or reached; what is only reached stands below the best that was found."""
        graph = self.index.structure.graph
        if not graph.built:
            raise SearchaskError(_NOT_BUILT.of(query.language, name=self.name))
        self.part.retrieve(query)
        hits = self.cosines(query, query.found[self.part.name])
        scores = {hit.node.node_id: self._own(hit) for hit in hits}
        found = {hit.node.node_id: hit for hit in hits}
        vector = self.vector_of(query)
        if not query.reach:
            query.near, query.reach = self.index.nearest(vector, NEAR), NEAR
        documents, passages = self._links(query, vector, hits)
        reached = self._best_of(vector, documents)
        for key, link in passages.items():
            reached[key] = max(link, reached.get(key, Link(0.0)), key=lambda each: each.strength)
        new = [key for key in reached if key not in found]
        cosines, nodes = self.index.similarities(vector, new), self.index.nodes_of(new)
        for key in new:
            if key in nodes and key in cosines:
                found[key] = noted(NodeWithScore(node=nodes[key], score=0.0), cosine=cosines[key])
                scores[key] = self._own(found[key], reached=True)
        top = max((scores[hit.node.node_id] for hit in hits), default=None)
        for key, link in reached.items():
            if key in found and top is not None:
                raised = max(scores[key], min(top, scores[key] + self.weight * link.strength))
                found[key] = noted(found[key], link=raised - scores[key], via=link.name)
                scores[key] = raised
        told = sorted(found, key=lambda key: -scores[key])
        self._tell(query, [found[key] for key in told[: self.top_k]])
        return [NodeWithScore(node=found[key].node, score=scores[key]) for key in told]

    def _own(self, hit: NodeWithScore, *, reached: bool = False) -> float:
        """A score on the scale of cosine similarity."""
        given = self.part.cosine_scale and not reached and hit.score is not None
        return hit.score or 0.0 if given else own_score(hit)

    def _links(
        self, query: Inquiry, vector: Sequence[float], hits: Sequence[NodeWithScore]
    ) -> tuple[dict[int, Link], dict[str, Link]]:
        """What the question and the best documents lead to: documents by their titles, passages by shared names."""
        documents: dict[int, Link] = {}
        self._follow([(0, query.query_str)], documents, 1.0)
        front = list(dict.fromkeys(hit.node.metadata["document_id"] for hit in hits))[: self.seeds]
        best = {hit.node.node_id: hit for hit in hits if hit.node.metadata["document_id"] in front}
        passages = self._shared(list(best.values()))
        been = set(front)
        for hop in range(self.hops):
            texts = self._read(vector, front, best if hop == 0 else {})
            new = self._follow(texts, documents, 1.0 / (hop + 1))
            front = sorted(new - been, key=lambda key: -documents[key].strength)[: 2 * self.seeds]
            been |= new
        return documents, passages

    def _follow(self, texts: Iterable[tuple[int, str]], documents: dict[int, Link], share: float) -> set[int]:
        """Note the documents whose titles stand in texts of others; those that are new, or tied more strongly."""
        graph = self.index.structure.graph
        new: set[int] = set()
        named = {
            (origin, name)
            for origin, text in texts
            for name in mentions(text, graph.titles, graph.first_units)
        }
        for origin, name in sorted(named):
            called = graph.titles[name]
            if origin in called:  # which speaks of itself
                continue
            strength = share * self._telling(name) / len(called)
            for document in called if strength > 0 else ():
                if strength > documents.get(document, Link(0.0)).strength:
                    documents[document] = Link(strength, name)
                    new.add(document)
        return new

    def _shared(self, hits: Sequence[NodeWithScore]) -> dict[str, Link]:
        """Passages that name what the given ones name, or the documents that these are of."""
        graph = self.index.structure.graph
        places = [(hit.node.metadata["document_id"], hit.node.node_id) for hit in hits]
        named = {name for own in graph.named(places).values() for name in own}
        called = {name for own in graph.titles_of([each for each, _ in places]).values() for name in own}
        links: dict[str, Link] = {}
        own = {document for document, _ in places}
        long = sorted(
            name for name in named | called if " " in name or (not name.isascii() and len(name) > 2)
        )
        for name, naming in graph.naming(long, most=SHARED_BY).items():
            strength = SHARED * self._telling(name) / len(naming)
            for document, node in naming:
                if document not in own and strength > links.get(node, Link(0.0)).strength:
                    links[node] = Link(strength, name)
        return _strongest(links)

    def _read(
        self, vector: Sequence[float], documents: Sequence[int], best: dict[str, NodeWithScore]
    ) -> list[tuple[int, str]]:
        """The passages of documents that are closest to the question, each with its document."""
        texts = [
            (hit.node.metadata["document_id"], hit.node.get_content(MetadataMode.NONE))
            for hit in best.values()
        ]
        wanted: list[str] = []
        for own in self.index.structure.leaves(documents).values():
            ids = own[:COMPARED]
            if len(ids) > READ:
                cosines = self.index.similarities(vector, ids)
                ids = sorted(cosines, key=lambda key: -cosines[key])[:READ]
            wanted += [key for key in ids if key not in best]
        nodes = self.index.nodes_of(wanted).values()
        return texts + [(node.metadata["document_id"], node.text) for node in nodes]

    def _best_of(self, vector: Sequence[float], documents: dict[int, Link]) -> dict[str, Link]:
        """The passage of each reached document that is closest to the question."""
        strongest = _strongest(documents)
        leaves = {key: own[:COMPARED] for key, own in self.index.structure.leaves(list(strongest)).items()}
        cosines = self.index.similarities(vector, [key for own in leaves.values() for key in own])
        found: dict[str, Link] = {}
        for document, own in leaves.items():
            held = [key for key in own if key in cosines]
            if held:
                found[max(held, key=cosines.__getitem__)] = strongest[document]
        return found

    def _telling(self, name: str) -> float:
        """How much a name tells, from 0 to 1, by how rare its words are."""
        mass = self.index.idf_mass(name)
        return mass / (mass + FAMILIAR) if mass > COMMON else 0.0

    def _tell(self, query: Inquiry, hits: Sequence[NodeWithScore]) -> None:
        """Note by which names the passages were reached that only the graph led to."""
        own = {hit.node.node_id for hit in query.found[self.part.name][: self.top_k]}
        via = [hit.node.metadata.get("via", "") for hit in hits if hit.node.node_id not in own]
        names = list(dict.fromkeys(name for name in via if name))
        if names:
            query.notes.append(f"{self.name}: {', '.join(names)}")


def _strongest(links: dict[Key, Link]) -> dict[Key, Link]:
    kept = sorted(links, key=lambda key: -links[key].strength)[:REACHED]
    return {key: links[key] for key in kept}

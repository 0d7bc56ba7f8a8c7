"""One question searched for in several texts, and what they find fused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import NodeWithScore

from pipelines.components.runtime.inquiry import Inquiry, Variant
from pipelines.components.runtime.retrievers import RANK_CONSTANT, Ranking
from pipelines.index import Index
from pipelines.text.language import language_of

SURE_OF_PART = 2
"""Passages that each part of a question brings into the context, whatever the fusion makes of them."""


def fused(retriever: BaseRetriever, inquiry: Inquiry) -> Sequence[NodeWithScore]:
    """What the question finds with what its variants find, by reciprocal rank (RAG-Fusion).

    Passages that a model made up only move the question's vector. As many passages are kept as the longest of the
    lists holds, or as the parts of the question need.
    """
    made_up = [variant.text for variant in inquiry.variants if variant.passage]
    if made_up and isinstance(retriever, Ranking):
        with inquiry.timed("embed variants"):
            inquiry.embedding = towards(retriever.index, inquiry, made_up)
    lists = [(inquiry.words or inquiry.query_str, list(retriever.retrieve(inquiry)))]
    others = [variant for variant in inquiry.variants if not variant.passage]
    if not others:
        return lists[0][1]
    with inquiry.timed("variants"):
        for variant in others:
            hits = list(retriever.retrieve(inquiry.beside(variant.text)))
            lists.append((variant.text, hits))
            _tell_part(inquiry, variant, hits)
        scores: dict[str, float] = {}
        for _, ranking in lists:
            for rank, hit in enumerate(ranking, 1):
                scores[hit.node.node_id] = scores.get(hit.node.node_id, 0.0) + 1 / (RANK_CONSTANT + rank)
        found = _noted_by_all(lists)
        if isinstance(retriever, Ranking):
            _compare(retriever.index, inquiry, found, {hit.node.node_id for hit in lists[0][1]})
    ranked = sorted(found, key=lambda key: -scores[key])
    best = {key: NodeWithScore(node=found[key].node, score=scores[key]) for key in ranked}
    inquiry.found[getattr(retriever, "name", "")] = list(best.values())
    return [best[key] for key in _kept(ranked, max(len(hits) for _, hits in lists), inquiry)]


def towards(index: Index, inquiry: Inquiry, passages: Sequence[str]) -> list[float]:
    """The mean of the question's vector and those of made-up passages, of length 1."""
    vectors = np.array([index.embed_question(inquiry.query_str), *index.embed_passages(passages)])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    mean = vectors.mean(axis=0)
    moved: list[float] = (mean / np.linalg.norm(mean)).tolist()
    return moved


def _tell_part(inquiry: Inquiry, variant: Variant, hits: Sequence[NodeWithScore]) -> None:
    for part in inquiry.parts:
        if variant.purpose == "decompose" and variant.text == part.question:
            part.nodes = tuple(hit.node.node_id for hit in hits)


def _noted_by_all(lists: Sequence[tuple[str, Sequence[NodeWithScore]]]) -> dict[str, NodeWithScore]:
    """Each passage once, as the question found it, with the best share of words and the language of those words."""
    found: dict[str, NodeWithScore] = {}
    for text, hits in lists:
        for hit in hits:
            known = found.get(hit.node.node_id)
            notes: dict[str, Any] = {}
            share = hit.node.metadata.get("share")
            if share is not None:
                notes["asked_in"] = language_of(text)
            if known is None:
                found[hit.node.node_id] = _noted(hit, notes)
                continue
            before = known.node.metadata
            if share is None or share <= before.get("share", 0.0):
                notes = {}
            else:
                notes |= {"share": share, "terms": hit.node.metadata.get("terms", [])}
            by = {**hit.node.metadata.get("by", {}), **before.get("by", {})}
            found[hit.node.node_id] = _noted(known, {**notes, "by": by})
    return found


def _compare(index: Index, inquiry: Inquiry, found: dict[str, NodeWithScore], own: set[str]) -> None:
    """Give what variants alone found its similarity with the question, by which all are judged later."""
    foreign = [key for key in found if key not in own and "cosine" in found[key].node.metadata]
    if inquiry.embedding is not None and foreign:
        for key, cosine in index.similarities(inquiry.embedding, foreign).items():
            found[key] = _noted(found[key], {"cosine": cosine})


def _noted(hit: NodeWithScore, notes: Mapping[str, Any]) -> NodeWithScore:
    # A copy: the index may hand out the same node to several questions at once.
    node = hit.node.model_copy(update={"metadata": {**hit.node.metadata, **notes}})
    return NodeWithScore(node=node, score=hit.score)


def _kept(ranked: Sequence[str], count: int, inquiry: Inquiry) -> list[str]:
    """The best by score, with the best of each part of the question among them."""
    sure = {key for part in inquiry.parts for key in part.nodes[:SURE_OF_PART]}
    rest = [key for key in ranked if key not in sure]
    chosen = sure | set(rest[: max(0, count - len(sure))])
    return [key for key in ranked if key in chosen]

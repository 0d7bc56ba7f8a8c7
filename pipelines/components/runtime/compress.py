"""Passages cut down to the sentences that bear on the question, still word for word."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from pipelines.components.runtime.consulting import DATA, block, consulted, room, tongue_of
from pipelines.components.runtime.fence import cut
from pipelines.components.runtime.indexed import Indexed
from pipelines.components.runtime.inquiry import Inquiry, asked
from pipelines.components.runtime.judgements import choice
from pipelines.components.runtime.pieces import Piece, pieces_of
from pipelines.text.outline import heading_within
from pipelines.words import Words

COMPARED = 120
"""Sentences that are embedded for one question, at most; passages behind them stay whole."""
WORDS_ADD = 0.2
"""What the question's words add to a sentence's cosine at most, as in a fusion of retrievers."""

_WHOLE = Words(
    "compress_llm: {count} of {all} passages stay whole: no choice was told",
    "compress_llm：{all} 个段落中有 {count} 个保持完整：模型没有选择",
)
_FORM = {
    "zh": "句子在 <sentences> 标签里，各有编号。只输出编号，用逗号分隔；一句都没有就只输出“无”。",
    "en": "The sentences stand in <sentences> tags, each with its number. Write the numbers only, separated by commas; "
    "if there is none, write NONE.",
}


class ByMeaning(Indexed):
    """Keeps the sentences closest to the question, by the embed model and by words."""

    keep: float

    def _postprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        inquiry = asked(query_bundle)
        held = [pieces_of(number, hit) for number, hit in enumerate(nodes)]
        compared = [piece for pieces in held for piece in pieces][:COMPARED]
        if len(compared) < 2 or not inquiry.query_str.strip():
            return nodes
        scores = self._scores(inquiry, compared)
        enough = sorted(scores, reverse=True)[math.ceil(self.keep * len(scores)) - 1]
        chosen: dict[int, list[Piece]] = {}
        for piece, score in zip(compared, scores, strict=True):
            if score >= enough:
                chosen.setdefault(piece.node, []).append(piece)
        # The last that was compared may have been compared in part.
        whole = {number for number, pieces in enumerate(held) if not pieces or pieces[-1] not in compared}
        return [
            hit if number in whole else shortened(hit, chosen[number])
            for number, hit in enumerate(nodes)
            if number in chosen or number in whole
        ]

    def _scores(self, inquiry: Inquiry, pieces: Sequence[Piece]) -> list[float]:
        texts = [f"{piece.lead}\n{piece.text}" if piece.lead else piece.text for piece in pieces]
        with self._index.pinned():
            analyser = self._index.analyser
            wanted = np.asarray(self._index.embed_question(inquiry.query_str))
            vectors = np.asarray(self._index.embed_passages(texts))
            terms = analyser.query_terms(inquiry.query_str)
            weights = {term: self._index.idf_mass(term) for term in terms}
        cosines = vectors @ wanted / (np.linalg.norm(vectors, axis=1) * np.linalg.norm(wanted))
        mass = sum(weights.values()) or 1.0
        shares = [
            sum(weights[term] for term in weights.keys() & analyser.index_terms(f"{piece.heading}\n{text}"))
            for piece, text in zip(pieces, texts, strict=True)
        ]
        return [
            float(cosine) + WORDS_ADD * share / mass for cosine, share in zip(cosines, shares, strict=True)
        ]


class ByLLM(BaseNodePostprocessor):
    """Keeps the sentences that the LLM names, in a call for each passage; a passage of which it names none goes."""

    instructions: dict[str, str]

    def _postprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        inquiry = asked(query_bundle)
        tongue = tongue_of(inquiry)
        system = "\n".join([self.instructions[tongue], _FORM[tongue], DATA[tongue]])
        question = block("question", inquiry.query_str)
        space = room(inquiry, "compress_llm", system, question)
        kept: list[NodeWithScore] = []
        whole = 0
        for number, hit in enumerate(nodes):
            pieces = pieces_of(number, hit)
            lines = [f"{place}. {' '.join(piece.text.split())}" for place, piece in enumerate(pieces, 1)]
            # Half of the room: the tags and another tokenizer may take more than is counted here.
            if not pieces or cut("\n".join(lines), space // 2) != "\n".join(lines):
                kept.append(hit)
                continue
            said = consulted(
                inquiry, "compress_llm", system, f"{block('sentences', chr(10).join(lines))}\n{question}"
            )
            if said is None:  # it would fail for the others too
                return [*kept, *nodes[number:]]
            named = choice(said, len(pieces))
            if named is None:
                whole += 1
                kept.append(hit)
            elif named:
                kept.append(shortened(hit, [pieces[place] for place in named]))
        if whole:
            inquiry.note(_WHOLE, count=whole, all=len(nodes))
        return kept


def shortened(hit: NodeWithScore, pieces: Sequence[Piece]) -> NodeWithScore:
    """A passage from the first to the last of some of its sentences, at its exact place in the document."""
    node, text = hit.node, hit.node.get_content()
    start, end = min(piece.start for piece in pieces), max(piece.end for piece in pieces)
    if not isinstance(node, TextNode) or (start == 0 and end == len(text)):
        return hit
    first = min(pieces, key=lambda piece: piece.start)
    place = {
        "heading": heading_within(str(node.metadata.get("heading") or ""), text, start),
        "table_header": first.lead,
    }
    offset = node.start_char_idx
    copy = node.model_copy(
        update={
            "text": text[start:end],
            "start_char_idx": None if offset is None else offset + start,
            "end_char_idx": None if offset is None else offset + end,
            "metadata": {**node.metadata, **place},
        }
    )
    return NodeWithScore(node=copy, score=hit.score)

"""The retrievers of a config, built over an index and asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipelines.components.retrievers import parts_of

if TYPE_CHECKING:
    from llama_index.core.base.base_retriever import BaseRetriever
    from llama_index.core.schema import NodeWithScore

    from pipelines.components.runtime.inquiry import Inquiry
    from pipelines.index import Index
    from pipelines.schema import PipelineSpec


def searched(retriever: BaseRetriever, inquiry: Inquiry) -> Sequence[NodeWithScore]:
    """What a retriever finds for a question; with variants, for all of them, fused by reciprocal rank."""
    if not inquiry.variants:
        return retriever.retrieve(inquiry)
    from pipelines.components.runtime.variants import fused

    return fused(retriever, inquiry)


def retrievers(spec: PipelineSpec, name: str, index: Index) -> dict[str, BaseRetriever]:
    """The retriever `name` and those it is made of, built, parts first."""
    from pipelines.components.runtime.retrievers import Ranking

    built: dict[str, BaseRetriever] = {}

    def build(wanted: str) -> None:
        if wanted not in built:
            retriever = spec.retrievers[wanted]
            for part in parts_of(retriever):
                build(part)
            built[wanted] = retriever.build(index=index, others=built, name=wanted)
            made = built[wanted]
            if (limits := retriever.filters and retriever.filters.wanted()) and isinstance(made, Ranking):
                made.filters = limits

    build(name)
    return built

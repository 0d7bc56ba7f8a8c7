"""LlamaIndex node parsers that give exact spans; imported late, since LlamaIndex is slow to import."""

from __future__ import annotations

import inspect
import logging
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.node_parser import HierarchicalNodeParser, NodeParser
from llama_index.core.node_parser.interface import TextSplitter
from llama_index.core.schema import (
    BaseNode,
    Document,
    MetadataMode,
    NodeRelationship,
    RelatedNodeInfo,
    TextNode,
)

from pipelines.errors import SearchaskError
from pipelines.text.outline import Outline
from pipelines.text.packing import Chunk, pack
from pipelines.text.sentences import sentence_spans, sentences
from pipelines.text.tokens import count_tokens, tokenize

_log = logging.getLogger(__name__)
_MISSES = 20
"""Pieces in a row that are not in the text, after which a parser is taken not to quote it."""


def make_node(document: BaseNode, text: str, start: int | None, number: int, **metadata: str) -> TextNode:
    """A node without its document's metadata, which would count as part of its text."""
    return TextNode(
        id_=f"{document.node_id}-{number}",
        text=text,
        start_char_idx=start,
        end_char_idx=None if start is None else start + len(text),
        metadata=metadata,
        excluded_embed_metadata_keys=list(metadata),
        excluded_llm_metadata_keys=list(metadata),
        relationships={
            NodeRelationship.SOURCE: document.source_node or RelatedNodeInfo(node_id=document.node_id)
        },
    )


class DocumentParser(NodeParser):
    """A parser that cuts one document at a time and knows where; the base class would search, and find wrong spans."""

    def _parse_nodes(
        self, nodes: Sequence[BaseNode], show_progress: bool = False, **kwargs: Any
    ) -> list[BaseNode]:
        return [node for document in nodes for node in self.cut(document)]

    def _postprocess_parsed_nodes(
        self, nodes: list[BaseNode], parent_doc_map: dict[str, Document]
    ) -> list[BaseNode]:
        return nodes

    @abstractmethod
    def cut(self, document: BaseNode) -> Iterator[TextNode]:
        """The nodes of one document."""


class ChunkParser(DocumentParser):
    """A parser whose nodes are chunks of the text and nothing more."""

    def cut(self, document: BaseNode) -> Iterator[TextNode]:
        text = document.get_content(MetadataMode.NONE)
        for number, chunk in enumerate(self.chunks(text, markdown=bool(document.metadata.get("markdown")))):
            yield make_node(document, text[chunk.start : chunk.end], chunk.start, number)

    @abstractmethod
    def chunks(self, text: str, *, markdown: bool) -> list[Chunk]:
        """Where the nodes of a text are."""


class Sentences(ChunkParser):
    """Whole sentences, packed up to a size."""

    chunk_size: int
    chunk_overlap: int

    def chunks(self, text: str, *, markdown: bool) -> list[Chunk]:
        return pack(text, self.chunk_size, self.chunk_overlap, markdown=markdown)


class Sections(ChunkParser):
    """What stands under each heading, cut further where it is too long."""

    chunk_size: int

    def chunks(self, text: str, *, markdown: bool) -> list[Chunk]:
        borders = Outline(text).headings
        headings = frozenset(borders)
        found: list[Chunk] = []
        start = above = 0
        for border in [*borders, len(text)]:
            # A heading with nothing below it stays with what follows.
            bare = above in headings and "\n" not in text[above:border].strip()
            if bare and border < len(text):
                above = border
                continue
            for first, last, tokens in pack(text[start:border], self.chunk_size, 0):
                found.append(Chunk(start + first, start + last, tokens))
            start = above = border
        return found


class SentenceWindows(DocumentParser):
    """One sentence a node, with its neighbours as `window` for whoever writes the answer."""

    window_size: int
    chunk_size: int

    def cut(self, document: BaseNode) -> Iterator[TextNode]:
        text = document.get_content(MetadataMode.NONE)
        sentences = [
            (start + first, start + last)
            for start, end in sentence_spans(text)
            for first, last, _ in pack(text[start:end], self.chunk_size, 0)
        ]
        for number, (start, end) in enumerate(sentences):
            before = sentences[max(0, number - self.window_size)][0]
            after = sentences[min(len(sentences) - 1, number + self.window_size)][1]
            sentence = text[start:end]
            yield make_node(
                document, sentence, start, number, window=text[before:after], original_text=sentence
            )


class Bounded(DocumentParser):
    """Another parser's pieces, found again in the text, and cut further where they are too long."""

    inner: NodeParser
    chunk_size: int
    quotes: bool = True
    """Whether the pieces are parts of the text, rather than written anew from it."""

    def cut(self, document: BaseNode) -> Iterator[TextNode]:
        text = document.get_content(MetadataMode.NONE)
        if not text.strip():
            return
        number, searched, misses = 0, 0, 0
        pieces = self._pieces(text)
        quotes = self.quotes or not pieces
        for piece in pieces or [text.strip()]:
            start = text.find(piece, searched) if quotes and misses < _MISSES else -1
            misses = 0 if start >= 0 else misses + 1
            searched = max(searched, start + 1)
            whole = count_tokens(piece) <= self.chunk_size
            parts = [Chunk(0, len(piece), None)] if whole else pack(piece, self.chunk_size, 0)
            for first, last, _ in parts:
                yield make_node(document, piece[first:last], start + first if start >= 0 else None, number)
                number += 1

    def _pieces(self, text: str) -> list[str]:
        try:
            if isinstance(self.inner, TextSplitter):
                pieces = self.inner.split_text(text)
            else:
                # A bare document: its metadata must not shrink the chunks.
                nodes = self.inner.get_nodes_from_documents([Document(text=text)])
                pieces = [node.get_content(MetadataMode.NONE) for node in nodes]
        except (ValueError, RecursionError) as error:
            # What is no JSON or no code of that language is still text.
            _log.info("%s can't cut a document: %s", type(self.inner).__name__, error)
            return []
        return [piece.strip() for piece in pieces if piece.strip()]


class Levels(HierarchicalNodeParser):
    """Chunks within larger chunks, each with its span in the document."""

    def get_nodes_from_documents(
        self, documents: Sequence[Document], show_progress: bool = False, **kwargs: Any
    ) -> list[BaseNode]:
        nodes = super().get_nodes_from_documents(documents, show_progress, **kwargs)
        starts: dict[str, int] = {}
        for node in nodes:
            if isinstance(node, TextNode):
                above = starts[node.parent_node.node_id] if node.parent_node else 0
                node.start_char_idx = starts[node.node_id] = above + (node.start_char_idx or 0)
                node.end_char_idx = node.start_char_idx + len(node.text)
        return nodes


def levels(chunk_sizes: Sequence[int], chunk_overlap: int) -> Levels:
    """A parser of chunks within larger chunks, the largest size first."""
    parsers: dict[str, NodeParser] = {
        str(size): Sentences(chunk_size=size, chunk_overlap=min(chunk_overlap, size - 1))
        for size in chunk_sizes
    }
    return Levels(node_parser_ids=list(parsers), node_parser_map=parsers)


def foreign(cls: type, args: dict[str, Any], embed_model: Callable[[], BaseEmbedding]) -> NodeParser:
    """A node parser of LlamaIndex, with our sentences and tokens where it takes such functions.

    Its own would reach for nltk and the network. Raises `SearchaskError` where class or arguments don't fit.
    """
    if not issubclass(cls, NodeParser):
        raise SearchaskError(f"class {cls.__module__}.{cls.__name__} is no node parser")
    make = getattr(cls, "from_defaults", cls)
    known = inspect.signature(make).parameters
    ours = {"chunking_tokenizer_fn": sentences, "sentence_splitter": sentences, "tokenizer": tokenize}
    given = {name: value for name, value in ours.items() if name in known} | args
    if "embed_model" in known and "embed_model" not in given:
        given["embed_model"] = embed_model()
    try:
        parser: NodeParser = make(**given)
    except (TypeError, ValueError, ImportError) as error:
        raise SearchaskError(f"class {cls.__module__}.{cls.__name__}: {error}") from None
    return parser

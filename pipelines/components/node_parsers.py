"""How a document's text is cut into chunks: `node_parser:`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator
from pydantic_core import PydanticCustomError

from pipelines.errors import SearchaskError
from pipelines.extras import llama_index_class, require
from pipelines.spec import Spec

if TYPE_CHECKING:
    from llama_index.core.base.embeddings.base import BaseEmbedding
    from llama_index.core.node_parser import NodeParser as LlamaNodeParser

    EmbedModelSource = Callable[[], BaseEmbedding]

ChunkSize = Annotated[int, Field(ge=16)]


def _below(overlap: int, size: int) -> None:
    if overlap >= size:
        raise PydanticCustomError(
            "chunk_overlap",
            "chunk_overlap ({overlap}) must be below chunk_size ({size})",
            {"overlap": overlap, "size": size},
        )


class SentenceParser(Spec):
    """Cut at sentence ends, packing whole sentences up to a size; right for Chinese, English and both mixed."""

    type: Literal["sentence"]
    chunk_size: ChunkSize = 256
    """Tokens in a chunk, at most."""
    chunk_overlap: NonNegativeInt = 32
    """Tokens at the end of a chunk that the next one repeats, at most: whole sentences, or else clauses."""

    @model_validator(mode="after")
    def _check(self) -> SentenceParser:
        _below(self.chunk_overlap, self.chunk_size)
        return self

    def build(self, *, embed_model: EmbedModelSource) -> LlamaNodeParser:
        """The parser; the embed model is not used."""
        from pipelines.text.nodes import Sentences

        return Sentences(chunk_size=self.chunk_size, chunk_overlap=self.chunk_overlap)


class MarkdownParser(Spec):
    """Cut at Markdown headings: what stands under one heading is one chunk, or several where it is long."""

    type: Literal["markdown"]
    chunk_size: ChunkSize = 512
    """Tokens in a chunk, at most."""

    def build(self, *, embed_model: EmbedModelSource) -> LlamaNodeParser:
        """The parser; the embed model is not used."""
        from pipelines.text.nodes import Sections

        return Sections(chunk_size=self.chunk_size)


class HTMLParser(Spec):
    """Cut HTML source by its tags; loaders turn HTML into Markdown, so this is for those that leave it."""

    type: Literal["html"]
    tags: list[str] = Field(
        default="title p h1 h2 h3 h4 h5 h6 li dt dd td th pre blockquote figcaption b i u section".split(),
        min_length=1,
    )
    """Tags whose text is kept; neighbours of the same tag are one chunk."""
    chunk_size: ChunkSize = 512
    """Tokens in a chunk, at most."""

    def build(self, *, embed_model: EmbedModelSource) -> LlamaNodeParser:
        """LlamaIndex's `HTMLNodeParser`; the embed model is not used."""
        from llama_index.core.node_parser import HTMLNodeParser

        from pipelines.text.nodes import Bounded

        return Bounded(inner=HTMLNodeParser(tags=self.tags), chunk_size=self.chunk_size, quotes=False)


class CodeParser(Spec):
    """Cut source code at the borders of its syntax tree; a file that does not parse is cut at its lines."""

    type: Literal["code"]
    language: str
    """The programming language, as tree-sitter names it: python, typescript, go, …"""
    chunk_size: ChunkSize = 512
    """Tokens in a chunk, at most."""

    def build(self, *, embed_model: EmbedModelSource) -> LlamaNodeParser:
        """LlamaIndex's `CodeSplitter`; raises `MissingExtra`, or `SearchaskError` for an unknown language."""
        grammars = require("tree_sitter_language_pack", extra="code", what="node_parser type `code`")
        from llama_index.core.node_parser import CodeSplitter

        from pipelines.text.nodes import Bounded
        from pipelines.text.tokens import tokenize

        try:
            grammar = grammars.get_parser(self.language)
        except LookupError:
            raise SearchaskError(
                f"node_parser: language {self.language!r} is unknown to tree-sitter; such as python, java, go"
            ) from None
        # Counted in characters, about three to a token: counting tokens takes minutes on one long string.
        inner = CodeSplitter(
            language=self.language, max_chars=3 * self.chunk_size, parser=grammar, tokenizer=tokenize
        )
        return Bounded(inner=inner, chunk_size=self.chunk_size)


class JSONParser(Spec):
    """One chunk for each object of a JSON list, written as lines of `keys value`."""

    type: Literal["json"]
    chunk_size: ChunkSize = 512
    """Tokens in a chunk, at most."""

    def build(self, *, embed_model: EmbedModelSource) -> LlamaNodeParser:
        """LlamaIndex's `JSONNodeParser`; the embed model is not used."""
        from llama_index.core.node_parser import JSONNodeParser

        from pipelines.text.nodes import Bounded

        return Bounded(inner=JSONNodeParser(), chunk_size=self.chunk_size, quotes=False)


class TokenParser(Spec):
    """Cut after so many tokens, at white space, wherever sentences end."""

    type: Literal["token"]
    chunk_size: ChunkSize = 256
    """Tokens in a chunk, at most."""
    chunk_overlap: NonNegativeInt = 32
    """Tokens that neighbours share, at most."""

    @model_validator(mode="after")
    def _check(self) -> TokenParser:
        _below(self.chunk_overlap, self.chunk_size)
        return self

    def build(self, *, embed_model: EmbedModelSource) -> LlamaNodeParser:
        """LlamaIndex's `TokenTextSplitter`; the embed model is not used."""
        from llama_index.core.node_parser import TokenTextSplitter

        from pipelines.text.nodes import Bounded
        from pipelines.text.tokens import tokenize

        inner = TokenTextSplitter(
            chunk_size=self.chunk_size, chunk_overlap=self.chunk_overlap, tokenizer=tokenize
        )
        return Bounded(inner=inner, chunk_size=self.chunk_size)


class SemanticParser(Spec):
    """Cut where the meaning changes from one sentence to the next; embeds every sentence to find out."""

    type: Literal["semantic"]
    buffer_size: PositiveInt = 1
    """Sentences on each side that are compared together with a sentence."""
    breakpoint_percentile: Annotated[int, Field(ge=1, le=99)] = 95
    """How unlike neighbours must be, among those of the document; lower cuts more often."""
    chunk_size: ChunkSize = 512
    """Tokens in a chunk, at most."""

    def build(self, *, embed_model: EmbedModelSource) -> LlamaNodeParser:
        """LlamaIndex's `SemanticSplitterNodeParser` with the config's embed model."""
        from llama_index.core.node_parser import SemanticSplitterNodeParser

        from pipelines.text.nodes import Bounded
        from pipelines.text.sentences import sentences

        inner = SemanticSplitterNodeParser(
            embed_model=embed_model(),
            sentence_splitter=sentences,
            buffer_size=self.buffer_size,
            breakpoint_percentile_threshold=self.breakpoint_percentile,
        )
        return Bounded(inner=inner, chunk_size=self.chunk_size)


class SentenceWindowParser(Spec):
    """One sentence a chunk; the catalog keeps its neighbours beside it."""

    type: Literal["sentence_window"]
    window_size: PositiveInt = 3
    """Sentences on each side."""
    chunk_size: ChunkSize = 256
    """Tokens in a chunk, at most; only a longer sentence is cut."""

    def build(self, *, embed_model: EmbedModelSource) -> LlamaNodeParser:
        """The parser; the embed model is not used."""
        from pipelines.text.nodes import SentenceWindows

        return SentenceWindows(window_size=self.window_size, chunk_size=self.chunk_size)


class HierarchicalParser(Spec):
    """Small chunks within larger ones: the smallest are searched, the catalog keeps those that hold them."""

    type: Literal["hierarchical"]
    chunk_sizes: Annotated[list[ChunkSize], Field(min_length=2)] = Field(default=[1024, 512, 128])
    """Tokens in a chunk of each level, at most; the largest first."""
    chunk_overlap: NonNegativeInt = 20
    """Tokens that neighbours of one level share, at most."""

    @model_validator(mode="after")
    def _check(self) -> HierarchicalParser:
        if any(small >= large for large, small in zip(self.chunk_sizes, self.chunk_sizes[1:], strict=False)):
            raise PydanticCustomError("chunk_sizes", "chunk_sizes must go down, such as [1024, 512, 128]")
        _below(self.chunk_overlap, self.chunk_sizes[-1])
        return self

    def build(self, *, embed_model: EmbedModelSource) -> LlamaNodeParser:
        """LlamaIndex's `HierarchicalNodeParser`; the embed model is not used."""
        from pipelines.text.nodes import levels

        return levels(self.chunk_sizes, self.chunk_overlap)


class LlamaIndexParser(Spec):
    """Any other node parser of LlamaIndex."""

    type: Literal["llama_index"]
    class_: str = Field(alias="class")
    """Its dotted path, under `llama_index.`."""
    args: dict[str, Any] = Field(default_factory=dict)
    """Its keyword arguments."""
    chunk_size: ChunkSize = 2048
    """Tokens in a chunk, at most; only what the parser leaves longer is cut further."""

    def build(self, *, embed_model: EmbedModelSource) -> LlamaNodeParser:
        """The parser; what it needs and `args` leave out (sentences, tokens, embed model) is ours."""
        from pipelines.text.nodes import Bounded, foreign

        inner = foreign(llama_index_class(self.class_), self.args, embed_model)
        return Bounded(inner=inner, chunk_size=self.chunk_size)


NodeParser = Annotated[
    SentenceParser
    | MarkdownParser
    | HTMLParser
    | CodeParser
    | JSONParser
    | TokenParser
    | SemanticParser
    | SentenceWindowParser
    | HierarchicalParser
    | LlamaIndexParser,
    Field(discriminator="type"),
]

"""`question`: what is done to a question before passages are looked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Protocol

from pydantic import Field

from pipelines.spec import Spec

if TYPE_CHECKING:
    from llama_index.core.schema import NodeWithScore

    from pipelines.components.runtime.inquiry import Inquiry
    from pipelines.index import Index

Wording = Annotated[str, Field(min_length=1)]


class Transform(Protocol):
    """Changes what is searched for."""

    def apply(self, inquiry: Inquiry) -> None:
        """Set `query_str`, `variants`, `parts` or `words` of the inquiry; what fails leaves it, with a note."""

    def read(self, inquiry: Inquiry, nodes: Sequence[NodeWithScore]) -> None:
        """What there is to do once passages are found, before an LLM writes from them; mostly nothing."""


class CondenseWording(Spec):
    """What the LLM is told; the chat and the form of its answer are added."""

    zh: Wording = (
        "用户在一段对话之后追问。把追问改写成不看对话也能懂的一个完整问题：补上代词和省略的内容，"
        "不改变意思，语言与追问相同。追问本来就完整时，原样照抄。"
    )
    """For questions in Chinese."""
    en: Wording = (
        "After a conversation the user asks a follow-up question. Rewrite it as one question that can be "
        "understood without the conversation: put in what pronouns stand for and what is left out, change "
        "nothing of its meaning, and keep its language. If it is complete as it is, copy it."
    )
    """For questions in any other language."""


class Condense(Spec):
    """In a chat, rewrite a follow-up question so that it stands on its own; the first question stays as it is."""

    type: Literal["condense"]
    turns: int = Field(default=6, ge=1, le=50)
    """Exchanges of the chat that are looked back on, at most."""
    instructions: CondenseWording = CondenseWording()
    """What the LLM is told, in each language."""

    needs_llm: ClassVar[bool] = True

    def build(self, *, index: Index) -> Transform:
        """The transform."""
        from pipelines.components.runtime.questions import Condensation

        return Condensation(self.instructions.model_dump(), self.turns)


class TranslateWording(Spec):
    """What the LLM is told."""

    zh: Wording = "把用户的问题翻译成英文，用于检索。"
    """For questions in Chinese."""
    en: Wording = "Translate the user's question into Chinese, to search with."
    """For questions in any other language."""


class Translate(Spec):
    """Search in the other language as well: a Chinese question over English documents, and the other way round."""

    type: Literal["translate"]
    instructions: TranslateWording = TranslateWording()
    """What the LLM is told, in each language."""

    needs_llm: ClassVar[bool] = True

    def build(self, *, index: Index) -> Transform:
        """The transform."""
        from pipelines.components.runtime.questions import Translation

        return Translation(self.instructions.model_dump())


class KeywordsWording(Spec):
    """What the LLM is told."""

    zh: Wording = "列出检索用户问题所需的关键词，用空格分隔，最多八个。"
    """For questions in Chinese."""
    en: Wording = (
        "List the keywords to search for to answer the user's question, at most eight, separated by spaces."
    )
    """For questions in any other language."""


class Keywords(Spec):
    """Have the LLM name the words that a keyword search should look for."""

    type: Literal["keywords"]
    instructions: KeywordsWording = KeywordsWording()
    """What the LLM is told, in each language."""

    needs_llm: ClassVar[bool] = True

    def build(self, *, index: Index) -> Transform:
        """The transform."""
        from pipelines.components.runtime.questions import KeywordsOf

        return KeywordsOf(self.instructions.model_dump())


class HydeWording(Spec):
    """What the LLM is told."""

    zh: Wording = (
        "假想有一份文档能回答用户的问题。写出其中给出答案的那一段，三四句话，"
        "语气和用词都像文档原文，语言与问题相同。"
    )
    """For questions in Chinese."""
    en: Wording = (
        "Imagine a document that answers the user's question. Write the passage of it that gives the answer: three or "
        "four sentences, in the tone and the words of such a document, in the language of the question."
    )
    """For questions in any other language."""


class Hyde(Spec):
    """Have the LLM make up a passage that would answer, and search near it and the question (HyDE)."""

    type: Literal["hyde"]
    instructions: HydeWording = HydeWording()
    """What the LLM is told, in each language."""

    needs_llm: ClassVar[bool] = True

    def build(self, *, index: Index) -> Transform:
        """The transform."""
        from pipelines.components.runtime.questions import Hypothesis

        return Hypothesis(self.instructions.model_dump())


class MultiQueryWording(Spec):
    """What the LLM is told; how many, and the form of its answer, are added."""

    zh: Wording = "用不同的说法改写用户的问题，用于检索：换用同义词、文档里可能的用语，意思和语言不变。"
    """For questions in Chinese."""
    en: Wording = (
        "Rewrite the user's question in different ways, to search with: use synonyms and the words that documents may "
        "use; keep its meaning and its language."
    )
    """For questions in any other language."""


class MultiQuery(Spec):
    """Search for the question in several wordings and fuse what they find by reciprocal rank.

    The question itself is always among them. Scores become those of the fusion, at most 1/61 for each wording.
    """

    type: Literal["multi_query"]
    count: int = Field(default=3, ge=1, le=10)
    """Wordings beside the question itself."""
    instructions: MultiQueryWording = MultiQueryWording()
    """What the LLM is told, in each language."""

    needs_llm: ClassVar[bool] = True

    def build(self, *, index: Index) -> Transform:
        """The transform."""
        from pipelines.components.runtime.questions import Wordings

        return Wordings(self.instructions.model_dump(), self.count)


class DecomposeWording(Spec):
    """What the LLM is told; how many, and the form of its answer, are added."""

    zh: Wording = (
        "把用户的问题拆成几个可以分别检索和回答的小问题。每个小问题单独看也要完整，语言与原问题相同。"
        "如果它本来就只问一件事，原样照抄。"
    )
    """For questions in Chinese."""
    en: Wording = (
        "Take the user's question apart into simpler questions that can be looked up and answered one by one. "
        "Each must be complete by itself and in the language of the question. If it asks one thing only, copy it."
    )
    """For questions in any other language."""


class Decompose(Spec):
    """Take a question apart, find passages for each part, answer the parts one by one, then all together."""

    type: Literal["decompose"]
    count: int = Field(default=4, ge=2, le=8)
    """Parts, at most."""
    sub_answers: bool = True
    """Whether the LLM answers each part first, a call each; the final answer sees the parts in any case."""
    instructions: DecomposeWording = DecomposeWording()
    """What the LLM is told, in each language."""

    needs_llm: ClassVar[bool] = True

    def build(self, *, index: Index) -> Transform:
        """The transform."""
        from pipelines.components.runtime.questions import Decomposition

        return Decomposition(self.instructions.model_dump(), self.count, sub_answers=self.sub_answers)


Question = Annotated[
    Condense | Translate | Keywords | Hyde | MultiQuery | Decompose, Field(discriminator="type")
]
"""What an LLM makes of a question; where its answer is of no use, the question goes on without it."""

"""What an LLM makes of a question before passages are looked for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

from llama_index.core.schema import NodeWithScore

from pipelines.components.runtime.consulting import DATA, block, consulted, room, tongue_of
from pipelines.components.runtime.fence import NO_ANSWER, fenced
from pipelines.components.runtime.inquiry import Exchange, Inquiry, Part, Variant
from pipelines.components.runtime.replies import LONGEST, items, one_line, prose
from pipelines.text.language import language_of
from pipelines.words import Words

LONGEST_TURN = 800
"""Characters of a question or an answer of the chat that the LLM is shown."""
LONGEST_SUB_ANSWER = 400
"""Characters of the answer to a part of a question."""
READ_FOR_PART = 4
"""Passages that are read for a part of a question, at most."""
PASSAGE_TOKENS = 400
"""Tokens of each of them."""


class Step(ABC):
    """A transform that asks the LLM once; where that fails the question stays as it is."""

    purpose: ClassVar[str]
    form: ClassVar[Mapping[str, str]]
    """What the LLM is told of the form of its answer, by language; `{count}` is filled in."""
    nothing: ClassVar[Words]
    """What is noted where the LLM wrote nothing of use."""

    def __init__(self, instructions: Mapping[str, str], count: int = 0) -> None:
        """`instructions` by language: `zh` and `en`; `count` is how many texts are asked for."""
        self.instructions, self.count = instructions, count

    def apply(self, inquiry: Inquiry) -> None:
        """Ask, and take what is of use."""
        said = self.said(inquiry)
        if said is not None and not self.take(inquiry, said):
            inquiry.note(self.nothing)

    @abstractmethod
    def take(self, inquiry: Inquiry, said: str) -> bool:
        """Make of what the LLM said what is searched for; whether it was of use."""

    def read(self, inquiry: Inquiry, nodes: Sequence[NodeWithScore]) -> None:  # noqa: B027 - most do nothing
        """Nothing."""

    def shown(self, inquiry: Inquiry) -> tuple[str, ...]:
        """What the LLM is shown before the question."""
        return ()

    def said(self, inquiry: Inquiry) -> str | None:
        """What the LLM makes of a question; None with a note where it fails."""
        tongue = tongue_of(inquiry)
        form = self.form[tongue].replace("{count}", str(self.count))
        system = "\n".join([self.instructions[tongue], form, DATA[tongue]])
        user = "\n".join([*self.shown(inquiry), block("question", inquiry.query_str)])
        return consulted(inquiry, self.purpose, system, user)


class Condensation(Step):
    """Puts into a follow-up question what it takes from the chat."""

    purpose = "condense"
    form: ClassVar = {
        "zh": "对话在 <conversation> 标签里，追问在 <question> 标签里。只输出改写后的问题，不要回答它。",
        "en": "The conversation stands in <conversation> tags, the follow-up in <question> tags. "
        "Write the rewritten question only; do not answer it.",
    }
    nothing = Words(
        "condense: the model wrote no question that stands on its own",
        "condense：模型没有写出可独立理解的问题",
    )

    def __init__(self, instructions: Mapping[str, str], turns: int) -> None:
        super().__init__(instructions)
        self.turns = turns

    def apply(self, inquiry: Inquiry) -> None:
        """Rewrite the question, where there is a chat and the LLM does it well."""
        if inquiry.history:
            super().apply(inquiry)

    def shown(self, inquiry: Inquiry) -> tuple[str, ...]:
        """The last turns of the chat."""
        turns = [_turn(each) for each in inquiry.history[-self.turns :]]
        return (block("conversation", "\n\n".join(turns)),)

    def take(self, inquiry: Inquiry, said: str) -> bool:
        """The question in its new words."""
        text = one_line(said)
        # A code or a name alone may be asked for in the language of the chat before it.
        tongues = {language_of(inquiry.query_str), language_of(inquiry.history[-1].question)}
        if not text or len(text) >= LONGEST or language_of(text) not in tongues:
            return False
        inquiry.query_str, inquiry.embedding = text, None
        return True


def _turn(exchange: Exchange) -> str:
    asked, answered = (" ".join(text.split())[:LONGEST_TURN] for text in (exchange.question, exchange.answer))
    return f"Q: {asked}\nA: {answered}"


class Translation(Step):
    """Adds the question in the other language."""

    purpose = "translate"
    form: ClassVar = {
        "zh": "只输出译文，不要回答问题。",
        "en": "Write the translation only; do not answer the question.",
    }
    nothing = Words(
        "translate: the model wrote no translation to search for", "translate：模型没有写出可检索的译文"
    )

    def take(self, inquiry: Inquiry, said: str) -> bool:
        """One variant more."""
        text = one_line(said)
        if not text or language_of(text) == language_of(inquiry.query_str):
            return False
        inquiry.variants.append(Variant(text, self.purpose))
        return True


class KeywordsOf(Step):
    """Sets what keyword retrievers look for."""

    purpose = "keywords"
    form: ClassVar = {
        "zh": "只输出关键词，不要回答问题。",
        "en": "Write the keywords only; do not answer the question.",
    }
    nothing = Words("keywords: the model named none", "keywords：模型没有给出关键词")
    most = 8

    def take(self, inquiry: Inquiry, said: str) -> bool:
        """The question's own words stay where the model names none."""
        words = " ".join(items(said, self.most))[:LONGEST].strip()
        inquiry.words = words or inquiry.words
        return bool(words)


class Hypothesis(Step):
    """Adds a passage that would answer the question, to search near it."""

    purpose = "hyde"
    form: ClassVar = {"zh": "只输出这一段。", "en": "Write the passage only."}
    nothing = Words("hyde: the model wrote no passage", "hyde：模型没有写出段落")

    def take(self, inquiry: Inquiry, said: str) -> bool:
        """One variant more that is embedded as a passage; words are looked for as in the question."""
        text = prose(said)
        if text:
            inquiry.variants.append(Variant(text, self.purpose, passage=True))
        return bool(text)


class Wordings(Step):
    """Adds the question in other words."""

    purpose = "multi_query"
    form: ClassVar = {
        "zh": "写 {count} 个，每行一个，不要编号，不要回答问题。",
        "en": "Write {count}, each on a line of its own, without numbers; do not answer them.",
    }
    nothing = Words("multi_query: the model wrote no other wording", "multi_query：模型没有写出其他问法")

    def take(self, inquiry: Inquiry, said: str) -> bool:
        """As many variants as asked for, none twice, and none that is there already."""
        known = [inquiry.query_str, *(variant.text for variant in inquiry.variants)]
        found = items(said, self.count, beside=known)
        inquiry.variants += [Variant(text, self.purpose) for text in found]
        return bool(found)


class Decomposition(Step):
    """Adds the questions that a question is made of, and answers them one by one."""

    purpose = "decompose"
    form: ClassVar = {
        "zh": "最多 {count} 个，每行一个，不要编号，不要回答问题。",
        "en": "At most {count}, each on a line of its own, without numbers; do not answer them.",
    }
    nothing = Words("decompose: the model wrote no questions", "decompose：模型没有写出问题")

    def __init__(self, instructions: Mapping[str, str], count: int, *, sub_answers: bool) -> None:
        super().__init__(instructions, count)
        self.sub_answers = sub_answers

    def take(self, inquiry: Inquiry, said: str) -> bool:
        """Search for each part as well; one part alone is the question itself in other words."""
        found = items(said, self.count, beside=[inquiry.query_str])
        if len(found) > 1:
            inquiry.parts = [Part(text) for text in found]
            inquiry.variants += [Variant(text, self.purpose) for text in found]
        return bool(items(said, 1))

    def read(self, inquiry: Inquiry, nodes: Sequence[NodeWithScore]) -> None:
        """Answer each part from the passages that were found for it."""
        if not self.sub_answers:
            return
        tongue = "zh" if inquiry.language == "zh" else "en"
        system = f"{_SUB_ANSWER[tongue]}\n{DATA[tongue]}"
        for part in inquiry.parts:
            own = [hit for hit in nodes if hit.node.node_id in part.nodes][:READ_FOR_PART]
            if not own:
                continue
            asked = block("question", part.question)
            size = min(PASSAGE_TOKENS, room(inquiry, "sub-answer", system, asked) // len(own))
            passages = [fenced(number, hit, size) for number, hit in enumerate(own, 1)]
            said = consulted(inquiry, "sub-answer", system, "\n\n".join([*passages, asked]))
            if said is None:
                return
            text = "" if NO_ANSWER in said else prose(said, LONGEST_SUB_ANSWER)
            part.answer = text or _NOT_FOUND[tongue]


_SUB_ANSWER = {
    "zh": "根据 <passage> 标签里的资料，用一两句话回答 <question> 标签里的问题，只用资料里写明的内容。"
    f"资料里没有答案时，只回复 {NO_ANSWER}。",
    "en": "Answer the question in <question> tags in one or two sentences, from the passages in <passage> tags only. "
    f"If they do not hold the answer, reply with {NO_ANSWER} only.",
}
_NOT_FOUND = {"zh": "资料里没有找到", "en": "not found in the passages"}

"""An LLM as judge of answers: it is asked yes or no, and what is neither counts as neither."""

from __future__ import annotations

import asyncio
import hashlib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pipelines.errors import SearchaskError
from pipelines.evaluation.outcomes import Judgement, Outcome, Passage
from pipelines.evaluation.questions import Question

if TYPE_CHECKING:
    from llama_index.core.prompts import BasePromptTemplate

    from pipelines.models.counted import CountedLLM

PURPOSE = "judge"
"""What the purpose of each of its calls begins with."""
KEPT = 300
"""Characters of a reply that are kept."""
LONGEST = 8_000
"""Characters of an answer that are judged."""

RULES = {
    "grounded": {
        "en": "You check whether an answer is supported by passages. Reply YES if the passages say everything that "
        "the answer states, in whatever words. Reply NO if the answer states anything that they do not say, however "
        "true it may be. Reply with YES or NO only.",
        "zh": "你检查一个回答是否有资料支持。如果回答所说的一切资料里都有（措辞可以不同），回复“是”；"
        "只要回答说了资料里没有的内容，无论它是否属实，都回复“否”。只回复“是”或“否”。",
    },
    "relevant": {
        "en": "You check whether an answer answers its question. Reply YES if it gives what was asked for, whether or "
        "not it is true. Reply NO if it speaks of something else, avoids the question, or answers only a part of it. "
        "Reply with YES or NO only.",
        "zh": "你检查一个回答是否回答了问题。如果它给出了所问的内容（不论是否属实），回复“是”；"
        "如果答非所问、回避问题或只回答了一部分，回复“否”。只回复“是”或“否”。",
    },
}
ASKED = {
    "grounded": {
        "en": "{passages}\n\n{query}\n\n{response}\n\n"
        "Do the passages say everything that the answer states? YES or NO:",
        "zh": "{passages}\n\n{query}\n\n{response}\n\n回答所说的一切资料里都有吗？是或否：",
    },
    "relevant": {
        "en": "{query}\n\n{response}\n\nDoes the answer answer the question? YES or NO:",
        "zh": "{query}\n\n{response}\n\n回答是否回答了问题？是或否：",
    },
}

_WORDS = {
    **dict.fromkeys(("yes", "是", "是的"), True),
    **dict.fromkeys(("no", "否", "不是"), False),
}
_WORD = r"(?:yes|no|是的|不是|是|否)"
_FIRST = re.compile(rf"\W*({_WORD})(?!\w)(?:\W*(?:and|or|but|和|或者?|但|也)?\W*({_WORD})(?!\w))?")
_PARTS = re.compile(r"[\n.。!！?？,，;；:：]+")
_OUTSIDE = re.compile(r"^[\W_]+|[\W_]+$")


class Judge:
    """Judges answers by LlamaIndex's AnswerRelevancyEvaluator, which asks, reads and knows of replies without sense.

    Its FaithfulnessEvaluator and RelevancyEvaluator can't be used: they index the passages by the global Settings,
    and take every reply with the letters `yes` in it for a pass and any other for a fail.
    """

    def __init__(self, llm: CountedLLM) -> None:
        """`llm` counts the calls, and is made for one answer."""
        self._llm = llm

    def judge(self, question: Question, outcome: Outcome, language: str) -> dict[str, Judgement]:
        """All that it says of an answer, by name, as `judgements` gives it."""
        return dict(self.judgements(question, outcome, language))

    def judgements(
        self, question: Question, outcome: Outcome, language: str
    ) -> Iterator[tuple[str, Judgement]]:
        """What it says of an answer: `grounded` and `relevant`, or nothing where there is no answer to judge.

        An answer that was written from no passages is not judged for being grounded. `language` is that of the
        prompts. Raises EndpointError.
        """
        from pipelines.components.runtime.consulting import block
        from pipelines.components.runtime.fence import unfenced

        said = outcome.plain.strip()[:LONGEST]
        if outcome.outcome not in ("answered", "from_model") or not said:
            return
        from_passages = outcome.outcome == "answered"
        read = [each for each in outcome.passages if from_passages and each.read and each.text.strip()]
        tongue = "zh" if language == "zh" else "en"
        # The same for the same answer, so that a verdict can be had again; no text can hold its own digest.
        whole = "\0".join([question.text, said, *(each.text for each in read)]).encode("utf-8", "replace")
        mark = hashlib.blake2b(whole, digest_size=3).hexdigest()
        asked = block(f"question-{mark}", unfenced(question.text)), block(f"answer-{mark}", unfenced(said))
        if read:
            prompt = "".join([RULES["grounded"][tongue], ASKED["grounded"][tongue], *asked])
            template = self._template("grounded", tongue, passages=self._shown(read, prompt, mark))
            yield "grounded", self._asked("grounded", template, *asked)
        yield "relevant", self._asked("relevant", self._template("relevant", tongue), *asked)

    def _shown(self, read: Sequence[Passage], prompt: str, mark: str) -> str:
        """As many of the passages as fit beside the prompt, fenced."""
        from llama_index.core.schema import NodeWithScore, TextNode

        from pipelines.components.runtime.consulting import RESERVED
        from pipelines.components.runtime.fence import fitting

        # Cited passages first: where not all fit, the answer rests on these.
        read = sorted(read, key=lambda passage: (passage.fate != "cited", passage.rank))
        nodes = [
            NodeWithScore(
                node=TextNode(text=each.text, metadata={"document": each.document, "heading": each.heading})
            )
            for each in read
        ]
        room = self._llm.room(RESERVED, prompt)
        return "\n\n".join(fitting(nodes, room, mark).values())

    def _template(self, what: str, tongue: str, **values: str) -> BasePromptTemplate:
        from llama_index.core.llms import ChatMessage
        from llama_index.core.prompts import ChatPromptTemplate

        from pipelines.components.runtime.consulting import DATA

        rules = f"{RULES[what][tongue]}\n{DATA[tongue]}"
        messages = [
            ChatMessage(role="system", content="{rules}"),
            ChatMessage(role="user", content=ASKED[what][tongue]),
        ]
        return ChatPromptTemplate(messages).partial_format(rules=rules, **values)

    def _asked(self, what: str, template: BasePromptTemplate, question: str, answer: str) -> Judgement:
        from llama_index.core.evaluation import AnswerRelevancyEvaluator

        evaluator = AnswerRelevancyEvaluator(
            llm=self._llm, eval_template=template, score_threshold=1.0, parser_function=_parsed
        )
        try:
            with self._llm.used_for(f"{PURPOSE} {what}"):
                result = asyncio.run(evaluator.aevaluate(query=question, response=answer))
        except SearchaskError:
            raise
        except Exception as error:  # client libraries raise what they like
            raise self._llm.failure(error) from None
        verdict = None if result.invalid_result else bool(result.score)
        return Judgement(verdict=verdict, reply=_shortened(result.feedback or ""))


def verdict_of(reply: str) -> bool | None:
    """Yes or no, from the first word of a reply or from a line or clause that is nothing else; None for both or none.

    What a reasoning model tells itself before its reply is not read.
    """
    from pipelines.components.runtime.replies import without_thinking

    text = unicodedata.normalize("NFKC", without_thinking(reply)).casefold().replace("_", " ")
    words = [word for word in (_OUTSIDE.sub("", part) for part in _PARTS.split(text)) if word in _WORDS]
    if first := _FIRST.match(text):
        words += [word for word in first.groups() if word]
    said = {_WORDS[word] for word in words}
    return said.pop() if len(said) == 1 else None


def _parsed(reply: str) -> tuple[float | None, str | None]:
    """A score for LlamaIndex's evaluator; both None for a reply without sense."""
    verdict = verdict_of(reply)
    return (None, None) if verdict is None else (float(verdict), reply)


def _shortened(reply: str) -> str:
    text = reply.strip().encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= KEPT else text[:KEPT] + "…"

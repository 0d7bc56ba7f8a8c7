"""Examples for fine-tuning from a question set, each answer grounded in the documents that are indexed."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.components.policies import Refusal, StrictPolicy
from pipelines.components.responses import Manner, Message
from pipelines.errors import LimitReached, Refused, SearchaskError
from pipelines.evaluation.asking import Asker
from pipelines.evaluation.finetuning.examples import LEAST, Example, Source, count, plain, split_by_document
from pipelines.evaluation.finetuning.grounds import Grounds
from pipelines.evaluation.questions import Question
from pipelines.querying.verdict import without_sources
from pipelines.text.language import answered_in
from pipelines.text.tokens import encoding_name
from pipelines.words import Words

if TYPE_CHECKING:
    from pipelines.evaluation.outcomes import Outcome
    from pipelines.querying.knowledge_base import KnowledgeBase

_EVIDENCE = Words("Evidence: {quotes}", "依据：{quotes}")


@dataclass(frozen=True, slots=True)
class Wish:
    """What an export is to be like."""

    engine: str = ""
    """Name of the query engine that answers where a question has no gold answer; empty for the first."""
    validation: float = 0.1
    """Share of the examples that is kept apart."""
    epochs: int = 3
    """Over which the cost is reckoned."""
    longest: int = 16_385
    """Tokens of an example, at most."""
    refusals: bool = False
    """Whether unanswerable questions become refusals."""


@dataclass(slots=True)
class Export:
    """Examples, and what became of the other questions."""

    questions: int
    table: str
    """Token table by which all is counted."""
    epochs: int
    price: float | None
    """Of training on a million tokens for one epoch."""
    train: tuple[Example, ...] = ()
    validation: tuple[Example, ...] = ()
    left_out: Counter[str] = field(default_factory=Counter)
    """Questions that became no example, by the reason."""
    errors: Counter[str] = field(default_factory=Counter)
    """Why the engine failed."""

    @property
    def cost(self) -> float | None:
        """Of one epoch; None where the config gives no price."""
        return None if self.price is None else sum(each.tokens for each in self.train) * self.price / 1e6

    def to_dict(self) -> dict[str, Any]:
        """As `finetune export --json` prints it."""
        return {
            "questions": self.questions,
            "train": _described(self.train),
            "validation": _described(self.validation),
            "answers": dict(Counter(each.source for each in (*self.train, *self.validation))),
            "left_out": dict(self.left_out),
            "errors": dict(self.errors),
            "token_table": self.table,
            "cost_per_epoch": self.cost,
            "epochs": self.epochs,
            "cost": None if self.cost is None else self.cost * self.epochs,
        }


def _described(examples: Sequence[Example]) -> dict[str, Any]:
    sizes = sorted(each.tokens for each in examples)
    return {
        "examples": len(examples),
        "documents": len({name for each in examples for name in each.documents}),
        "languages": dict(sorted(Counter(each.language for each in examples).items())),
        "tokens": sum(sizes),
        "shortest": sizes[0] if sizes else 0,
        "median": sizes[len(sizes) // 2] if sizes else 0,
        "longest": sizes[-1] if sizes else 0,
    }


def examples_of(
    base: KnowledgeBase, questions: Sequence[Question], wish: Wish, tell: Callable[[int], None]
) -> Export:
    """Make examples of a question set; `tell` hears after each question how many are done.

    Raises Refused where fewer than `LEAST` are left to train on.
    """
    spec = base.config.spec
    table = encoding_name(str(getattr(spec.llm, "model", "")))
    price = getattr(getattr(spec.llm, "price", None), "training_price", None)
    found = Export(len(questions), table, wish.epochs, price)
    author = _Author(base, wish, found)
    made: dict[str, Example] = {}
    for number, question in enumerate(questions, 1):
        key = plain(question.text)
        if key in made:
            found.left_out["asked twice"] += 1
        elif example := author.example(question):
            made[key] = example
        tell(number)
    fitting = [each for each in made.values() if each.tokens <= wish.longest]
    found.left_out[f"longer than {wish.longest:,} tokens"] += len(made) - len(fitting)
    found.left_out = +found.left_out
    found.train, found.validation = split_by_document(fitting, wish.validation)
    if len(found.train) < LEAST:
        reasons = ", ".join(f"{number} {reason}" for reason, number in found.left_out.items())
        failed = "".join(f"\n{number} × {error}" for error, number in found.errors.most_common(3))
        raise Refused(
            f"{len(found.train)} examples to train on and {len(found.validation)} to validate with; at least {LEAST} "
            f"to train on are needed, so nothing was written. Left out of {len(questions)} questions: "
            f"{reasons or 'none'}{failed}"
        )
    return found


def write(folder: Path, found: Export) -> list[Path]:
    """Write the files of an export; an old file to validate with goes where there is a new one to train on."""
    files = [folder / "train.jsonl", folder / "validation.jsonl"]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, examples in zip(files, (found.train, found.validation), strict=True):
            if not examples:
                file.unlink(missing_ok=True)
                continue
            part = file.with_name(f".{file.name}.{os.getpid()}.part")
            part.write_text("".join(each.line for each in examples), encoding="utf-8")
            part.replace(file)
    except OSError as error:
        raise SearchaskError(f"{folder} can't be written to: {error.strerror}") from None
    return files if found.validation else files[:1]


class _Author:
    """Writes an example for a question, and notes what became of it."""

    def __init__(self, base: KnowledgeBase, wish: Wish, found: Export) -> None:
        self._wish, self._found = wish, found
        self._engine = base.engine(wish.engine)
        self._asker = Asker(self._engine)
        self._grounds = Grounds(base.index.catalog)
        self._stopped = ""

    def example(self, question: Question) -> Example | None:
        """The example of a question; None where there is none, which the export tells."""
        if question.split == "test":
            return self._without("held out: split test")
        if not question.answerable:
            return self._refusal(question)
        named = {*question.documents, *(each.document for each in question.evidence)}
        if named and (gone := self._grounds.unknown(named)):
            self._found.errors[f"not in the index: {gone[0]}"] += 1
            return self._without("documents not in the index")
        if question.answers and named:
            quotes = self._grounds.quotes(question)
            if question.evidence and not quotes:
                return self._without("evidence no longer in the documents")
            source: Source = "gold with evidence" if quotes else "gold without evidence"
            return self._made(question, source, question.answers[0], quotes, named)
        return self._asked(question, named)

    def _without(self, reason: str) -> Example | None:
        self._found.left_out[reason] += 1
        return None

    def _refusal(self, question: Question) -> Example | None:
        if not self._wish.refusals:
            return self._without("unanswerable (--refusals takes them)")
        policy = self._engine.spec.policy
        language = self._language(question)
        if isinstance(policy, StrictPolicy):
            said = policy.refusal_in(language)
        else:
            said = Refusal().zh if language == "zh" else Refusal().en
        return self._made(question, "refusal", said, [], set(question.documents))

    def _asked(self, question: Question, named: set[str]) -> Example | None:
        """What the engine answers, as far as documents support it."""
        if self._stopped:
            return self._without("not asked: a limit was reached")
        try:
            outcome = self._asker.ask(question)
        except LimitReached as error:
            self._stopped = str(error)
            self._found.errors[self._stopped] += 1
            return self._without("not asked: a limit was reached")
        if outcome.outcome == "failed":
            self._found.errors[outcome.error] += 1
            return self._without("the engine failed")
        text = _supported(outcome)
        if outcome.outcome != "answered" or not text or not outcome.citations:
            return self._without(f"the engine's answer was {_KINDS.get(outcome.outcome, 'not supported')}")
        quotes = list(dict.fromkeys(" ".join(each.quote.split()) for each in outcome.citations))
        documents = {*named, *(each.document for each in outcome.citations)}
        return self._made(question, "engine", text, quotes, documents)

    def _made(
        self, question: Question, source: Source, answer: str, quotes: Sequence[str], documents: set[str]
    ) -> Example:
        language = self._language(question)
        words = " ".join(answer.split())
        if quotes := [quote for quote in quotes if quote not in words]:
            told = _EVIDENCE.of(language, quotes=" ".join(f"“{quote}”" for quote in quotes))
            answer = f"{answer}\n\n{told}"
        roles = ("system", "user", "assistant")
        texts = (self._rules(question.text, language), question.text, answer)
        messages = tuple(
            Message(role=role, content=text.encode("utf-8", "replace").decode())
            for role, text in zip(roles, texts, strict=True)
        )
        tokens = count(messages, self._found.table)
        return Example(question.id, language, tuple(sorted(documents)), source, messages, tokens)

    def _language(self, question: Question) -> str:
        fixed = self._engine.pipeline.language
        return answered_in(question.text) if fixed == "auto" else fixed

    def _rules(self, question: str, language: str) -> str:
        """What the model will be told when it is asked without passages: it must learn under the same words."""
        from pipelines.components.runtime.inquiry import Inquiry
        from pipelines.components.runtime.written import told_without_passages

        pipeline = self._engine.pipeline
        inquiry = Inquiry(query_str=question, asked=question, language=language)
        return told_without_passages(inquiry, Manner(pipeline.prompts, pipeline.language))


_KINDS = {"refused": "a refusal", "from_model": "from the model"}


def _supported(outcome: Outcome) -> str:
    """An answer without markers and without what no document supports."""
    if all(each.supported for each in outcome.sentences):
        return without_sources(outcome.text)
    return " ".join(each.text for each in outcome.sentences if each.supported).strip()

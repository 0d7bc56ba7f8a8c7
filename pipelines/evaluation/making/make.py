"""Make a question set from the chunks of an index."""

from __future__ import annotations

import hashlib
import random
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.config import Config
from pipelines.errors import EndpointError, LimitReached, SearchaskError
from pipelines.evaluation.making import removed, stock, with_llm, without_llm
from pipelines.evaluation.making.asking import Counting
from pipelines.evaluation.making.chunks import SHORTEST, Source, read, rows
from pipelines.evaluation.making.drafts import Draft
from pipelines.evaluation.making.screening import Screen
from pipelines.evaluation.making.unanswerable import ANSWERED, Unanswered
from pipelines.evaluation.questions import Question, question_id
from pipelines.querying.knowledge_base import KnowledgeBase
from pipelines.text.language import language_of

HOPELESS = 10
"""Calls in a row that failed, after which no other is tried."""
TRIES = 4
"""Calls for each question that is wanted, at most."""
_PURPOSE = "make question"


@dataclass(frozen=True, slots=True)
class Order:
    """What set is wanted."""

    count: int
    language: str = ""
    """`zh` or `en`; empty for both."""
    llm: bool = True
    """Let the config's LLM write, where there is one."""
    seed: int = 0
    unanswerable: float = 0.2
    """Share of questions that the documents do not answer."""
    test_share: float = 0.5
    """Share of the documents whose questions are for testing; those of the others are for training."""
    removed: tuple[Path, ...] = ()
    """Documents that the index does not hold."""


@dataclass(slots=True)
class Made:
    """A set, and how it came about."""

    questions: list[Question] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    """By reason."""
    documents: int = 0
    """In the index."""
    covered: int = 0
    """Of them, with a question."""
    why: list[str] = field(default_factory=list)
    """Why there are fewer questions than wanted."""
    spent: str = ""
    """What the LLM took; empty where none was asked."""


Report = Callable[[int, int], None]
"""Is told how many questions there are, of how many."""


def make(
    config: Config,
    order: Order,
    *,
    report: Report = lambda made, wanted: None,
    keep: Callable[[list[Question]], None] = lambda questions: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Made:
    """A set of questions; `keep` is given those so far now and then. Raises SearchaskError, StorageError."""
    with KnowledgeBase(config) as base:
        return _Making(base, order, report, keep, stopped).go()


class _Making:
    """One set in the making."""

    def __init__(
        self,
        base: KnowledgeBase,
        order: Order,
        report: Report,
        keep: Callable[[list[Question]], None],
        stopped: Callable[[], bool],
    ) -> None:
        self._base, self._order = base, order
        self._report, self._keep, self._stopped = report, keep, stopped
        self._llm = Counting(base.config.spec, base.engine().meter) if self._writes else None
        self._drafts: list[Draft] = []
        self._refused: list[Question] = []
        self._screen = Screen(self._embedded)
        self._made = Made()
        self._failed = self._tries = 0

    @property
    def _writes(self) -> bool:
        return self._order.llm and self._base.config.spec.llm is not None

    def go(self) -> Made:
        """All questions; what ends it early is told and keeps what was made."""
        wanted = self._order.count - round(self._order.count * self._order.unanswerable)
        try:
            self._answerable(wanted)
            if self._order.unanswerable and not self._stopped():
                self._unanswerable(self._order.count - wanted)
        except LimitReached as error:
            self._made.why.append(str(error))
        if self._stopped():
            self._made.why.append("interrupted")
        made = self._made
        made.questions, made.dropped = self._questions(), made.dropped + self._screen.dropped
        made.covered = len({draft.document for draft in self._drafts})
        made.spent = self._llm.told if self._llm and self._llm.calls else ""
        return made

    @property
    def _over(self) -> bool:
        """Whether no other question is to be tried."""
        return self._stopped() or self._failed >= HOPELESS or self._tries > TRIES * self._order.count + TRIES

    def _answerable(self, wanted: int) -> None:
        """Questions of the documents of the index."""
        catalog = self._base.index.catalog
        listed = rows(catalog, self._order.seed)
        self._made.documents = len(listed)
        if not wanted:
            return
        for draft, _ in self._in_turn(filter(None, (read(catalog, row) for row in listed))):
            self._drafts.append(draft)
            self._tell()
            if len(self._drafts) >= wanted:
                return
        if not self._over:
            by = "the model wrote" if self._writes else "the rules found"
            self._made.why.append(f"{by} no more questions of use in {len(listed)} documents")
        elif self._tries > self._order.count * TRIES:
            self._made.why.append(f"{self._tries} passages gave no more questions of use")

    def _in_turn(self, sources: Iterator[Source]) -> Iterator[tuple[Draft, Source]]:
        """One question of each document in turn, so that a large one does not swallow the set."""
        turns: deque[tuple[Source, Iterator[Draft | None]]] = deque()
        while not self._over:
            if (source := next(sources, None)) is not None:
                drafts = self._asked(source)
            elif turns:
                source, drafts = turns.popleft()
            else:
                return
            for draft in drafts:
                fits = draft is not None and self._fits(draft, source)
                if (
                    fits or self._writes
                ):  # each try of a model has its price: then it is another document's turn
                    turns.append((source, drafts))
                if draft is not None and fits:
                    yield draft, source
                if fits or self._writes:
                    break

    def _fits(self, draft: Draft, source: Source) -> bool:
        if self._order.language not in ("", draft.language):
            return False
        return self._screen.lets(draft, source.text)

    def _asked(self, source: Source) -> Iterator[Draft | None]:
        """The drafts of a document; None for a try of the LLM that came to nothing."""
        if self._llm is None:
            yield from without_llm.drafts(source, self._order.seed)
            return
        chunks = [
            each
            for each in source.chunks
            if len(each.text) >= SHORTEST[each.language] and self._order.language in ("", each.language)
        ]
        random.Random(f"{self._order.seed} {source.path}").shuffle(chunks)
        for chunk in chunks:
            self._tries += 1
            try:
                draft = with_llm.ask(self._llm, source, chunk)
                self._failed = 0
            except EndpointError as error:
                self._failed += 1
                self._made.dropped["the model's endpoint failed"] += 1
                if self._failed == HOPELESS:
                    self._made.why.append(f"{HOPELESS} calls in a row failed: {error}")
                yield None
                continue
            if isinstance(draft, str):
                self._made.dropped[draft] += 1
                yield None
            else:
                yield draft

    def _unanswerable(self, wanted: int) -> None:
        """Questions of removed documents, or of stock, that the index holds no answer to."""
        index = self._base.index
        with self._base.charging(_PURPOSE, _PURPOSE):
            check = Unanswered(index, [draft.text for draft in self._drafts], self._llm)
        for question, answers, more in self._candidates():
            if len(self._refused) >= wanted or self._stopped() or self._failed >= HOPELESS:
                break
            language = language_of(question)
            if self._order.language not in ("", language):
                continue
            try:
                with self._base.charging(question, _PURPOSE):
                    holds = check.holds(question, answers, language)
            except EndpointError:
                self._failed += 1
                holds = False
            if not holds:
                self._made.dropped[ANSWERED] += 1
                continue
            made = Question(question_id(question), question, answerable=False, language=language, more=more)
            self._refused.append(made)
            self._tell()
        if len(self._refused) < wanted and not self._stopped():
            given = "the removed documents gave no more that the index does not answer"
            asked = "name documents that are not in the index with --removed to get more"
            self._made.why.append(
                f"{len(self._refused)} of {wanted} unanswerable questions: {given if self._order.removed else asked}"
            )

    def _candidates(self) -> Iterator[tuple[str, tuple[str, ...], dict[str, str]]]:
        """Questions with the answers that their own documents give, and where they are from."""
        if not self._order.removed:
            yield from self._stock()
            return
        for place in self._order.removed:
            for draft, source in self._in_turn(removed.sources(place, self._order.seed)):
                yield draft.text, draft.answers, {"made": "removed", "by": draft.made, "of": source.path}

    def _stock(self) -> Iterator[tuple[str, tuple[str, ...], dict[str, str]]]:
        """In the languages that the answerable questions have, as often as they have them."""
        left = {"en": list(stock.ENGLISH), "zh": list(stock.CHINESE)}
        for language, questions in left.items():
            random.Random(f"{self._order.seed} {language}").shuffle(questions)
        asked = [draft.language for draft in self._drafts] or ["en", "zh"]
        random.Random(self._order.seed).shuffle(asked)
        while any(left[language] for language in asked):
            for language in asked:
                if left[language]:
                    yield left[language].pop(), (), {"made": "stock"}

    def _embedded(self, text: str) -> Sequence[float]:
        with self._base.charging(text, _PURPOSE):
            return self._base.index.embed_question(text)

    def _tell(self) -> None:
        count = len(self._drafts) + len(self._refused)
        self._report(count, self._order.count)
        if self._writes:
            self._keep(self._questions())

    def _questions(self) -> list[Question]:
        tested = self._tested({draft.document for draft in self._drafts})
        asked = [draft.question("test" if draft.document in tested else "train") for draft in self._drafts]
        origins = {str(each.more.get("of", each.id)) for each in self._refused}
        tested = self._tested(origins)
        return asked + [
            Question(
                each.id,
                each.text,
                answerable=False,
                language=each.language,
                split="test" if str(each.more.get("of", each.id)) in tested else "train",
                more=each.more,
            )
            for each in self._refused
        ]

    def _tested(self, documents: set[str]) -> set[str]:
        """The documents whose questions are for testing: a share of them, by a hash of their names."""
        ranked = sorted(documents, key=lambda name: _hash(f"{self._order.seed} {name}"))
        return set(ranked[: round(len(ranked) * self._order.test_share)])


def checked(order: Order) -> None:
    """Raise SearchaskError for an order that makes no sense."""
    if order.count < 1:
        raise SearchaskError("--count must be at least 1")
    for name, share in (("--unanswerable", order.unanswerable), ("--test-share", order.test_share)):
        if not 0 <= share <= 1:
            raise SearchaskError(f"{name} must be between 0 and 1")


def _hash(name: str) -> bytes:
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()
